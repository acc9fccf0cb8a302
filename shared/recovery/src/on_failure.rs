//! What Lambda says of the batch it gave up.

use jiff::Timestamp;
use records::{EpochMillis, SequenceNumber, ShardId, ShardRange, StreamArn, StreamKind};
use serde_json::Value;
use thiserror::Error;

/// AWS's largest `BatchSize`. A message that claims more is none of Lambda's, and must not make a loss of the difference.
const BATCH_SIZE_MAX: u64 = 10_000;

/// An on-failure message: which records Lambda gave up, and why. It holds no payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnFailureMessage {
    /// From the first record given up to the last, both inclusive.
    pub range: ShardRange,
    /// Number of records in the failed batch. The range can hold more of them, or fewer.
    pub batch_size: u64,
    /// When about the stream took the last record of the batch, where the message says so.
    pub last_arrival: Option<EpochMillis>,
    /// Why.
    pub failure: Failure,
}

/// An object that holds an on-failure message with its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// The bucket's name.
    pub bucket: String,
    /// The key, as it is.
    pub key: String,
    /// Which version, where the bucket has them.
    pub version_id: Option<String>,
    /// Size in bytes, where it is known.
    pub size_bytes: Option<u64>,
}

/// Why Lambda gave up. Nothing in it is needed to recover the records, so nothing in it is required.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// `RetryAttemptsExhausted`, `RecordAgeExceeded`, or another: the set is open.
    pub condition: Option<String>,
    /// The function, with its version or alias where the mapping names one.
    pub function_arn: Option<String>,
    /// The last invocation's request id.
    pub request_id: Option<String>,
    /// About how often the function was invoked with the batch.
    pub approximate_invoke_count: Option<u64>,
    /// `Unhandled` when the function threw; absent when its responses named failures.
    pub function_error: Option<String>,
}

/// A text is no on-failure message. The message says what was expected and at which path; it quotes nothing.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected an on-failure message of a stream: {expected} at `{path}`, got {got}")]
pub struct MessageError {
    path: String,
    expected: String,
    got: String,
}

impl OnFailureMessage {
    /// Parses the body of a message, of either kind of stream.
    ///
    /// # Errors
    ///
    /// When the text is no JSON or a field that names the range is missing or malformed.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        let message: Value = serde_json::from_str(body).map_err(|error| MessageError {
            path: "$".to_owned(),
            expected: "a JSON object".to_owned(),
            got: format!("malformed JSON at line {} column {}", error.line(), error.column()),
        })?;
        let (info, kind) = batch_info(&message)?;
        let stream = info.parsed("streamArn", "the ARN of a stream", StreamArn::parse)?;
        if stream.kind() != kind {
            return Err(info.error("streamArn", "the ARN of a stream of the same kind", "one of the other kind"));
        }
        let range = ShardRange::new(
            stream,
            info.parsed("shardId", "a shard id", ShardId::parse)?,
            info.parsed("startSequenceNumber", "decimal digits", SequenceNumber::parse)?,
            info.parsed("endSequenceNumber", "decimal digits", SequenceNumber::parse)?,
        )
        .map_err(|_| info.error("endSequenceNumber", "a position at or after the start", "one before it"))?;
        let batch_size = info.field("batchSize")?.as_u64().filter(|size| (1..=BATCH_SIZE_MAX).contains(size));
        let batch_size =
            batch_size.ok_or_else(|| info.error("batchSize", "a number from 1 to 10000", "something else"))?;
        let last_arrival = info.value.get("approximateArrivalOfLastRecord").and_then(Value::as_str);
        let last_arrival = last_arrival.and_then(|text| text.parse::<Timestamp>().ok());
        let last_arrival = last_arrival.map(|moment| EpochMillis(moment.as_millisecond()));
        Ok(Self { range, batch_size, last_arrival, failure: failure(&message) })
    }

    /// Whether the records are so old that the shortest retention is over. Without a time of arrival nothing is known.
    pub(crate) fn is_past_retention(&self, now: EpochMillis) -> bool {
        self.last_arrival.is_some_and(|arrival| now.0 - arrival.0 >= SHORTEST_RETENTION_MS)
    }
}

/// 24 hours: what DynamoDB Streams keeps, and the least that Kinesis can be told to.
const SHORTEST_RETENTION_MS: i64 = 24 * 60 * 60 * 1_000;

/// The object that names the range, and which kind of stream it is of.
fn batch_info(message: &Value) -> Result<(Object<'_>, StreamKind), MessageError> {
    let kinds = [("KinesisBatchInfo", StreamKind::Kinesis), ("DDBStreamBatchInfo", StreamKind::DynamoDb)];
    for (name, kind) in kinds {
        match message.get(name) {
            Some(info @ Value::Object(_)) => return Ok((Object { path: format!("$.{name}"), value: info }, kind)),
            None | Some(Value::Null) => {}
            Some(other) => {
                return Err(MessageError {
                    path: format!("$.{name}"),
                    expected: "an object".to_owned(),
                    got: type_name(other).to_owned(),
                });
            }
        }
    }
    Err(MessageError {
        path: "$".to_owned(),
        expected: "an object with `KinesisBatchInfo` or `DDBStreamBatchInfo`".to_owned(),
        got: match message {
            Value::Object(_) => "an object without either".to_owned(),
            other => type_name(other).to_owned(),
        },
    })
}

