//! The thin shell around `lambda_runtime`: an invocation in, a response or a function error out.

use crate::{BatchError, BatchReport, Deadline, Handler, Invocation, Source, process, serve};
use lambda_runtime::Diagnostic;
use std::ffi::OsString;
use std::time::{Duration, Instant};
use telemetry::{Environment, VariableError};

/// Why a processor ended.
pub type RunError = lambda_runtime::Error;

/// How a processor behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How long before Lambda's deadline the engine stops and answers.
    pub deadline_margin: Duration,
}

/// Enough for the answer to leave and for the runtime to take it, on a busy environment of the smallest size.
const DEFAULT_DEADLINE_MARGIN_MS: u64 = 500;

impl Default for Config {
    fn default() -> Self {
        Self { deadline_margin: Duration::from_millis(DEFAULT_DEADLINE_MARGIN_MS) }
    }
}

impl Config {
    /// Reads `DEADLINE_MARGIN_MS`.
    ///
    /// # Errors
    ///
    /// When a variable holds something else than expected.
    pub fn from_environment<F: Fn(&str) -> Option<OsString>>(
        environment: &Environment<F>,
    ) -> Result<Self, VariableError> {
        let margin_ms = environment.optional("DEADLINE_MARGIN_MS", "a whole number of milliseconds")?;
        let deadline_margin = Duration::from_millis(margin_ms.unwrap_or(DEFAULT_DEADLINE_MARGIN_MS));
        Ok(Self { deadline_margin })
    }
}

/// Serves batches until Lambda ends the environment.
///
/// # Errors
///
/// When the Lambda Runtime API cannot be reached.
pub async fn run<S, H>(source: S, handler: H, config: Config) -> Result<(), RunError>
where
    S: Source,
    H: Handler<S::Payload>,
{
    serve(async |Invocation { event, context }| {
        let started = Instant::now();
        let deadline = Deadline::from_epoch_ms(context.deadline, config.deadline_margin);
        let report = process(&event, &source, &handler, deadline).await;
        log(&context.request_id, started.elapsed(), &report);
        report.response.map_err(Diagnostic::from)
    })
    .await
}

/// What Lambda shows as the function's error.
impl From<BatchError> for Diagnostic {
    fn from(error: BatchError) -> Self {
        Self { error_type: "BatchError".to_owned(), error_message: error.to_string() }
    }
}

/// One line per invocation, and one per failing record before it.
fn log(request_id: &str, duration: Duration, report: &BatchReport) {
    if let Some(failed) = &report.failed {
        tracing::warn!(
            faas.invocation_id = request_id,
            record.index = failed.index,
            record.sequence_number = failed.sequence_number.as_ref().map(ToString::to_string),
            error.kind = %failed.error.kind(),
            error = %failed.error,
            "record failed"
        );
    }
    let checkpoint = match &report.response {
        Ok(response) => response.batch_item_failures.first().map(|failure| failure.item_identifier.to_string()),
        Err(error) => {
            tracing::error!(faas.invocation_id = request_id, error = %error, "batch failed");
            None
        }
    };
    tracing::info!(
        faas.invocation_id = request_id,
        batch.records = report.records,
        batch.handled = report.handled,
        batch.retry_from = checkpoint,
        duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        "batch done"
    );
}
