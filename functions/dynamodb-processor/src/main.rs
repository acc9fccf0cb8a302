//! The function behind the event source mapping of the orders table's stream.

mod config;
mod handler;

use partial_batch::TypedChange;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), partial_batch::RunError> {
    telemetry::init();
    let config = config::from_environment().inspect_err(|error| tracing::error!(%error, "cannot start"))?;
    partial_batch::run(TypedChange::new(), handler::handle, config).await
}
