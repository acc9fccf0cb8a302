//! `streamctl`: the operator's command line.

mod console;
mod demo;
mod function_logs;
mod page;
mod progress;
mod simulate;
mod table;

use anyhow::Context;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Stream processing on Lambda, with every record accounted for.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole pipeline on this machine and account for every record.
    Demo(demo::Options),
    /// Say what Lambda would do with a mapping and a failure.
    Simulate(simulate::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    run(Arguments::parse()).await.unwrap_or_else(|error| {
        console::tell(format_args!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    log_what_the_local_stack_says()?;
    match arguments.command {
        Command::Demo(options) => demo::run(options).await,
        Command::Simulate(options) => simulate::run(&options),
    }
}

/// The functions' own lines are another thing.
fn log_what_the_local_stack_says() -> anyhow::Result<()> {
    const VARIABLE: &str = "STREAMCTL_LOG";
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).with_env_var(VARIABLE);
    let filter = filter.from_env().with_context(|| format!("failed to read the variable `{VARIABLE}`"))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).init();
    Ok(())
}
