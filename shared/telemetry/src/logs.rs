//! Logs: one JSON object a line on standard output, where Lambda collects it.

use std::fmt::Display;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use tracing::Level;
use tracing_subscriber::filter::{Directive, FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Starts the logs. Call it first in `main`.
///
/// `LOG_LEVEL` (or Lambda's own `AWS_LAMBDA_LOG_LEVEL`) takes a level or `tracing` directives; the default is `info`.
/// Dependencies log whole requests and events at `debug` and `trace`. Those lines are cut whatever the directives say: a
/// payload never reaches a log.
pub fn init() {
    let wanted = std::env::var("LOG_LEVEL").or_else(|_| std::env::var("AWS_LAMBDA_LOG_LEVEL")).unwrap_or_default();
    let (filter, refused) = filter(&wanted);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false).with_ansi(false);
    let without_payloads = filter_fn(|metadata| may_be_logged(metadata.target(), *metadata.level()));
    let logs = tracing_subscriber::registry().with(lines.with_filter(filter.and(without_payloads)));
    // A second start is a test's: the first one's logs go on.
    let _ = logs.try_init();
    std::panic::set_hook(Box::new(report_panic));
    if !refused.is_empty() {
        tracing::warn!(LOG_LEVEL = wanted, ?refused, "not understood: expected a level or tracing directives");
    }
}

/// The directives wanted, on top of `info` for everything that none of them names: a word misspelt must not silence the
/// errors. Returns the ones that are none as well.
fn filter(wanted: &str) -> (EnvFilter, Vec<&str>) {
    let mut filter = EnvFilter::new("info");
    let mut refused = Vec::new();
    for text in wanted.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        match text.parse::<Directive>() {
            Ok(directive) => filter = filter.add_directive(directive),
            Err(_) => refused.push(text),
        }
    }
    (filter, refused)
}

/// What `main` returns: a function that cannot run says why in one line, and nothing else.
pub fn exit_code<E: Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "cannot run");
            ExitCode::FAILURE
        }
    }
}

/// The crates of this workspace that run inside functions: they log no payload at any level. A fork adds its own here.
const OWN_CRATES: [&str; 8] = [
    "aws_edge",
    "dlq_hydrator",
    "dynamodb_processor",
    "kinesis_processor",
    "partial_batch",
    "records",
    "recovery",
    "telemetry",
];

/// The runtime's line on a function error. Each function has said it already, with the trace it belongs to.
const SAID_TWICE: &str = "lambda_runtime::layers::panic";

/// Everybody else's `debug` and `trace` may hold a payload.
fn may_be_logged(target: &str, level: Level) -> bool {
    if target == SAID_TWICE {
        return false;
    }
    let own = target.split("::").next().is_some_and(|name| OWN_CRATES.contains(&name));
    level <= Level::INFO || own
}

/// Says where a panic was. What it says is left out: an `unwrap` quotes the value it met, which may be a payload.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    tracing::error!(panic.location = location, "panicked");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_silences_nothing() {
        assert_eq!(filter("verbose").0.to_string(), "verbose=trace,info");
        assert_eq!(filter("recovery=debug").0.to_string(), "recovery=debug,info");
        assert_eq!(filter("error").0.to_string(), "error");
        let (kept, refused) = filter("info,recovery=loud");
        assert_eq!((kept.to_string().as_str(), refused.as_slice()), ("info", &["recovery=loud"][..]));
    }

    #[test]
    fn what_may_hold_a_payload_is_cut_at_every_level_that_has_it() {
        for target in ["lambda_runtime::layers::api_response", "aws_smithy_runtime::client", "hyper", "recovery_x"] {
            assert!(!may_be_logged(target, Level::TRACE) && !may_be_logged(target, Level::DEBUG), "{target}");
            assert!(may_be_logged(target, Level::INFO), "{target}");
        }
        assert!(may_be_logged("partial_batch::engine", Level::TRACE));
        assert!(!may_be_logged("lambda_runtime::layers::panic", Level::ERROR), "the function has said it");
    }
}
