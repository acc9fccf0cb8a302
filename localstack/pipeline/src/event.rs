//! The JSON of an invocation.

use crate::Site;
use aws_edge::queue::ReceivedMessage;
use bytes::Bytes;
use event_source_mapping::StreamRecord;
use records::{EpochMillis, FilterCriteria, SequenceNumber, ShardId, StreamArn, StreamKind};
use serde_json::json;
use serde_json::value::RawValue;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A record as the mapping holds it: read once from the stream, and written once as Lambda delivers it.
#[derive(Debug, Clone)]
pub(crate) struct PolledRecord {
    pub record: Arc<records::StreamRecord>,
    delivered: Box<RawValue>,
    arrival: EpochMillis,
}

impl PolledRecord {
    /// Takes a record that was read at `now`, which stands in where the stream gives no time of arrival.
    pub fn new(
        record: records::StreamRecord,
        stream: &StreamArn,
        shard: &ShardId,
        role: &str,
        now: EpochMillis,
    ) -> Result<Self, serde_json::Error> {
        let delivered = record.delivered(stream, shard, Some(role))?;
        let arrival = record.arrival().unwrap_or(now);
        Ok(Self { record: Arc::new(record), delivered, arrival })
    }
}

impl StreamRecord for PolledRecord {
    fn sequence_number(&self) -> &SequenceNumber {
        self.record.sequence_number()
    }

    fn arrival(&self) -> EpochMillis {
        self.arrival
    }

    fn payload_bytes(&self) -> usize {
        self.delivered.get().len()
    }

    fn key_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.record.key().hash(&mut hasher);
        hasher.finish()
    }

    fn passes(&self, kind: StreamKind, filters: &FilterCriteria) -> bool {
        serde_json::from_str(self.delivered.get()).is_ok_and(|delivered| filters.passes(kind, &delivered))
    }
}

/// `{"Records":[...]}` of records that are JSON already.
pub(crate) fn stream_event<'a>(records: impl Iterator<Item = &'a PolledRecord>) -> Bytes {
    let mut event = String::from("{\"Records\":[");
    for (index, record) in records.enumerate() {
        if index > 0 {
            event.push(',');
        }
        event.push_str(record.delivered.get());
    }
    event.push_str("]}");
    event.into()
}

/// The event with which Lambda hands over messages of a queue.
pub(crate) fn queue_event(messages: &[QueuedMessage], queue_arn: &str, site: &Site) -> Bytes {
    let records: Vec<_> = messages
        .iter()
        .map(|QueuedMessage(message)| {
            json!({
                "messageId": message.message_id,
                "receiptHandle": message.receipt_handle,
                "body": message.body,
                "attributes": {
                    "ApproximateReceiveCount": message.receive_count.to_string(),
                    "SentTimestamp": message.sent_at.0.to_string(),
                    "SenderId": site.account,
                    "ApproximateFirstReceiveTimestamp": message.sent_at.0.to_string(),
                },
                "messageAttributes": {},
                "md5OfBody": message.md5_of_body,
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": site.region,
            })
        })
        .collect();
    json!({ "Records": records }).to_string().into()
}

/// A message as the queue's mapping holds it.
#[derive(Debug, Clone)]
pub(crate) struct QueuedMessage(pub ReceivedMessage);

impl event_source_mapping::sqs::QueueMessage for QueuedMessage {
    fn message_id(&self) -> &str {
        &self.0.message_id
    }

    fn payload_bytes(&self) -> usize {
        // The envelope around the body is a few hundred bytes of JSON.
        self.0.body.len() + 1_024
    }
}

/// The time, as streams and mappings count it.
pub(crate) fn now() -> EpochMillis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    EpochMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Waits until `time`.
pub(crate) async fn sleep_until(time: EpochMillis) {
    let wait_ms = u64::try_from(time.0.saturating_sub(now().0)).unwrap_or(0);
    tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
}
