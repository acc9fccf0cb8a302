//! What the environment says.

use aws_edge::MESSAGE_BYTES_MAX;
use records::FilterCriteria;
use recovery::{READS_PER_SECOND, S3Prefix, SinkTargets};
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;
use telemetry::{Environment, VariableError};

/// How the hydrator behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// `SINK`: what takes recovered records and loss reports: an SQS queue, objects, or both.
    pub sink: SinkTargets,
    /// `CLAIM_CHECK`: where records go that are too large for a message of the queue, if not to the sink's own objects.
    pub claim_checks: Option<S3Prefix>,
    /// `SINK_BATCH_MAX_BYTES`: the most that the sink takes in one message, and in one batch of them. AWS's bound unless
    /// a local stand-in has a smaller one.
    pub sink_batch_bytes_max: usize,
    /// `DEADLINE_MARGIN_MS`: how long before Lambda's deadline the hydrator stops and answers.
    pub deadline_margin: Duration,
    /// `INVOKE_IDENTITY_ARN`: the processor's role, for the `invokeIdentityArn` of rebuilt Kinesis records.
    pub invoke_identity_arn: Option<String>,
    /// `READS_PER_SECOND`: GetRecords calls a second on one shard, of the five that it shares with the mapping.
    pub reads_per_second: u32,
    /// `FILTER_CRITERIA`: the mapping's own, as JSON; looked up where it is not set.
    pub filter_criteria: Option<FilterCriteria>,
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
            sink: environment
                .required("SINK", "the URL of an SQS queue, `s3://bucket/prefix`, or both with a comma")?,
            claim_checks: environment.optional("CLAIM_CHECK", "`s3://bucket/prefix`")?,
            sink_batch_bytes_max: bytes_max.map_or(MESSAGE_BYTES_MAX, NonZeroUsize::get).min(MESSAGE_BYTES_MAX),
            deadline_margin: Duration::from_millis(margin_ms.unwrap_or(DEFAULT_DEADLINE_MARGIN_MS)),
            invoke_identity_arn: environment.optional("INVOKE_IDENTITY_ARN", "the ARN of a role")?,
            reads_per_second: environment
                .optional("READS_PER_SECOND", "a whole number of reads from 1 to 1000")?
                .map_or(READS_PER_SECOND, |reads: Reads| reads.0),
            filter_criteria: environment
                .optional("FILTER_CRITERIA", r#"FilterCriteria as JSON, `{"Filters":[{"Pattern":"..."}]}`"#)?
                .map(|criteria: Criteria| criteria.0),
        })
    }
}

/// AWS allows five in all. More is for stand-ins that have no such bound.
const READS_PER_SECOND_MAX: u32 = 1_000;

struct Reads(u32);

impl FromStr for Reads {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let reads: u32 = text.parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
        if (1..=READS_PER_SECOND_MAX).contains(&reads) { Ok(Self(reads)) } else { Err("it is out of range".to_owned()) }
    }
}

struct Criteria(FilterCriteria);

impl FromStr for Criteria {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        FilterCriteria::parse(text).map(Self).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, String> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        Config::from_environment(&Environment::new(find)).map_err(|error| error.to_string())
    }

    const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/recovered";

    #[test]
    fn a_sink_is_all_that_is_needed() {
        let config = config(&[("SINK", QUEUE)]).unwrap();
        assert_eq!((config.sink.to_string().as_str(), config.claim_checks), (QUEUE, None));
        assert_eq!((config.sink_batch_bytes_max, config.reads_per_second), (1_048_576, 2));
        assert!(config.invoke_identity_arn.is_none() && config.filter_criteria.is_none());
    }

    #[test]
    fn everything_can_be_said() {
        let sink = format!("{QUEUE},s3://archive/dlq");
        let config = config(&[
            ("SINK", &sink),
            ("CLAIM_CHECK", "s3://large"),
            ("SINK_BATCH_MAX_BYTES", "262144"),
            ("DEADLINE_MARGIN_MS", "250"),
            ("INVOKE_IDENTITY_ARN", "arn:aws:iam::111122223333:role/orders"),
            ("READS_PER_SECOND", "5"),
            ("FILTER_CRITERIA", r#"{"Filters":[{"Pattern":"{\"partitionKey\":[\"a\"]}"}]}"#),
        ])
        .unwrap();
        assert!(config.sink.queue().is_some() && config.sink.objects().is_some());
        assert_eq!(config.claim_checks.unwrap().to_string(), "s3://large");
        assert_eq!((config.sink_batch_bytes_max, config.deadline_margin.as_millis()), (262_144, 250));
        assert_eq!(config.reads_per_second, 5);
        assert!(config.filter_criteria.is_some_and(|criteria| !criteria.is_empty()));
    }

    #[test]
    fn what_cannot_be_used_stops_the_start() {
        let error = config(&[]).unwrap_err();
        assert!(
            error.starts_with("environment variable `SINK` is not set: expected the URL of an SQS queue"),
            "{error}"
        );
        for (name, value, expected) in [
            ("SINK_BATCH_MAX_BYTES", "0", "a whole number of bytes above 0"),
            ("DEADLINE_MARGIN_MS", "soon", "milliseconds"),
            ("READS_PER_SECOND", "0", "from 1 to 1000"),
            ("READS_PER_SECOND", "1001", "from 1 to 1000"),
            ("CLAIM_CHECK", "archive", "`s3://bucket/prefix`"),
            ("FILTER_CRITERIA", r#"{"data":[]}"#, "FilterCriteria as JSON"),
        ] {
            let error = config(&[("SINK", QUEUE), (name, value)]).unwrap_err();
            assert!(error.contains(&format!("`{name}`")) && error.contains(expected), "{error}");
        }
        for bad in [
            "recovered",
            "arn:aws:sqs:us-east-1:111122223333:recovered",
            "https://x",
            "https:// /",
            "https:///q",
            "http://h/",
            "s3://",
            "s3://UPPER/x",
        ] {
            let error = config(&[("SINK", bad)]).unwrap_err();
            assert!(error.contains(bad) && error.contains("expected the URL of an SQS queue"), "{error}");
        }
    }
}
