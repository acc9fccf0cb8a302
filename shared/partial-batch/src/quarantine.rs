//! The quarantine: invalid records go to a sink at once, in the envelope of recovered records, and their batch goes on.

use crate::{Deadline, RecordError, RecordId};
use records::{EpochMillis, EventError, split_records};
use recovery::{QuarantinedRecord, RecoveredRecord, Sink, SinkEntry, SinkError};
use serde_json::value::RawValue;
use std::cell::OnceCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The longest that one write may take. A queue answers in milliseconds; within this a lost connection is tried again.
const WRITE_MAX: Duration = Duration::from_secs(5);

/// Takes invalid records.
pub struct Quarantine(Box<WriteEntry>);

type WriteEntry = dyn Fn(SinkEntry) -> Pin<Box<dyn Future<Output = Result<(), SinkError>>>>;

impl Quarantine {
    /// A quarantine that writes to the sink.
    #[must_use]
    pub fn new(sink: impl Sink + 'static) -> Self {
        let sink = Arc::new(sink);
        Self(Box::new(move |entry| {
            let sink = Arc::clone(&sink);
            Box::pin(async move { sink.write(&[entry]).await })
        }))
    }

    /// Writes one record. A record that is not safe in the sink has to come again, whatever is wrong with it.
    ///
    /// A sink that is silent has half of the time that is left: it must not look like a record that takes too long.
    pub(crate) async fn take(
        &self,
        record: &Quarantined<'_>,
        event: Box<RawValue>,
        deadline: Deadline,
    ) -> Result<(), RecordError> {
        let entry = record.envelope(event).entry();
        let entry = entry.map_err(|_| RecordError::retryable("failed to write the invalid record as JSON"))?;
        let bound = WRITE_MAX.min(deadline.stop_at().saturating_duration_since(Instant::now()) / 2);
        let written = match timeout(bound, self.0(entry)).await {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(_) => Err(format!("the sink did not answer within {} ms", bound.as_millis())),
        };
        written.map_err(|error| {
            let reason = record.error;
            RecordError::retryable(format_args!(
                "failed to quarantine the record, which is invalid ({reason}): {error}"
            ))
        })
    }
}

impl fmt::Debug for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quarantine")
    }
}

/// The event that a batch came in, as far as a record in quarantine needs it.
pub(crate) struct EventOrigin<'a> {
    event: &'a [u8],
    records: OnceCell<Result<Vec<&'a RawValue>, EventError>>,
    pub function_arn: &'a str,
    pub request_id: &'a str,
}

impl<'a> EventOrigin<'a> {
    pub fn new(event: &'a [u8], function_arn: &'a str, request_id: &'a str) -> Self {
        Self { event, records: OnceCell::new(), function_arn, request_id }
    }

    /// The JSON of a record, exactly as Lambda delivered it. The event is split when the first one is asked for.
    pub fn record(&self, index: usize) -> Option<&'a RawValue> {
        self.records.get_or_init(|| split_records(self.event)).as_ref().ok()?.get(index).copied()
    }
}

/// An invalid record.
pub(crate) struct Quarantined<'a> {
    pub id: RecordId<'a>,
    pub shard: Option<&'a str>,
    pub key: &'a str,
    pub arrival: Option<EpochMillis>,
    pub error: &'a RecordError,
    pub function_arn: &'a str,
    pub request_id: &'a str,
}

impl Quarantined<'_> {
    fn envelope(&self, event: Box<RawValue>) -> RecoveredRecord {
        let reason = self.error.to_string();
        RecoveredRecord::quarantined(QuarantinedRecord {
            stream_arn: self.id.stream,
            shard_id: self.shard,
            sequence_number: self.id.sequence_number,
            sub_sequence_number: self.id.sub_sequence_number.map(u64::from),
            arrival: self.arrival,
            key: self.key,
            function_arn: self.function_arn,
            request_id: self.request_id,
            reason: &reason,
            event,
        })
    }
}

#[cfg(test)]
mod tests;
