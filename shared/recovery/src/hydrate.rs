//! One on-failure message, from its text to its end.

use crate::{
    Bounds, LossReport, MessageError, OnFailureMessage, RangeError, ReadEnd, RecoveredRecord, Sink, SinkEntry,
    SinkError, StreamReader, Verdict, read_range, verify,
};
use records::{EpochMillis, ShardRange, StreamRecord};
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// Turns on-failure messages into recovered records and loss reports.
#[derive(Debug)]
pub struct Hydrator<R, S> {
    /// Where the records are read.
    pub reader: R,
    /// Where they go.
    pub sink: S,
    /// How far reading may go.
    pub bounds: Bounds,
    /// The processor's role, for the `invokeIdentityArn` of rebuilt Kinesis records; only the fork's owner knows it.
    pub invoke_identity_arn: Option<String>,
}

/// What became of a message: every record of its range is in the sink, or in a loss report that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hydrated {
    /// The message.
    pub message: OnFailureMessage,
    /// What reading the range proved.
    pub verdict: Verdict,
    /// Number of records written to the sink.
    pub recovered: u64,
    /// Number of records that a loss report counts.
    pub lost: u64,
}

/// A message that is not done: it stays on its queue.
#[derive(Debug, Error)]
pub enum HydrateError {
    /// Its body is no on-failure message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Its range could not be read to a provable end.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// Nothing of it is found any more, but its records are too young to be gone: the service's hint alone is no proof.
    #[error("found no end of {range} and no proof that it is trimmed: its records are younger than any retention")]
    Unproven {
        /// The range.
        range: Box<ShardRange>,
    },
    /// A record could not be written as JSON.
    #[error("failed to write a recovered record as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The sink does not have all of it.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

impl<R: StreamReader, S: Sink> Hydrator<R, S> {
    /// Reads the range of one message back, verifies it, and writes what was found and what was not.
    ///
    /// Calling it twice with one message writes the same entries twice, under the same ids.
    ///
    /// # Errors
    ///
    /// When anything keeps a record of the range from being safe; the message then has to come again.
    pub async fn hydrate(&self, body: &str) -> Result<Hydrated, HydrateError> {
        let message = OnFailureMessage::parse(body)?;
        let reading = read_range(&self.reader, &message.range, message.batch_size, self.bounds).await?;
        let (verdict, loss) = verify(&message.range, message.batch_size, &reading);
        if loss.is_some() && reading.end == ReadEnd::TipReached && !message.is_past_retention(now()) {
            return Err(HydrateError::Unproven { range: Box::new(message.range) });
        }
        let too_large = self.write_records(&message, verdict, &reading.records).await?;
        if let Some(loss) = &loss {
            self.sink.write(&[LossReport::new(&message, body, verdict, loss)?.entry()?]).await?;
        }
        if let Some(error) = too_large {
            return Err(error.into());
        }
        let recovered = reading.records.len() as u64;
        let lost = loss.map_or(0, |loss| loss.count);
        Ok(Hydrated { message, verdict, recovered, lost })
    }

