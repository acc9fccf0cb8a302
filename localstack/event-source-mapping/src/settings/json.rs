//! The settings of a stream mapping as `CreateEventSourceMapping` takes them.

use super::field::{self, SettingsError};
use super::{Settings, SettingsBuilder, StartingPosition};
use records::{StreamArn, StreamKind};
use serde_json::Value;
use std::ops::RangeInclusive;

const KIND: &str = "stream";

impl Settings {
    /// Parses the JSON that `CreateEventSourceMapping` takes.
    ///
    /// Tags and `MetricsConfig` are accepted and do nothing; every other setting is obeyed or refused by name.
    ///
    /// # Errors
    ///
    /// When AWS would refuse the settings, or when the model does not cover what they ask for.
    pub fn from_json(json: &str) -> Result<Self, SettingsError> {
        let mut settings = field::object(json)?;
        let mut required = |key| {
            let index = settings.iter().position(|(name, _)| name == key).ok_or(SettingsError::Missing(key))?;
            field::text(key, &settings.swap_remove(index).1)
        };
        let event_source_arn = required("EventSourceArn")?;
        let function_name = required("FunctionName")?;
        let starting_position = required("StartingPosition")?;
        let mut builder = Settings::builder(&event_source_arn, &function_name)
            .starting_position(starting_position_of(&starting_position, &event_source_arn)?);
        for (key, value) in settings {
            builder = set(builder, &key, &value)?;
        }
        builder.build()
    }
}

fn set(builder: SettingsBuilder, key: &str, value: &Value) -> Result<SettingsBuilder, SettingsError> {
    let integer = |key| field::integer(key, value);
    let builder = match key {
        "BatchSize" => builder.batch_size(integer("BatchSize")?),
        "MaximumBatchingWindowInSeconds" => {
            builder.maximum_batching_window_s(integer("MaximumBatchingWindowInSeconds")?)
        }
        "MaximumRetryAttempts" => builder.maximum_retry_attempts(integer("MaximumRetryAttempts")?),
        "MaximumRecordAgeInSeconds" => builder.maximum_record_age_s(integer("MaximumRecordAgeInSeconds")?),
        "BisectBatchOnFunctionError" => {
            builder.bisect_batch_on_function_error(field::boolean("BisectBatchOnFunctionError", value)?)
        }
        "FunctionResponseTypes" => builder.report_batch_item_failures(field::reports_batch_item_failures(value)?),
        "DestinationConfig" => match on_failure(value)? {
            Some(arn) => builder.on_failure(&arn),
            None => builder,
        },
        "ParallelizationFactor" => default_only("ParallelizationFactor", value, 1..=10, 1).map(|()| builder)?,
        "TumblingWindowInSeconds" => default_only("TumblingWindowInSeconds", value, 0..=900, 0).map(|()| builder)?,
        "FilterCriteria" => field::no_filters(value, KIND).map(|()| builder)?,
        "Enabled" => field::enabled(value).map(|()| builder)?,
        "StartingPositionTimestamp" => return Err(SettingsError::not_covered("StartingPositionTimestamp", value)),
        other => {
            let checked = field::without_effect(other, value);
            checked.unwrap_or_else(|| Err(field::foreign(other, value, KIND))).map(|()| builder)?
        }
    };
    Ok(builder)
}

/// Accepts a setting that the model does not cover as long as it asks for what happens without it.
fn default_only(
    key: &'static str,
    value: &Value,
    range: RangeInclusive<i64>,
    default: i64,
) -> Result<(), SettingsError> {
    let number = field::within(key, field::integer(key, value)?, range)?;
    if number == default { Ok(()) } else { Err(SettingsError::not_covered(key, number)) }
}

fn starting_position_of(text: &str, event_source_arn: &str) -> Result<StartingPosition, SettingsError> {
    let is_kinesis = StreamArn::parse(event_source_arn).is_ok_and(|arn| arn.kind() == StreamKind::Kinesis);
    match text {
        "TRIM_HORIZON" => Ok(StartingPosition::TrimHorizon),
        "LATEST" => Ok(StartingPosition::Latest),
        "AT_TIMESTAMP" if is_kinesis => Err(SettingsError::not_covered("StartingPosition", text)),
        other => Err(SettingsError::refused("StartingPosition", format!("{other:?}"), "TRIM_HORIZON or LATEST")),
    }
}

