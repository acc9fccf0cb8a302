//! The settings of a stream mapping as `CreateEventSourceMapping` takes them.

use super::field::{self, SettingsError};
use super::{Settings, SettingsBuilder, StartingPosition};
use serde_json::Value;

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
        let position = required("StartingPosition")?;
        let timestamp = settings.iter().position(|(name, _)| name == "StartingPositionTimestamp");
        let timestamp = timestamp.map(|index| settings.swap_remove(index).1);
        let mut builder = Settings::builder(&event_source_arn, &function_name)
            .starting_position(StartingPosition::parse(&position, timestamp.as_ref(), &event_source_arn)?);
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
        "ParallelizationFactor" => builder.parallelization_factor(integer("ParallelizationFactor")?),
        "TumblingWindowInSeconds" => builder.tumbling_window_s(integer("TumblingWindowInSeconds")?),
        "FilterCriteria" => builder.filter_criteria(&value.to_string()),
        "Enabled" => builder.enabled(field::boolean("Enabled", value)?),
        other => {
            let checked = field::without_effect(other, value);
            checked.unwrap_or_else(|| Err(field::foreign(other, value, KIND))).map(|()| builder)?
        }
    };
    Ok(builder)
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
    use crate::Destination;

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
            r#"StartingPosition must be TRIM_HORIZON, LATEST or AT_TIMESTAMP, got "EARLIEST""#,
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
            ("ParallelizationFactor", [1, 10]),
            ("TumblingWindowInSeconds", [0, 900]),
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
        check("KMSKeyArn", r#""arn""#, r#"the model does not cover KMSKeyArn = "arn""#);
        check("LoggingConfig", "{}", "the model does not cover LoggingConfig = {}");
    }

    #[test]
    fn every_other_setting_is_taken() {
        assert_eq!(with("ParallelizationFactor", "10").unwrap().parallelization_factor(), 10);
        assert_eq!(with("TumblingWindowInSeconds", "900").unwrap().tumbling_window_ms(), Some(900_000));
        assert!(!with("Enabled", "false").unwrap().is_enabled());
        let filtered = with("FilterCriteria", r#"{"Filters":[{"Pattern":"{\"data\":{\"a\":[1]}}"}]}"#).unwrap();
        assert!(filtered.filters().is_some());
        assert!(with("FilterCriteria", r#"{"Filters":[]}"#).unwrap().filters().is_none());
    }

    #[test]
    fn filters_that_aws_refuses_are_refused_by_their_place() {
        let broken = with("FilterCriteria", r#"{"Filters":[{"Pattern":"{\"data\":{\"a\":1}}"}]}"#).unwrap_err();
        assert_eq!(broken.key(), Some("FilterCriteria"));
        assert_eq!(
            broken.aws_error().unwrap().to_string(),
            "InvalidParameterValueException: Invalid filter pattern definition."
        );
        let list = with("FilterCriteria", r#"{"Filters":[{"Pattern":"{\"data\":[\"a\"]}"}]}"#).unwrap_err();
        assert!(list.to_string().starts_with("FilterCriteria: "), "{list}");
    }

    #[test]
    fn a_starting_time_is_for_kinesis_and_for_at_timestamp() {
        let from = |arn: &str, position: &str, timestamp: &str| {
            let json = format!(
                r#"{{"EventSourceArn":"{arn}","FunctionName":"orders","StartingPosition":"{position}",
                "StartingPositionTimestamp":{timestamp}}}"#
            );
            Settings::from_json(&json).map(|settings| settings.starting_position())
        };
        let moment = StartingPosition::AtTimestamp(records::EpochMillis(1_767_225_600_500));
        let at = Ok(moment);
        assert_eq!(from(KINESIS, "AT_TIMESTAMP", "1767225600.5"), at);
        assert_eq!(from(KINESIS, "AT_TIMESTAMP", "\"2026-01-01T00:00:00.5Z\""), at);
        let error = from(KINESIS, "AT_TIMESTAMP", "null").unwrap_err();
        assert_eq!(error.to_string(), "StartingPositionTimestamp is missing");
        assert_eq!(
            error.aws_error().unwrap().to_string(),
            "InvalidParameterValueException: Need to specify a timestamp"
        );
        let expected = "seconds since 1970, or a moment like \"2026-01-31T12:00:00Z\"";
        for bad in ["\"soon\"", "-1", "true", "1e300"] {
            let error = from(KINESIS, "AT_TIMESTAMP", bad).unwrap_err().to_string();
            assert!(error.starts_with(&format!("StartingPositionTimestamp must be {expected}, got ")), "{error}");
        }
        assert_eq!(
            from(KINESIS, "LATEST", "5").unwrap_err().to_string(),
            "StartingPositionTimestamp must be absent unless StartingPosition is AT_TIMESTAMP, got 5"
        );
        let table = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123";
        let error = from(table, "AT_TIMESTAMP", "5").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"StartingPosition must be TRIM_HORIZON or LATEST on a DynamoDB stream, got "AT_TIMESTAMP""#
        );
        assert!(error.aws_error().unwrap().message.starts_with("Unsupported starting position for arn type"));
        assert_eq!(from(table, "AT_TIMESTAMP", "null").unwrap_err(), error, "whatever the timestamp");
        let built = Settings::builder(table, "orders").starting_position(moment).build();
        assert_eq!(built.unwrap_err(), error);
    }

    #[test]
    fn a_number_out_of_range_has_the_error_of_aws() {
        let aws = |key, value| with(key, value).unwrap_err().aws_error().map(|error| error.to_string());
        let member = "ValidationException: 1 validation error detected: Value";
        let fails = "failed to satisfy constraint: Member must have value";
        assert_eq!(
            aws("BatchSize", "0").unwrap(),
            format!("{member} '0' at 'batchSize' {fails} greater than or equal to 1")
        );
        assert_eq!(
            aws("ParallelizationFactor", "11").unwrap(),
            format!("{member} '11' at 'parallelizationFactor' {fails} less than or equal to 10")
        );
        assert_eq!(
            aws("MaximumRecordAgeInSeconds", "604801").unwrap(),
            format!("{member} '604801' at 'maximumRecordAgeInSeconds' {fails} less than or equal to 604800")
        );
        assert_eq!(aws("MaximumRecordAgeInSeconds", "59"), None, "behind the bounds of the API, in unknown words");
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
    fn a_standard_queue_a_standard_topic_and_a_bucket_serve_as_destination() {
        let destination = |arn: &str| {
            let value = serde_json::json!({"OnFailure": {"Destination": arn}}).to_string();
            with("DestinationConfig", &value).map_err(|error| error.to_string())
        };
        let queue = "arn:aws:sqs:us-east-1:111122223333:orders-failed";
        assert_eq!(destination(queue).unwrap().destination(), Some(&Destination::Queue(queue.into())));
        let key = "DestinationConfig.OnFailure.Destination";
        let topic = "arn:aws:sns:us-east-1:111122223333:orders-failed";
        assert_eq!(destination(topic).unwrap().destination(), Some(&Destination::Topic(topic.into())));
        let bucket = "arn:aws:s3:::orders-failed";
        assert_eq!(destination(bucket).unwrap().destination(), Some(&Destination::Bucket(bucket.into())));
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
