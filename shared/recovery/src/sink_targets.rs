//! Which sinks: a queue, objects, or both.

use crate::{QueueUrl, S3Prefix};
use std::fmt;
use std::str::FromStr;

/// One or two targets, each of another kind: the URL of an SQS queue, `s3://bucket/prefix`, or both with a comma between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkTargets {
    queue: Option<QueueUrl>,
    objects: Option<S3Prefix>,
}

impl SinkTargets {
    /// The queue, if it is one of them.
    #[must_use]
    pub fn queue(&self) -> Option<&QueueUrl> {
        self.queue.as_ref()
    }

    /// Where objects go, if there are any.
    #[must_use]
    pub fn objects(&self) -> Option<&S3Prefix> {
        self.objects.as_ref()
    }
}

impl From<QueueUrl> for SinkTargets {
    fn from(queue: QueueUrl) -> Self {
        Self { queue: Some(queue), objects: None }
    }
}

impl From<S3Prefix> for SinkTargets {
    fn from(objects: S3Prefix) -> Self {
        Self { queue: None, objects: Some(objects) }
    }
}

impl fmt::Display for SinkTargets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.queue, &self.objects) {
            (Some(queue), Some(objects)) => write!(f, "{queue},{objects}"),
            (queue, objects) => {
                queue.iter().try_for_each(|queue| queue.fmt(f))?;
                objects.iter().try_for_each(|objects| objects.fmt(f))
            }
        }
    }
}

impl FromStr for SinkTargets {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut targets = Self { queue: None, objects: None };
        for target in text.split(',').map(str::trim) {
            let is_second = if target.starts_with("s3:") {
                targets.objects.replace(parse(target)?).is_some()
            } else {
                targets.queue.replace(parse(target)?).is_some()
            };
            if is_second {
                return Err(format!("`{target}` is the second of its kind: expected at most one queue and one bucket"));
            }
        }
        Ok(targets)
    }
}

fn parse<T: FromStr<Err = &'static str>>(target: &str) -> Result<T, String> {
    target.parse().map_err(|reason| format!("`{target}`: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/recovered";
    const OBJECTS: &str = "s3://archive/dlq";

    fn check(text: &str, queue: Option<&str>, objects: Option<&str>) {
        let targets: SinkTargets = text.parse().unwrap();
        assert_eq!(targets.queue().map(QueueUrl::as_str), queue, "{text}");
        assert_eq!(targets.objects().map(ToString::to_string).as_deref(), objects, "{text}");
        assert_eq!(targets.to_string().parse(), Ok(targets), "{text}");
    }

    #[test]
    fn a_sink_is_a_queue_or_objects_or_both() {
        check(QUEUE, Some(QUEUE), None);
        check(OBJECTS, None, Some(OBJECTS));
        check(&format!("{QUEUE},{OBJECTS}"), Some(QUEUE), Some(OBJECTS));
        check(&format!("{OBJECTS}/ , {QUEUE}"), Some(QUEUE), Some(OBJECTS));
    }

    #[test]
    fn an_error_names_the_target_and_what_was_expected() {
        let error = |text: &str| text.parse::<SinkTargets>().unwrap_err();
        assert_eq!(error("recovered"), "`recovered`: it is no https:// or http:// URL with a host and a path");
        assert!(error("s3://B/x").starts_with("`s3://B/x`: a bucket's name has 3 to 63"), "{}", error("s3://B/x"));
        assert!(error(&format!("{QUEUE},")).starts_with("``: it is no https://"));
        for kind in [QUEUE, OBJECTS] {
            let expected = format!("`{kind}` is the second of its kind: expected at most one queue and one bucket");
            assert_eq!(error(&format!("{kind},{kind}")), expected);
        }
        assert!("".parse::<SinkTargets>().is_err());
    }
}
