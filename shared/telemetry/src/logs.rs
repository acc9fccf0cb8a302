//! Logs: one JSON object a line on standard output, where Lambda collects it.

use std::panic::PanicHookInfo;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Starts the logs. Call it first in `main`.
///
/// `LOG_LEVEL` (or Lambda's own `AWS_LAMBDA_LOG_LEVEL`) takes a level or `tracing` directives; the default is `info`.
/// Dependencies that would log whole requests or events at `debug` and `trace` stay at `info`: a payload never reaches a
/// log, whatever the level.
pub fn init() {
    let wanted = std::env::var("LOG_LEVEL").or_else(|_| std::env::var("AWS_LAMBDA_LOG_LEVEL")).unwrap_or_default();
    let mut filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse_lossy(wanted);
    for noisy in QUIET_TARGETS {
        if let Ok(directive) = format!("{noisy}=info").parse() {
            filter = filter.add_directive(directive);
        }
    }
    // A second start is a test's: the first one's logs go on.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_ansi(false)
        .try_init();
    std::panic::set_hook(Box::new(report_panic));
}

/// Crates whose `debug` and `trace` events hold request bodies or events.
const QUIET_TARGETS: [&str; 7] =
    ["lambda_runtime", "lambda_runtime_api_client", "hyper", "hyper_util", "aws_smithy_runtime", "aws_runtime", "h2"];

/// Says where a panic was. What it says is left out: an `unwrap` quotes the value it met, which may be a payload.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    tracing::error!(panic.location = location, "panicked");
}