    /// Writes in chunks, so that not every record is in memory as JSON beside itself. One that is too large keeps nothing
    /// else from being safe: the error about it is handed back when all others are written.
    async fn write_records(
        &self,
        message: &OnFailureMessage,
        verdict: Verdict,
        records: &[StreamRecord],
    ) -> Result<Option<SinkError>, HydrateError> {
        let role = self.invoke_identity_arn.as_deref();
        let mut too_large = None;
        for chunk in records.chunks(RECORDS_PER_WRITE) {
            let entries = chunk.iter().map(|record| RecoveredRecord::new(message, verdict, record, role)?.entry());
            let entries: Vec<SinkEntry> = entries.collect::<Result<_, _>>()?;
            match self.sink.write(&entries).await {
                Err(error @ SinkError::TooLarge { .. }) => too_large = Some(error),
                written => written?,
            }
        }
        Ok(too_large)
    }
}

/// Records written at once: ten batches of the ten messages that SQS takes.
const RECORDS_PER_WRITE: usize = 100;

fn now() -> EpochMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EpochMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemorySink, MemoryStream};
    use serde_json::Value;

    fn body(start: &str, end: &str, batch_size: u64) -> String {
        format!(
            r#"{{"requestContext":{{"condition":"RetryAttemptsExhausted","requestId":"r-1"}},"KinesisBatchInfo":{{
            "shardId":"shardId-0","startSequenceNumber":"{start}","endSequenceNumber":"{end}","batchSize":{batch_size},
            "streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders"}}}}"#
        )
    }

    #[tokio::test(start_paused = true)]
    async fn the_hint_that_nothing_is_left_proves_a_loss_only_past_the_retention() {
        let trimmed = || MemoryStream::with(&["1", "2"]).trim(2);
        let young = hydrator(trimmed(), MemorySink::default());
        let error = young.hydrate(&body("1", "2", 2)).await.unwrap_err();
        assert!(matches!(error, HydrateError::Unproven { .. }), "{error}");
        assert!(young.sink.entries().is_empty());
        let old = body("1", "2", 2)
            .replace(r#""startSeq"#, r#""approximateArrivalOfLastRecord":"2020-01-01T00:00:00.000Z","startSeq"#);
        let hydrated = hydrator(trimmed(), MemorySink::default()).hydrate(&old).await.unwrap();
        assert_eq!((hydrated.verdict, hydrated.lost), (Verdict::Expired, 2));
    }

    fn hydrator(reader: MemoryStream, sink: MemorySink) -> Hydrator<MemoryStream, MemorySink> {
        Hydrator { reader, sink, bounds: Bounds::default(), invoke_identity_arn: None }
    }

    #[tokio::test]
    async fn a_whole_range_is_in_the_sink_before_its_message_may_go() {
        let hydrator = hydrator(MemoryStream::with(&["1", "2", "3"]), MemorySink::default());
        let hydrated = hydrator.hydrate(&body("1", "2", 2)).await.unwrap();
        assert_eq!((hydrated.verdict, hydrated.recovered, hydrated.lost), (Verdict::Complete, 2, 0));
        let entries = hydrator.sink.entries();
        assert_eq!(entries[1].id, "arn:aws:kinesis:us-east-1:111122223333:stream/orders/shardId-0/2");
        let record: Value = serde_json::from_str(&entries[1].body).unwrap();
        assert_eq!(record["event"]["eventID"], "shardId-0:2");
        assert_eq!(record["source"]["sequenceNumber"], "2");
        assert_eq!((&record["verdict"], &record["certainty"]), (&"complete".into(), &"certain".into()));
        assert_eq!(record["failure"]["requestId"], "r-1");
    }

    #[tokio::test]
    async fn between_the_ends_of_a_superset_records_are_candidates() {
        let hydrator = hydrator(MemoryStream::with(&["1", "2", "3"]), MemorySink::default());
        hydrator.hydrate(&body("1", "3", 2)).await.unwrap();
        let certainty: Vec<String> = hydrator
            .sink
            .entries()
            .iter()
            .map(|entry| serde_json::from_str::<Value>(&entry.body).unwrap()["certainty"].to_string())
            .collect();
        assert_eq!(certainty, [r#""certain""#, r#""candidate""#, r#""certain""#]);
    }

    #[tokio::test]
    async fn what_is_lost_is_reported_in_the_sink() {
        let hydrator = hydrator(MemoryStream::with(&["1", "2", "3", "4"]).trim(2), MemorySink::default());
        let hydrated = hydrator.hydrate(&body("1", "3", 3)).await.unwrap();
        assert_eq!((hydrated.verdict, hydrated.recovered, hydrated.lost), (Verdict::Partial, 1, 2));
        let report: Value = serde_json::from_str(&hydrator.sink.entries()[1].body).unwrap();
        assert_eq!(
            (&report["type"], &report["count"], &report["reason"]),
            (&"loss".into(), &2.into(), &"trimmed".into())
        );
        assert_eq!(report["startSequenceNumber"], "1");
        assert_eq!(report["message"]["KinesisBatchInfo"]["batchSize"], 3);
    }

    #[tokio::test]
    async fn a_record_too_large_for_the_sink_keeps_its_message_and_nothing_else() {
        let reader = MemoryStream::with(&["1", "2", "3", "4"]).trim(1);
        let hydrator = hydrator(reader, MemorySink::refusing("/3"));
        let error = hydrator.hydrate(&body("1", "4", 4)).await.unwrap_err();
        assert!(matches!(error, HydrateError::Sink(SinkError::TooLarge { .. })), "{error}");
        let ids: Vec<String> = hydrator.sink.entries().into_iter().map(|entry| entry.id).collect();
        let end_of = |id: &String| id.rsplit('/').next().map(str::to_owned).unwrap();
        assert_eq!(ids.iter().map(end_of).collect::<Vec<_>>(), ["2", "4", "1-2"], "the loss is reported too");
    }

    #[tokio::test]
    async fn a_sink_that_fails_keeps_the_message() {
        let hydrator = hydrator(MemoryStream::with(&["1"]), MemorySink::failing());
        let error = hydrator.hydrate(&body("1", "1", 1)).await.unwrap_err();
        assert!(matches!(error, HydrateError::Sink(_)), "{error}");
    }
}
