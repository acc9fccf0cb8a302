//! What a mapping that reads a stream is set to do.

mod aws_error;
mod destination;
pub(crate) mod field;
mod filters;
pub(crate) mod function;
mod json;
mod starting_position;

pub use aws_error::AwsError;
pub use destination::Destination;
pub use field::SettingsError;
pub use starting_position::StartingPosition;

use field::within;
use filters::Filters;
use function::Function;
use records::{FilterCriteria, StreamArn};

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
    parallelization_factor: usize,
    tumbling_window_ms: Option<i64>,
    filters: Option<Filters>,
    enabled: bool,
    destination: Option<Destination>,
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
            parallelization_factor: 1,
            tumbling_window_s: 0,
            filter_criteria: None,
            enabled: true,
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

    /// How many batches of a shard are worked on at a time, 1 to 10.
    #[must_use]
    pub fn parallelization_factor(&self) -> usize {
        self.parallelization_factor
    }

    /// The length of a tumbling window in milliseconds, if there are windows.
    #[must_use]
    pub fn tumbling_window_ms(&self) -> Option<i64> {
        self.tumbling_window_ms
    }

    /// The filters, if there are any.
    #[must_use]
    pub fn filters(&self) -> Option<&FilterCriteria> {
        self.filters.as_ref().map(|filters| &filters.criteria)
    }

    /// Whether the mapping starts switched on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// What is told of records given up.
    #[must_use]
    pub fn destination(&self) -> Option<&Destination> {
        self.destination.as_ref()
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
    parallelization_factor: i64,
    tumbling_window_s: i64,
    filter_criteria: Option<Box<str>>,
    enabled: bool,
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

    /// `ParallelizationFactor`, 1 to 10.
    pub fn parallelization_factor(self, parallelization_factor: i64) -> Self {
        Self { parallelization_factor, ..self }
    }

    /// `TumblingWindowInSeconds`, 1 to 900, or 0 for no windows.
    pub fn tumbling_window_s(self, tumbling_window_s: i64) -> Self {
        Self { tumbling_window_s, ..self }
    }

    /// `FilterCriteria`, as the JSON that AWS takes: `{"Filters":[{"Pattern":"..."}]}`.
    pub fn filter_criteria(self, json: &str) -> Self {
        Self { filter_criteria: Some(json.into()), ..self }
    }

    /// `Enabled`.
    pub fn enabled(self, enabled: bool) -> Self {
        Self { enabled, ..self }
    }

    /// `DestinationConfig.OnFailure.Destination`, the ARN of a standard queue, a standard topic, or a bucket.
    pub fn on_failure(self, destination_arn: &str) -> Self {
        Self { destination_arn: Some(destination_arn.into()), ..self }
    }

    /// Checks the settings against AWS's ranges.
    ///
    /// # Errors
    ///
    /// When AWS would refuse a value.
    pub fn build(self) -> Result<Settings, SettingsError> {
        let stream = StreamArn::parse(&self.event_source_arn).map_err(|_| {
            SettingsError::refused("EventSourceArn", format!("{:?}", self.event_source_arn), "the ARN of a stream")
        })?;
        self.starting_position.check(&stream)?;
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
        let parallelization_factor = within("ParallelizationFactor", self.parallelization_factor, 1..=10)?;
        let tumbling_window_s = within("TumblingWindowInSeconds", self.tumbling_window_s, 0..=900)?;
        let filters = self.filter_criteria.map(|json| Filters::parse(&json, stream.kind())).transpose()?.flatten();
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
            parallelization_factor: usize::try_from(parallelization_factor).unwrap_or(1),
            tumbling_window_ms: (tumbling_window_s > 0).then_some(tumbling_window_s * 1000),
            filters,
            enabled: self.enabled,
            destination: self.destination_arn.as_deref().map(Destination::parse).transpose()?,
        })
    }
}
