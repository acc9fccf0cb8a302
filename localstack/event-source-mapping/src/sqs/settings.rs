//! What a mapping that reads a queue is set to do.

use crate::SettingsError;
use crate::settings::field::{self, within};
use crate::settings::function::Function;
use serde_json::Value;

const KIND: &str = "queue";

/// The settings of an event source mapping that reads a standard SQS queue; ranges and defaults are AWS's (documented).
///
/// ```
/// use event_source_mapping::sqs::SqsSettings;
///
/// let json = r#"{"EventSourceArn":"arn:aws:sqs:us-east-1:111122223333:orders","FunctionName":"orders","BatchSize":11}"#;
/// let error = SqsSettings::from_json(json).unwrap_err().to_string();
/// assert_eq!(error, "MaximumBatchingWindowInSeconds must be 1 to 300 with a BatchSize over 10, got 0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqsSettings {
    queue_arn: Box<str>,
    function: Function,
    batch_size: usize,
    batching_window_ms: i64,
    report_batch_item_failures: bool,
    maximum_concurrency: Option<u32>,
}

impl SqsSettings {
    /// Parses the JSON that `CreateEventSourceMapping` takes.
    ///
    /// Tags and `MetricsConfig` are accepted and do nothing; every other setting is obeyed or refused by name.
    ///
    /// # Errors
    ///
    /// When AWS would refuse the settings, or when the model does not cover what they ask for.
    pub fn from_json(json: &str) -> Result<Self, SettingsError> {
        let (mut queue_arn, mut function_name) = (None, None);
        let (mut batch_size, mut window_s, mut report, mut maximum_concurrency) = (10, 0, false, None);
        for (key, value) in field::object(json)? {
            match key.as_str() {
                "EventSourceArn" => queue_arn = Some(field::text("EventSourceArn", &value)?),
                "FunctionName" => function_name = Some(field::text("FunctionName", &value)?),
                "BatchSize" => batch_size = field::integer("BatchSize", &value)?,
                "MaximumBatchingWindowInSeconds" => {
                    window_s = field::integer("MaximumBatchingWindowInSeconds", &value)?;
                }
                "FunctionResponseTypes" => report = field::reports_batch_item_failures(&value)?,
                "ScalingConfig" => maximum_concurrency = maximum_concurrency_of(&value)?,
                "FilterCriteria" => field::no_filters(&value, KIND)?,
                "Enabled" => field::enabled(&value)?,
                other => {
                    field::without_effect(other, &value).unwrap_or_else(|| Err(field::foreign(other, &value, KIND)))?
                }
            }
        }
        let queue_arn = standard_queue(queue_arn.ok_or(SettingsError::Missing("EventSourceArn"))?)?;
        let function_name = function_name.ok_or(SettingsError::Missing("FunctionName"))?;
        let batch_size = within("BatchSize", batch_size, 1..=10_000)?;
        let window_s = within("MaximumBatchingWindowInSeconds", window_s, 0..=300)?;
        if batch_size > 10 && window_s == 0 {
            let expected = "1 to 300 with a BatchSize over 10";
            return Err(SettingsError::refused("MaximumBatchingWindowInSeconds", window_s, expected));
        }
        Ok(Self {
            function: Function::resolve(&function_name, &queue_arn)?,
            queue_arn,
            batch_size: usize::try_from(batch_size).unwrap_or(1),
            batching_window_ms: window_s * 1000,
            report_batch_item_failures: report,
            maximum_concurrency,
        })
    }

    /// The queue.
    #[must_use]
    pub fn queue_arn(&self) -> &str {
        &self.queue_arn
    }

    /// The full ARN of the function.
    #[must_use]
    pub fn function_arn(&self) -> &str {
        &self.function.arn
    }

    /// The largest number of messages of one invocation, 1 to 10,000.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// How long messages may wait for a batch to fill, in milliseconds; 0 waits for none.
    #[must_use]
    pub fn batching_window_ms(&self) -> i64 {
        self.batching_window_ms
    }

