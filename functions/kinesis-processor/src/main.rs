//! The function behind the event source mapping of the Kinesis stream.

mod config;
mod handler;

use partial_batch::JsonPayload;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), partial_batch::RunError> {
    telemetry::init();
    let config = config::from_environment().inspect_err(|error| tracing::error!(%error, "cannot start"))?;
    partial_batch::run(JsonPayload::new(), handler::handle, config).await
}
