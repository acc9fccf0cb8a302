//! The function behind the event source mapping of the Kinesis stream.

mod config;
mod handler;

use partial_batch::JsonPayload;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    telemetry::exit_code(run().await)
}

async fn run() -> Result<(), partial_batch::RunError> {
    let config = config::from_environment()?;
    partial_batch::run(JsonPayload::new(), handler::handle, config).await
}
