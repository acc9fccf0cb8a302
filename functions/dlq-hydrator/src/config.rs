//! What the environment says.

use aws_edge::MESSAGE_BYTES_MAX;
use recovery::QueueUrl;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::time::Duration;
use telemetry::{Environment, VariableError};

/// How the hydrator behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `SINK`: URL of the SQS queue that takes recovered records and loss reports.
    pub sink_queue_url: QueueUrl,
    /// `SINK_BATCH_MAX_BYTES`: the most that the sink takes in one message, and in one batch of them. AWS's bound unless
    /// a local stand-in has a smaller one.
    pub sink_batch_bytes_max: usize,
    /// `DEADLINE_MARGIN_MS`: how long before Lambda's deadline the hydrator stops and answers.
    pub deadline_margin: Duration,
    /// `INVOKE_IDENTITY_ARN`: the processor's role, for the `invokeIdentityArn` of rebuilt Kinesis records.
    pub invoke_identity_arn: Option<String>,
}

const DEFAULT_DEADLINE_MARGIN_MS: u64 = 1_000;

impl Config {
    /// Reads the variables.
    ///
    /// # Errors
    ///
    /// When `SINK` is missing, or a variable holds something else than expected.
    pub fn from_environment<F: Fn(&str) -> Option<OsString>>(
        environment: &Environment<F>,
    ) -> Result<Self, VariableError> {
        let bytes_max: Option<NonZeroUsize> =
            environment.optional("SINK_BATCH_MAX_BYTES", "a whole number of bytes above 0")?;
        let margin_ms = environment.optional("DEADLINE_MARGIN_MS", "a whole number of milliseconds")?;
        Ok(Self {
            sink_queue_url: environment.required("SINK", "the URL of an SQS queue")?,
            sink_batch_bytes_max: bytes_max.map_or(MESSAGE_BYTES_MAX, NonZeroUsize::get).min(MESSAGE_BYTES_MAX),
            deadline_margin: Duration::from_millis(margin_ms.unwrap_or(DEFAULT_DEADLINE_MARGIN_MS)),
            invoke_identity_arn: environment.optional("INVOKE_IDENTITY_ARN", "the ARN of a role")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, String> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        Config::from_environment(&Environment::new(find)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_queue_is_all_that_is_needed() {
        let config = config(&[("SINK", "https://sqs.us-east-1.amazonaws.com/111122223333/recovered")]).unwrap();
        assert_eq!(config.sink_queue_url.as_str(), "https://sqs.us-east-1.amazonaws.com/111122223333/recovered");
        assert_eq!(config.sink_batch_bytes_max, 1_048_576);
    }

    #[test]
    fn a_missing_or_foreign_sink_stops_the_start() {
        assert_eq!(
            config(&[]).unwrap_err(),
            "environment variable `SINK` is not set: expected the URL of an SQS queue"
        );
        let error = config(&[("SINK", "http://h/q"), ("SINK_BATCH_MAX_BYTES", "0")]).unwrap_err();
        assert!(error.contains("`SINK_BATCH_MAX_BYTES` is \"0\": expected a whole number of bytes above 0"), "{error}");
        for bad in [
            "recovered",
            "s3://bucket/prefix",
            "arn:aws:sqs:us-east-1:111122223333:recovered",
            "https://x",
            "https:// /",
            "https:///q",
            "http://h/",
        ] {
            let error = config(&[("SINK", bad)]).unwrap_err();
            assert!(error.contains(bad) && error.contains("expected the URL of an SQS queue"), "{error}");
        }
    }
}