fn failure(message: &Value) -> Failure {
    let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Failure {
        condition: text("/requestContext/condition"),
        function_arn: text("/requestContext/functionArn"),
        request_id: text("/requestContext/requestId"),
        approximate_invoke_count: message.pointer("/requestContext/approximateInvokeCount").and_then(Value::as_u64),
        function_error: text("/responseContext/functionError"),
    }
}

/// An object of the message, and where it stands.
struct Object<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Object<'a> {
    fn field(&self, name: &str) -> Result<&'a Value, MessageError> {
        self.value.get(name).ok_or_else(|| self.error(name, "a value", "none"))
    }

    fn parsed<T, E>(&self, name: &str, expected: &str, parse: fn(&str) -> Result<T, E>) -> Result<T, MessageError> {
        let value = self.field(name)?;
        let text = value.as_str().ok_or_else(|| self.error(name, expected, type_name(value)))?;
        parse(text).map_err(|_| self.error(name, expected, "another string"))
    }

    fn error(&self, name: &str, expected: &str, got: &str) -> MessageError {
        MessageError { path: format!("{}.{name}", self.path), expected: expected.to_owned(), got: got.to_owned() }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINESIS: &str = r#"{"requestContext":{"requestId":"r-1",
        "functionArn":"arn:aws:lambda:us-east-1:111122223333:function:orders","condition":"RetryAttemptsExhausted",
        "approximateInvokeCount":4},
        "responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
        "version":"1.0","timestamp":"2025-11-25T16:27:42.021Z",
        "KinesisBatchInfo":{"shardId":"shardId-000000000001","startSequenceNumber":"9","endSequenceNumber":"10",
        "approximateArrivalOfFirstRecord":"2025-11-25T16:27:01.000Z",
        "approximateArrivalOfLastRecord":"2025-11-25T16:27:01.100Z","batchSize":2,
        "streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders"}}"#;

    #[test]
    fn a_kinesis_message_is_read() {
        let message = OnFailureMessage::parse(KINESIS).unwrap();
        assert_eq!((message.range.start().as_str(), message.range.end().as_str()), ("9", "10"));
        assert_eq!((message.range.shard().as_str(), message.batch_size), ("shardId-000000000001", 2));
        assert_eq!(message.failure.condition.as_deref(), Some("RetryAttemptsExhausted"));
        assert_eq!(message.failure.approximate_invoke_count, Some(4));
        let arrival = EpochMillis(1_764_088_021_100);
        assert_eq!(message.last_arrival, Some(arrival));
        assert!(message.is_past_retention(EpochMillis(arrival.0 + 86_400_000)));
        assert!(!message.is_past_retention(EpochMillis(arrival.0 + 86_399_999)));
        assert_eq!(message.failure.function_error.as_deref(), Some("Unhandled"));
    }

    #[test]
    fn a_dynamodb_message_without_a_response_and_with_another_condition_is_read() {
        let body = r#"{"requestContext":{"condition":"SomethingNew"},"DDBStreamBatchInfo":{
            "shardId":"shardId-00000001573689847184-864758bb","startSequenceNumber":"100","endSequenceNumber":"100",
            "batchSize":1,"streamArn":
            "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123"}}"#;
        let message = OnFailureMessage::parse(body).unwrap();
        assert_eq!(message.range.stream().kind(), StreamKind::DynamoDb);
        assert_eq!(message.failure.condition.as_deref(), Some("SomethingNew"));
        assert_eq!(message.failure.request_id, None);
    }

    #[test]
    fn an_enhanced_fan_out_consumer_leads_to_its_stream() {
        let body = KINESIS.replace("stream/orders", "stream/orders/consumer/app:1789808973");
        let message = OnFailureMessage::parse(&body).unwrap();
        assert_eq!(message.range.stream().as_str(), "arn:aws:kinesis:us-east-1:111122223333:stream/orders");
    }

    #[test]
    fn what_is_no_message_says_what_was_expected_and_where() {
        let error = |from: &str, to: &str| {
            assert!(KINESIS.contains(from), "{from} is not in the message");
            OnFailureMessage::parse(&KINESIS.replace(from, to)).unwrap_err().to_string()
        };
        for (from, to, path) in [
            ("\"9\"", "9", "$.KinesisBatchInfo.startSequenceNumber"),
            ("\"9\"", "\"nine\"", "$.KinesisBatchInfo.startSequenceNumber"),
            ("\"9\"", "\"11\"", "$.KinesisBatchInfo.endSequenceNumber"),
            ("\"shardId\"", "\"shard\"", "$.KinesisBatchInfo.shardId"),
            ("\"batchSize\":2", "\"batchSize\":0", "$.KinesisBatchInfo.batchSize"),
            ("\"batchSize\":2", "\"batchSize\":10001", "$.KinesisBatchInfo.batchSize"),
            ("\"batchSize\":2", "\"batchSize\":\"2\"", "$.KinesisBatchInfo.batchSize"),
            ("arn:aws:kinesis", "arn:aws:sqs", "$.KinesisBatchInfo.streamArn"),
            ("KinesisBatchInfo", "DDBStreamBatchInfo", "$.DDBStreamBatchInfo.streamArn"),
            ("KinesisBatchInfo", "OtherInfo", "$"),
        ] {
            let message = error(from, to);
            assert!(message.contains(&format!("at `{path}`")), "{message}");
        }
        for body in ["", "hello", "[]", "5", r#"{"KinesisBatchInfo":5}"#] {
            assert!(OnFailureMessage::parse(body).is_err(), "{body} was accepted");
        }
    }
}
