//! The function behind the event source mapping of the Kinesis stream.

mod config;
mod handler;
mod totals;

use partial_batch::{Engine, JsonOrChange, Kinesis, WindowEngine};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    telemetry::exit_code(run().await)
}

async fn run() -> Result<(), partial_batch::RunError> {
    let config = config::from_environment()?;
    let source = Kinesis::new(JsonOrChange::<handler::Orders>::new()).with_kpl(config.kpl);
    let quarantine = config::quarantine(&config.on_invalid)?;
    if config.tumbling_window {
        partial_batch::run(WindowEngine::new(source, totals::OrderTotals).with_quarantine(quarantine), &config).await
    } else {
        partial_batch::run(Engine::new(source, handler::handle, &config).with_quarantine(quarantine), &config).await
    }
}