    /// Whether the function's response is looked at.
    #[must_use]
    pub fn reports_batch_item_failures(&self) -> bool {
        self.report_batch_item_failures
    }

    /// The most invocations at a time, 2 to 1,000: how many [`super::SqsMapping`]s a driver may run side by side.
    #[must_use]
    pub fn maximum_concurrency(&self) -> Option<u32> {
        self.maximum_concurrency
    }
}

fn maximum_concurrency_of(value: &Value) -> Result<Option<u32>, SettingsError> {
    const KEY: &str = "ScalingConfig.MaximumConcurrency";
    let Some(value) = field::only_member("ScalingConfig", "MaximumConcurrency", value, KIND)? else { return Ok(None) };
    Ok(u32::try_from(within(KEY, field::integer(KEY, value)?, 2..=1000)?).ok())
}

/// Accepts the ARN of a standard queue; FIFO would need an order that the model does not keep.
fn standard_queue(arn: String) -> Result<Box<str>, SettingsError> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "sqs", _, _, name] if name.ends_with(".fifo") => {
            Err(SettingsError::not_covered("EventSourceArn", arn))
        }
        ["arn", _, "sqs", _, _, name] if !name.is_empty() => Ok(arn.into()),
        _ => Err(SettingsError::refused("EventSourceArn", format!("{arn:?}"), "the ARN of a queue")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(key: &str, value: &str) -> Result<SqsSettings, SettingsError> {
        let mut json = serde_json::json!({
            "EventSourceArn": "arn:aws:sqs:us-east-1:111122223333:orders", "FunctionName": "orders"
        });
        json[key] = serde_json::from_str(value).unwrap();
        SqsSettings::from_json(&json.to_string())
    }

    fn check(key: &str, value: &str, error: &str) {
        assert_eq!(with(key, value).map_err(|error| error.to_string()), Err(error.to_owned()));
    }

    #[test]
    fn the_defaults_are_those_of_aws() {
        let settings = with("ScalingConfig", "{}").unwrap();
        assert_eq!((settings.batch_size(), settings.batching_window_ms()), (10, 0));
        assert_eq!((settings.reports_batch_item_failures(), settings.maximum_concurrency()), (false, None));
        assert_eq!(settings.function_arn(), "arn:aws:lambda:us-east-1:111122223333:function:orders");
        let concurrent = with("ScalingConfig", r#"{"MaximumConcurrency":2}"#).unwrap();
        assert_eq!(concurrent.maximum_concurrency(), Some(2));
    }

    #[test]
    fn a_large_batch_needs_a_window() {
        check("BatchSize", "11", "MaximumBatchingWindowInSeconds must be 1 to 300 with a BatchSize over 10, got 0");
        with("BatchSize", "10").unwrap();
    }

    #[test]
    fn what_aws_or_the_model_does_not_take_is_refused_by_name() {
        check("BatchSize", "10001", "BatchSize must be 1 to 10000, got 10001");
        let concurrency = "ScalingConfig.MaximumConcurrency must be 2 to 1000, got 1";
        check("ScalingConfig", r#"{"MaximumConcurrency":1}"#, concurrency);
        for key in ["BisectBatchOnFunctionError", "StartingPosition", "StartingPositionTimestamp", "batchSize"] {
            check(key, "1", &format!("{key} is no setting of an event source mapping that reads a queue"));
        }
        check("Enabled", "false", "the model does not cover Enabled = false");
        let poller = r#"{"MinimumPollers":2}"#;
        check(
            "ProvisionedPollerConfig",
            poller,
            &format!("the model does not cover ProvisionedPollerConfig = {poller}"),
        );
        let fifo = "arn:aws:sqs:us-east-1:111122223333:orders.fifo";
        check("EventSourceArn", &format!("{fifo:?}"), &format!("the model does not cover EventSourceArn = {fifo}"));
        check("EventSourceArn", r#""orders""#, r#"EventSourceArn must be the ARN of a queue, got "orders""#);
        check("EventSourceArn", "null", "EventSourceArn is missing");
        check("FunctionName", "null", "FunctionName is missing");
    }
}