/// The ARN at `DestinationConfig.OnFailure.Destination`.
fn on_failure(value: &Value) -> Result<Option<String>, SettingsError> {
    let Some(on_failure) = field::only_member("DestinationConfig", "OnFailure", value, KIND)? else { return Ok(None) };
    let destination = field::only_member("DestinationConfig.OnFailure", "Destination", on_failure, KIND)?;
    destination.map(|arn| field::text("DestinationConfig.OnFailure.Destination", arn)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINESIS: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";

    /// Parses the required settings and one more.
    fn with(key: &str, value: &str) -> Result<Settings, SettingsError> {
        let mut json = serde_json::json!({
            "EventSourceArn": KINESIS, "FunctionName": "orders", "StartingPosition": "LATEST"
        });
        json[key] = serde_json::from_str(value).unwrap();
        Settings::from_json(&json.to_string())
    }

    fn check(key: &str, value: &str, error: &str) {
        assert_eq!(with(key, value).map_err(|error| error.to_string()), Err(error.to_owned()));
    }

    #[test]
    fn what_changes_nothing_still_has_to_make_sense() {
        assert!(with("Tags", r#"{"team":"orders"}"#).is_ok());
        assert!(with("MetricsConfig", r#"{"Metrics":["EventCount"]}"#).is_ok());
        check("Tags", "5", "Tags must be an object of texts, got 5");
        let error = r#"MetricsConfig must be {"Metrics":["EventCount"]}, got {"Metrics":["Other"]}"#;
        check("MetricsConfig", r#"{"Metrics":["Other"]}"#, error);
    }

    #[test]
    fn the_defaults_are_those_of_aws() {
        let spelt_out = format!(
            r#"{{"EventSourceArn":"{KINESIS}","FunctionName":"orders","StartingPosition":"LATEST","BatchSize":100,
            "MaximumBatchingWindowInSeconds":0,"ParallelizationFactor":1,"MaximumRetryAttempts":-1,"Enabled":true,
            "MaximumRecordAgeInSeconds":-1,"BisectBatchOnFunctionError":false,"FunctionResponseTypes":[],"Tags":{{}},
            "TumblingWindowInSeconds":0,"DestinationConfig":{{"OnFailure":{{}}}},"FilterCriteria":{{"Filters":[]}}}}"#
        );
        let bare = with("BatchSize", "null").unwrap();
        assert_eq!(Settings::from_json(&spelt_out).unwrap(), bare);
        assert_eq!(
            bare,
            Settings::builder(KINESIS, "orders").starting_position(StartingPosition::Latest).build().unwrap()
        );
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_its_key_its_value_and_the_range() {
        check("BatchSize", "0", "BatchSize must be 1 to 10000, got 0");
        check("BatchSize", "10001", "BatchSize must be 1 to 10000, got 10001");
        check("BatchSize", r#""100""#, r#"BatchSize must be an integer, got "100""#);
        let window = "MaximumBatchingWindowInSeconds";
        check(window, "301", "MaximumBatchingWindowInSeconds must be 0 to 300, got 301");
        check("MaximumRetryAttempts", "-2", "MaximumRetryAttempts must be -1 to 10000, got -2");
        check("MaximumRetryAttempts", "10001", "MaximumRetryAttempts must be -1 to 10000, got 10001");
        let age = "MaximumRecordAgeInSeconds";
        check(age, "59", "MaximumRecordAgeInSeconds must be -1, or 60 to 604800, got 59");
        check(age, "604801", "MaximumRecordAgeInSeconds must be -1, or 60 to 604800, got 604801");
        check("ParallelizationFactor", "11", "ParallelizationFactor must be 1 to 10, got 11");
        check("TumblingWindowInSeconds", "901", "TumblingWindowInSeconds must be 0 to 900, got 901");
        check("BisectBatchOnFunctionError", "1", "BisectBatchOnFunctionError must be true or false, got 1");
        check(
            "StartingPosition",
            r#""EARLIEST""#,
            r#"StartingPosition must be TRIM_HORIZON or LATEST, got "EARLIEST""#,
        );
        check(
            "FunctionResponseTypes",
            r#"["ReportItemFailures"]"#,
            r#"FunctionResponseTypes must be [] or ["ReportBatchItemFailures"], got ["ReportItemFailures"]"#,
        );
    }

    #[test]
    fn the_ends_of_every_range_are_accepted() {
        for (key, ends) in [
            ("BatchSize", [1, 10_000]),
            ("MaximumBatchingWindowInSeconds", [0, 300]),
            ("MaximumRetryAttempts", [-1, 10_000]),
            ("MaximumRecordAgeInSeconds", [60, 604_800]),
        ] {
            for end in ends {
                with(key, &end.to_string()).unwrap();
            }
        }
    }

    #[test]
    fn a_setting_that_nobody_knows_is_refused_by_name() {
        check("Batchsize", "10", "Batchsize is no setting of an event source mapping that reads a stream");
        let of_queues = "ScalingConfig is no setting of an event source mapping that reads a stream";
        check("ScalingConfig", r#"{"MaximumConcurrency":2}"#, of_queues);
        let nested = "DestinationConfig.OnSuccess is no setting of an event source mapping that reads a stream";
        check("DestinationConfig", r#"{"OnSuccess":{}}"#, nested);
    }

    #[test]
    fn a_setting_that_the_model_does_not_do_is_refused_and_never_ignored() {
        for (key, value, shown) in [
            ("ParallelizationFactor", "2", "2"),
            ("TumblingWindowInSeconds", "30", "30"),
            ("FilterCriteria", r#"{"Filters":[{"Pattern":"{}"}]}"#, r#"{"Filters":[{"Pattern":"{}"}]}"#),
            ("StartingPosition", r#""AT_TIMESTAMP""#, "AT_TIMESTAMP"),
            ("StartingPositionTimestamp", "1767225600", "1767225600"),
            ("Enabled", "false", "false"),
            ("KMSKeyArn", r#""arn""#, r#""arn""#),
        ] {
            check(key, value, &format!("the model does not cover {key} = {shown}"));
        }
    }

    #[test]
    fn what_is_required_must_be_there() {
        for key in ["EventSourceArn", "FunctionName", "StartingPosition"] {
            check(key, "null", &format!("{key} is missing"));
        }
        for json in ["", "[]", "7"] {
            let error = Settings::from_json(json).unwrap_err().to_string();
            assert!(error.starts_with("expected the settings of an event source mapping as a JSON object"), "{error}");
        }
    }

    #[test]
    fn only_a_standard_queue_serves_as_destination() {
        let destination = |arn: &str| {
            let value = serde_json::json!({"OnFailure": {"Destination": arn}}).to_string();
            with("DestinationConfig", &value).map_err(|error| error.to_string())
        };
        let queue = "arn:aws:sqs:us-east-1:111122223333:orders-failed";
        assert_eq!(destination(queue).unwrap().destination_arn(), Some(queue));
        let key = "DestinationConfig.OnFailure.Destination";
        for other in ["arn:aws:sns:us-east-1:111122223333:orders-failed", "arn:aws:s3:::orders-failed"] {
            assert_eq!(destination(other).unwrap_err(), format!("the model does not cover {key} = {other}"));
        }
        for fifo in ["arn:aws:sqs:us-east-1:111122223333:a.fifo", "arn:aws:sns:us-east-1:111122223333:a.fifo"] {
            let error = destination(fifo).unwrap_err();
            assert_eq!(
                error,
                format!("{key} must be a standard queue or topic, or a bucket, not a FIFO one, got {fifo:?}")
            );
        }
        let error = destination("orders-failed").unwrap_err();
        assert_eq!(error, format!("{key} must be the ARN of a queue, a topic or a bucket, got \"orders-failed\""));
    }
}
