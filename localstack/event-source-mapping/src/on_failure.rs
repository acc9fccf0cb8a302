//! The message that tells the on-failure destination which records were given up.

use crate::timing::fnv1a;
use crate::{Batch, Settings, StreamRecord};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use records::{EpochMillis, SequenceNumber, ShardId, StreamKind};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// The body of the SQS message, in the key order that was recorded. It names a range and holds no payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnFailureMessage {
    /// Which invocation gave up, and why.
    pub request_context: RequestContext,
    /// How the last invocation ended. Absent for records too old (recorded) or too large (captured).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_context: Option<ResponseContext>,
    /// Always `1.0`.
    pub version: &'static str,
    /// When the message was made.
    #[serde(serialize_with = "in_milliseconds")]
    pub timestamp: EpochMillis,
    /// The records, under the key of their service.
    #[serde(flatten)]
    pub batch_info: BatchInfo,
}

/// How the message reaches a destination that is no queue.
impl OnFailureMessage {
    /// The message as a bucket gets it: with the whole event as a JSON text in `payload` (documented).
    ///
    /// # Errors
    ///
    /// When JSON cannot be written, which these types do not do.
    pub fn with_payload(&self, event: &str) -> Result<Value, serde_json::Error> {
        let mut body = serde_json::to_value(self)?;
        body["payload"] = event.into();
        Ok(body)
    }

    /// The key of the object: `aws/lambda/<mapping uuid>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>` (recorded). The
    /// second uuid, which Lambda draws, is derived from the message, so that each message has its own.
    #[must_use]
    pub fn object_key(&self, mapping_uuid: &str) -> String {
        let range = self.batch_info.range();
        let time = timestamp(self.timestamp).to_zoned(TimeZone::UTC);
        let name = format!("{}{}", self.request_context.request_id, range.start_sequence_number.as_str());
        let (day, second) = (time.strftime("%Y/%m/%d"), time.strftime("%Y-%m-%dT%H.%M.%S"));
        let shard = range.shard_id.as_str();
        format!("aws/lambda/{mapping_uuid}/{shard}/{day}/{second}-{}", derived_uuid(name.as_bytes()))
    }

    /// The message as a queue gets it that a topic forwards to without raw delivery: a notification that holds it as a
    /// text (recorded). The signature, which nobody here could check, is left out.
    ///
    /// # Errors
    ///
    /// When JSON cannot be written, which these types do not do.
    pub fn notification(&self, topic_arn: &str) -> Result<Value, serde_json::Error> {
        let message = serde_json::to_string(self)?;
        Ok(json!({
            "Type": "Notification",
            "MessageId": derived_uuid(message.as_bytes()),
            "TopicArn": topic_arn,
            "Message": message,
            "Timestamp": format!("{:.3}", timestamp(self.timestamp)),
        }))
    }
}

/// A uuid that is the same for the same text.
#[must_use]
pub fn derived_uuid(text: &[u8]) -> String {
    let halves = [fnv1a(0, text), fnv1a(1, text)].map(u64::to_be_bytes).concat();
    let bytes = <[u8; 16]>::try_from(halves).unwrap_or_default();
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Which invocation gave up, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    /// The last invocation's id, or one made up if there was none.
    pub request_id: String,
    /// The function, with its alias if it has one.
    pub function_arn: Box<str>,
    /// Why the records were given up.
    pub condition: Condition,
    /// How often they were tried; 1 for records too old even if they never were (recorded).
    pub approximate_invoke_count: u32,
}

/// Why records were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Condition {
    /// Each retry failed.
    RetryAttemptsExhausted,
    /// They were older than `MaximumRecordAgeInSeconds` before an invocation.
    RecordAgeExceeded,
}

impl Condition {
    /// The word in the message.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}

/// How the last invocation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseContext {
    /// 200: that of the Invoke call, which a failing function does not change.
    pub status_code: u16,
    /// `$LATEST`, or a version.
    pub executed_version: Box<str>,
    /// `Unhandled` when the function threw, crashed or timed out, `null` when its response failed the batch (recorded).
    pub function_error: Option<&'static str>,
}

/// The records, under the key of their service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum BatchInfo {
    /// Of a Kinesis stream.
    #[serde(rename = "KinesisBatchInfo")]
    Kinesis(FailedRange),
    /// Of a DynamoDB stream.
    #[serde(rename = "DDBStreamBatchInfo")]
    DynamoDb(FailedRange),
}

impl BatchInfo {
    /// The range, whichever service it belongs to.
    #[must_use]
    pub fn range(&self) -> &FailedRange {
        match self {
            Self::Kinesis(range) | Self::DynamoDb(range) => range,
        }
    }
}

/// The records of one shard that were given up, `[start, end]` inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedRange {
    /// The shard.
    #[serde(serialize_with = "shard_as_text")]
    pub shard_id: ShardId,
    /// The first record.
    pub start_sequence_number: SequenceNumber,
    /// The last record.
    pub end_sequence_number: SequenceNumber,
    /// When the first record arrived.
    pub approximate_arrival_of_first_record: String,
    /// When the last record arrived.
    pub approximate_arrival_of_last_record: String,
    /// How many records were given up.
    pub batch_size: usize,
    /// The stream, or its consumer with enhanced fan-out.
    pub stream_arn: Box<str>,
}

impl FailedRange {
    /// Describes `batch`, or nothing if it is empty.
    pub(crate) fn of<R: StreamRecord>(batch: Batch<'_, R>, shard_id: &ShardId, settings: &Settings) -> Option<Self> {
        let (first, last) = (batch.get(0)?, batch.get(batch.len() - 1)?);
        let arrival = |record: &R| match settings.stream().kind() {
            StreamKind::Kinesis => format!("{:.3}", timestamp(record.arrival())),
            StreamKind::DynamoDb => format!("{:.0}", timestamp(record.arrival())),
        };
        Some(Self {
            shard_id: shard_id.clone(),
            start_sequence_number: first.sequence_number().clone(),
            end_sequence_number: last.sequence_number().clone(),
            approximate_arrival_of_first_record: arrival(first),
            approximate_arrival_of_last_record: arrival(last),
            batch_size: batch.len(),
            stream_arn: settings.event_source_arn().into(),
        })
    }

    /// Puts the range under the key of its service.
    pub(crate) fn into_info(self, kind: StreamKind) -> BatchInfo {
        match kind {
            StreamKind::Kinesis => BatchInfo::Kinesis(self),
            StreamKind::DynamoDb => BatchInfo::DynamoDb(self),
        }
    }
}

fn in_milliseconds<S: Serializer>(time: &EpochMillis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{:.3}", timestamp(*time)))
}

fn shard_as_text<S: Serializer>(shard: &ShardId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(shard.as_str())
}

/// The moment, which only a time in the year 10,000 would not have; that one becomes the last moment there is.
fn timestamp(time: EpochMillis) -> Timestamp {
    Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::MAX)
}
