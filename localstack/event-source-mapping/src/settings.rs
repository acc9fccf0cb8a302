//! What a mapping that reads a stream is set to do.

pub(crate) mod field;
pub(crate) mod function;
mod json;

pub use field::SettingsError;

use field::within;
use function::Function;
use records::StreamArn;

/// The settings of an event source mapping that reads a stream; ranges and defaults are AWS's (documented).
///
/// Made by [`Settings::from_json`] or by [`Settings::builder`], so that there are no invalid ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// As it was given, with the consumer of enhanced fan-out.
    event_source_arn: Box<str>,
    stream: StreamArn,
    pub(crate) function: Function,
    starting_position: StartingPosition,
    batch_size: usize,
    batching_window_ms: i64,
    retry_attempts: Option<u32>,
    record_age_ms: Option<i64>,
    bisect: bool,
    report_batch_item_failures: bool,
    destination_arn: Option<Box<str>>,
}

/// Where in a shard a new mapping begins to read. The driver's poll obeys it; the model has no position of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// At the oldest record that the stream still has.
    TrimHorizon,
    /// At the first record that arrives from now on.
    Latest,
}

impl Settings {
    /// Starts from AWS's defaults and `TRIM_HORIZON`.
    ///
    /// `event_source_arn` is that of a stream, with or without a consumer; `function_name` a name or an ARN.
    pub fn builder(event_source_arn: &str, function_name: &str) -> SettingsBuilder {
        SettingsBuilder {
            event_source_arn: event_source_arn.into(),
            function_name: function_name.into(),
            starting_position: StartingPosition::TrimHorizon,
            batch_size: 100,
            batching_window_s: 0,
            retry_attempts: -1,
            record_age_s: -1,
            bisect: false,
            report_batch_item_failures: false,
            destination_arn: None,
        }
    }

    /// The stream.
    #[must_use]
    pub fn stream(&self) -> &StreamArn {
        &self.stream
    }

    /// The event source as it was given, which names the consumer with enhanced fan-out.
    #[must_use]
    pub fn event_source_arn(&self) -> &str {
        &self.event_source_arn
    }

    /// The full ARN of the function.
    #[must_use]
    pub fn function_arn(&self) -> &str {
        &self.function.arn
    }

    /// Where a new mapping begins to read.
    #[must_use]
    pub fn starting_position(&self) -> StartingPosition {
        self.starting_position
    }

    /// The largest number of records of one invocation, 1 to 10,000.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// How long records may wait for a batch to fill, in milliseconds; 0 waits for none.
    #[must_use]
    pub fn batching_window_ms(&self) -> i64 {
        self.batching_window_ms
    }

    /// How often a batch is retried, or `None` for until it is too old.
    #[must_use]
    pub fn retry_attempts(&self) -> Option<u32> {
        self.retry_attempts
    }

    /// The age in milliseconds beyond which a record is given up, if there is one.
    #[must_use]
    pub fn record_age_ms(&self) -> Option<i64> {
        self.record_age_ms
    }

    /// Whether a batch that failed is split.
    #[must_use]
    pub fn bisects(&self) -> bool {
        self.bisect
    }

    /// Whether the function's response is looked at.
    #[must_use]
    pub fn reports_batch_item_failures(&self) -> bool {
        self.report_batch_item_failures
    }

    /// The queue that is told of records given up.
    #[must_use]
    pub fn destination_arn(&self) -> Option<&str> {
        self.destination_arn.as_deref()
    }
}

/// Settings in the making, under AWS's names; `build` checks them.
#[derive(Debug, Clone)]
#[must_use]
pub struct SettingsBuilder {
    event_source_arn: Box<str>,
    function_name: Box<str>,
    starting_position: StartingPosition,
    batch_size: i64,
    batching_window_s: i64,
    retry_attempts: i64,
    record_age_s: i64,
    bisect: bool,
    report_batch_item_failures: bool,
    destination_arn: Option<Box<str>>,
}

