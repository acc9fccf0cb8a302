//! Messages that bring their records along: then no stream has to be read.

use super::delivery::Delivery;
use super::{HydrateError, Hydrator, Outcome};
use crate::Account;
use crate::{
    Certainty, Found, OnFailureMessage, RangeSink, ReadEnd, RecoveredRecord, StreamReader, Surroundings, Verdict,
    verify,
};
use records::{EpochMillis, SequenceNumber, StreamKind, split_records};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A record as Lambda delivered it, as far as it has to be known.
pub(crate) struct PayloadRecord<'p> {
    pub sequence_number: SequenceNumber,
    pub arrival: Option<EpochMillis>,
    /// The partition key, or the item's key as typed JSON.
    pub key: String,
    pub event: &'p RawValue,
}

#[derive(Deserialize)]
struct Kinesis<'p> {
    #[serde(borrow)]
    kinesis: KinesisData<'p>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KinesisData<'p> {
    #[serde(borrow)]
    sequence_number: std::borrow::Cow<'p, str>,
    partition_key: Option<String>,
    approximate_arrival_timestamp: Option<f64>,
}

#[derive(Deserialize)]
struct DynamoDb<'p> {
    #[serde(borrow)]
    dynamodb: DynamoDbData<'p>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DynamoDbData<'p> {
    #[serde(borrow)]
    sequence_number: std::borrow::Cow<'p, str>,
    #[serde(borrow)]
    keys: Option<&'p RawValue>,
    approximate_creation_date_time: Option<f64>,
}

impl<'p> PayloadRecord<'p> {
    fn read(kind: StreamKind, event: &'p RawValue) -> Option<Self> {
        let (number, key, arrival) = match kind {
            StreamKind::Kinesis => {
                let data = serde_json::from_str::<Kinesis<'p>>(event.get()).ok()?.kinesis;
                (data.sequence_number, data.partition_key.unwrap_or_default(), data.approximate_arrival_timestamp)
            }
            StreamKind::DynamoDb => {
                let data = serde_json::from_str::<DynamoDb<'p>>(event.get()).ok()?.dynamodb;
                let key = data.keys.map(|keys| keys.get().to_owned()).unwrap_or_default();
                (data.sequence_number, key, data.approximate_creation_date_time)
            }
        };
        let arrival = arrival.map(|seconds| EpochMillis((seconds * 1_000.0).round() as i64));
        Some(Self { sequence_number: SequenceNumber::parse(&number).ok()?, arrival, key, event })
    }
}

impl<R: StreamReader, S: RangeSink, A: Surroundings> Hydrator<R, S, A> {
    /// Writes the records that the message holds. `None` where it holds none, or not exactly the batch that it names: then
    /// the stream is read.
    pub(super) async fn deliver_payload(&self, message: &OnFailureMessage) -> Option<Outcome> {
        let payload = message.payload.as_deref()?;
        let Some(records) = whole_batch(message, payload) else {
            let range = &message.range;
            tracing::warn!(%range, "the message's payload is not the batch that it names: its stream is read");
            return None;
        };
        let mut delivery = Delivery::new(0, message, &self.sink);
        let certain = |record: &PayloadRecord<'_>| {
            RecoveredRecord::of_payload(message, Verdict::Complete, Certainty::Certain, record).entry()
        };
        delivery.write_entries(records.iter().map(certain), None).await;
        let account = Account::at_end(Verdict::Complete, message.batch_size, 0, delivery.written(), 0);
        let closed: Result<(), HydrateError> = delivery.close(Verdict::Complete, None).await;
        Some(closed.map_or_else(Outcome::Stays, |()| Outcome::Done(account)))
    }
}

fn whole_batch<'p>(message: &OnFailureMessage, payload: &'p str) -> Option<Vec<PayloadRecord<'p>>> {
    let kind = message.range.stream().kind();
    let records = split_records(payload.as_bytes()).ok()?;
    let records: Vec<_> = records.into_iter().map(|event| PayloadRecord::read(kind, event)).collect::<Option<_>>()?;
    let position = |record: Option<&'_ PayloadRecord<'p>>| record.map(|record| record.sequence_number.clone());
    let (first, last) = (position(records.first()), position(records.last()));
    let (first, last) = (first.as_ref(), last.as_ref());
    let found = Found { count: records.len() as u64, first, last, gaps: &[], end: ReadEnd::EndSeen };
    let (verdict, _) = verify(message.range.start(), message.range.end(), message.batch_size, &found);
    (verdict == Verdict::Complete).then_some(records)
}
