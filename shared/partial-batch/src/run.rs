//! An invocation in, a response or a function error and the log lines out.

use crate::{
    BatchError, BatchReport, BatchResponse, Config, Contribute, Deadline, Engine, FailedRecord, Handler, Invocation,
    InvocationContext, ItemFailure, OriginKind, Source, TumblingWindow, WindowEngine, WindowResponse, serve,
};
use lambda_runtime::{Context, Diagnostic};
use records::{EpochMillis, StreamArn};
use serde::Serialize;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use telemetry::{InvocationLine, metrics};

/// Why a processor ended.
pub type RunError = lambda_runtime::Error;

/// Handles the batches of an environment: an [`Engine`] or a [`WindowEngine`].
pub trait Processor {
    /// What is answered.
    type Response: Serialize;

    /// Handles one batch.
    fn process(
        &self,
        event: &[u8],
        invocation: &InvocationContext<'_>,
    ) -> impl Future<Output = BatchReport<Self::Response>>;

    /// Where the checkpoint of an answer stands; `None` when everything is done.
    fn checkpoint(response: &Self::Response) -> Option<&ItemFailure>;
}

impl<S: Source, H: for<'p> Handler<S::Payload<'p>>> Processor for Engine<S, H> {
    type Response = BatchResponse;

    async fn process(&self, event: &[u8], invocation: &InvocationContext<'_>) -> BatchReport {
        Engine::process(self, event, invocation).await
    }

    fn checkpoint(response: &BatchResponse) -> Option<&ItemFailure> {
        response.batch_item_failures.first()
    }
}

impl<S, W> Processor for WindowEngine<S, W>
where
    S: Source,
    W: TumblingWindow + for<'p> Contribute<S::Payload<'p>>,
{
    type Response = WindowResponse;

    async fn process(&self, event: &[u8], invocation: &InvocationContext<'_>) -> BatchReport<WindowResponse> {
        WindowEngine::process(self, event, invocation).await
    }

    fn checkpoint(response: &WindowResponse) -> Option<&ItemFailure> {
        response.batch_item_failures.first()
    }
}

/// Serves batches until Lambda ends the environment.
///
/// # Errors
///
/// When the Lambda Runtime API cannot be reached.
pub async fn run<P: Processor>(processor: P, config: &Config) -> Result<(), RunError> {
    serve(async |Invocation { event, context }| {
        let started = Instant::now();
        let deadline = Deadline::from_epoch_ms(context.deadline, config.deadline_margin);
        let invocation = InvocationContext {
            request_id: &context.request_id,
            function_arn: &context.invoked_function_arn,
            deadline,
        };
        let report = processor.process(&event, &invocation).await;
        log::<P>(&context, started.elapsed(), &report);
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

/// One line per invocation with its metrics, and one per failing record before it.
fn log<P: Processor>(context: &Context, duration: Duration, report: &BatchReport<P::Response>) {
    for failure in &report.failures {
        log_failure(context, failure);
    }
    let checkpoint = match &report.response {
        Ok(response) => P::checkpoint(response).map(|failure| failure.item_identifier.as_str()),
        Err(error) => {
            let trace_id = context.xray_trace_id.as_deref();
            tracing::error!(faas.invocation_id = context.request_id, faas.trace_id = trace_id, %error, "batch failed");
            None
        }
    };
    invocation_line(context, duration, report, checkpoint).print();
}

fn log_failure(context: &Context, failure: &FailedRecord) {
    let origin = |kind| (failure.origin_kind == kind && !failure.origin.is_empty()).then_some(failure.origin.as_str());
    tracing::warn!(
        faas.invocation_id = context.request_id,
        faas.trace_id = context.xray_trace_id.as_deref(),
        stream.arn = failure.stream,
        shard.id = origin(OriginKind::Shard),
        record.event_id = origin(OriginKind::EventId),
        record.index = failure.index,
        record.sequence_number = failure.sequence_number.as_deref(),
        record.sub_sequence_number = failure.sub_sequence_number,
        record.attempt = failure.attempt,
        error.kind = %failure.error.kind(),
        error = %failure.error,
        "{}",
        if failure.quarantined { "record quarantined" } else { "record failed" }
    );
}

fn invocation_line<R>(
    context: &Context,
    duration: Duration,
    report: &BatchReport<R>,
    checkpoint: Option<&str>,
) -> InvocationLine {
    let now = SystemTime::now();
    // With enhanced fan-out Lambda names the consumer; metrics go by the stream, as those of the hydrator do.
    let parsed = report.stream.as_deref().and_then(|text| StreamArn::parse(text).ok());
    let stream = parsed.as_ref().map(StreamArn::as_str).or(report.stream.as_deref());
    let mut line = InvocationLine::new(now, &context.env_config.function_name, stream);
    line.field("message", "batch done")
        .field("faas.invocation_id", &context.request_id)
        .field("faas.trace_id", context.xray_trace_id.as_deref())
        .field("batch.records", report.records)
        .field("batch.passed", report.passed)
        .field("batch.retry_from", checkpoint)
        .field("duration_ms", milliseconds(duration));
    line.metric(&metrics::RECORDS_HANDLED, report.handled as f64)
        .metric(&metrics::RECORDS_FAILED, report.failed() as f64)
        .metric(&metrics::RECORDS_INVALID, report.invalid() as f64)
        .metric(&metrics::RECORDS_QUARANTINED, report.quarantined as f64)
        .metric(&metrics::RECORDS_REMEMBERED, report.remembered as f64);
    if report.records > 0 {
        line.metric(&metrics::BATCH_SUCCESS_RATE, 100.0 * report.passed as f64 / report.records as f64);
    }
    if let Some(arrival) = report.last_arrival {
        line.metric(&metrics::ITERATOR_AGE, age_ms(now, arrival));
    }
    line.distribution(&metrics::PROCESSING_LATENCY, &report.latencies.values_ms());
    line
}

/// How long ago the stream took the record. Clocks differ a little: an age is never below 0.
fn age_ms(now: SystemTime, arrival: EpochMillis) -> f64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    (milliseconds(since) - arrival.0 as f64).max(0.0)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