impl SettingsBuilder {
    /// `StartingPosition`.
    pub fn starting_position(self, starting_position: StartingPosition) -> Self {
        Self { starting_position, ..self }
    }

    /// `BatchSize`, 1 to 10,000.
    pub fn batch_size(self, batch_size: i64) -> Self {
        Self { batch_size, ..self }
    }

    /// `MaximumBatchingWindowInSeconds`, 0 to 300.
    pub fn maximum_batching_window_s(self, batching_window_s: i64) -> Self {
        Self { batching_window_s, ..self }
    }

    /// `MaximumRetryAttempts`, 0 to 10,000, or -1 for no end.
    pub fn maximum_retry_attempts(self, retry_attempts: i64) -> Self {
        Self { retry_attempts, ..self }
    }

    /// `MaximumRecordAgeInSeconds`, 60 to 604,800, or -1 for no end.
    pub fn maximum_record_age_s(self, record_age_s: i64) -> Self {
        Self { record_age_s, ..self }
    }

    /// `BisectBatchOnFunctionError`.
    pub fn bisect_batch_on_function_error(self, bisect: bool) -> Self {
        Self { bisect, ..self }
    }

    /// Whether `FunctionResponseTypes` holds `ReportBatchItemFailures`.
    pub fn report_batch_item_failures(self, report_batch_item_failures: bool) -> Self {
        Self { report_batch_item_failures, ..self }
    }

    /// `DestinationConfig.OnFailure.Destination`, the ARN of a standard queue.
    pub fn on_failure(self, destination_arn: &str) -> Self {
        Self { destination_arn: Some(destination_arn.into()), ..self }
    }

    /// Checks the settings against AWS's ranges and the model's limits.
    ///
    /// # Errors
    ///
    /// When AWS would refuse a value, or the model does not cover it.
    pub fn build(self) -> Result<Settings, SettingsError> {
        let stream = StreamArn::parse(&self.event_source_arn).map_err(|_| {
            SettingsError::refused("EventSourceArn", format!("{:?}", self.event_source_arn), "the ARN of a stream")
        })?;
        let function = Function::resolve(&self.function_name, &self.event_source_arn)?;
        let batch_size = within("BatchSize", self.batch_size, 1..=10_000)?;
        let batching_window_s = within("MaximumBatchingWindowInSeconds", self.batching_window_s, 0..=300)?;
        let retry_attempts = within("MaximumRetryAttempts", self.retry_attempts, -1..=10_000)?;
        let record_age_ms = match self.record_age_s {
            -1 => None,
            seconds @ 60..=604_800 => Some(seconds * 1000),
            other => {
                return Err(SettingsError::refused("MaximumRecordAgeInSeconds", other, "-1, or 60 to 604800"));
            }
        };
        if let Some(arn) = &self.destination_arn {
            check_destination(arn)?;
        }
        Ok(Settings {
            event_source_arn: self.event_source_arn,
            stream,
            function,
            starting_position: self.starting_position,
            batch_size: usize::try_from(batch_size).unwrap_or(1),
            batching_window_ms: batching_window_s * 1000,
            retry_attempts: u32::try_from(retry_attempts).ok(),
            record_age_ms,
            bisect: self.bisect,
            report_batch_item_failures: self.report_batch_item_failures,
            destination_arn: self.destination_arn,
        })
    }
}

/// Accepts a standard queue. AWS refuses FIFO; a topic or a bucket would be fine for AWS, but not for the model.
fn check_destination(arn: &str) -> Result<(), SettingsError> {
    const KEY: &str = "DestinationConfig.OnFailure.Destination";
    let refused = |expected: &str| Err(SettingsError::refused(KEY, format!("{arn:?}"), expected));
    let service = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(1));
    match service {
        Some("sqs" | "sns") if arn.ends_with(".fifo") => {
            refused("a standard queue or topic, or a bucket, not a FIFO one")
        }
        Some("sqs") => Ok(()),
        Some("sns" | "s3") => Err(SettingsError::not_covered(KEY, arn)),
        _ => refused("the ARN of a queue, a topic or a bucket"),
    }
}
