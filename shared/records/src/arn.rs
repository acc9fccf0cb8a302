//! Which stream: the ARN of a Kinesis stream or of a DynamoDB table's stream.

use std::fmt;
use thiserror::Error;

/// The ARN of a stream that Lambda can read, without a consumer suffix.
///
/// `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME` or `arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/LABEL`. With
/// enhanced fan-out Lambda names the consumer, `.../stream/NAME/consumer/CONSUMER:STAMP`; the stream's own ARN is what
/// precedes it, and what this type keeps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamArn {
    text: Box<str>,
    kind: StreamKind,
}

/// Which service a stream belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// Amazon Kinesis Data Streams.
    Kinesis,
    /// Amazon DynamoDB Streams.
    DynamoDb,
}

/// The text is not the ARN of a stream.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "expected the ARN of a stream, `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME` or \
     `arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/LABEL`, got {text:?}"
)]
pub struct ArnError {
    text: String,
}

impl StreamArn {
    /// Parses an ARN and strips the consumer of an enhanced fan-out mapping.
    ///
    /// # Errors
    ///
    /// When the text has not the shape of one of the two ARNs.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        let error = || ArnError { text: text.to_owned() };
        // The resource is last, and a DynamoDB stream's label holds colons of its own.
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, region, account, resource] = parts[..] else { return Err(error()) };
        if arn != "arn" || [partition, region, account].contains(&"") {
            return Err(error());
        }
        let (kind, resource) = match service {
            "kinesis" => (StreamKind::Kinesis, kinesis_stream(resource).ok_or_else(error)?),
            "dynamodb" => (StreamKind::DynamoDb, dynamodb_stream(resource).ok_or_else(error)?),
            _ => return Err(error()),
        };
        let text = format!("arn:{partition}:{service}:{region}:{account}:{resource}").into_boxed_str();
        Ok(Self { text, kind })
    }

    /// The ARN, without a consumer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The service that holds the stream.
    #[must_use]
    pub fn kind(&self) -> StreamKind {
        self.kind
    }

    /// The region, such as `us-east-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.text.split(':').nth(3).unwrap_or_default()
    }

    /// The name of the Kinesis stream, or of the DynamoDB table.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.split('/').nth(1).unwrap_or_default()
    }
}

/// `stream/NAME` of `stream/NAME[/consumer/...]`.
fn kinesis_stream(resource: &str) -> Option<String> {
    let name = resource.strip_prefix("stream/")?.split('/').next()?;
    (!name.is_empty()).then(|| format!("stream/{name}"))
}

/// `table/TABLE/stream/LABEL` when it is just that.
fn dynamodb_stream(resource: &str) -> Option<String> {
    let (table, label) = resource.strip_prefix("table/")?.split_once("/stream/")?;
    let complete = !table.is_empty() && !table.contains('/') && !label.is_empty() && !label.contains('/');
    complete.then(|| resource.to_owned())
}

impl fmt::Display for StreamArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for StreamArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, stripped: &str, kind: StreamKind, name: &str) {
        let arn = StreamArn::parse(text).unwrap();
        assert_eq!((arn.as_str(), arn.kind(), arn.name(), arn.region()), (stripped, kind, name, "us-east-1"));
    }

    #[test]
    fn both_kinds_of_stream_are_known_and_a_consumer_is_stripped() {
        let kinesis = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";
        check(kinesis, kinesis, StreamKind::Kinesis, "orders");
        check(&format!("{kinesis}/consumer/app:1789808973"), kinesis, StreamKind::Kinesis, "orders");
        let table = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123";
        check(table, table, StreamKind::DynamoDb, "orders");
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        for bad in [
            "",
            "orders",
            "arn:aws:sqs:us-east-1:111122223333:orders",
            "arn:aws:kinesis:us-east-1:111122223333:stream/",
            "arn:aws:kinesis::111122223333:stream/orders",
            "arn:aws:dynamodb:us-east-1:111122223333:table/orders",
            "arn:aws:dynamodb:us-east-1:111122223333:table//stream/2025",
        ] {
            let error = StreamArn::parse(bad).unwrap_err().to_string();
            assert!(error.contains(&format!("got {bad:?}")), "{error}");
        }
    }
}
