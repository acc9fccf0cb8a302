//! The function behind the event source mapping of the orders table's stream.

mod config;
mod handler;

use partial_batch::TypedChange;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    telemetry::exit_code(run().await)
}

async fn run() -> Result<(), partial_batch::RunError> {
    let config = config::from_environment()?;
    partial_batch::run(TypedChange::new(), handler::handle, config).await
}
