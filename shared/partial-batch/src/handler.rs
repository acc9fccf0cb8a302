//! What a handler is, and what it knows of its record.

use crate::{Deadline, RecordError};
use records::{EpochMillis, SequenceNumber};

/// Handles one record. Every `async fn(Payload, RecordContext) -> Result<(), RecordError>` is one.
pub trait Handler<P> {
    /// Handles `payload`; `Ok` means that the record is done and will not come again.
    fn handle(&self, payload: P, context: RecordContext) -> impl Future<Output = Result<(), RecordError>>;
}

impl<P, F, Fut> Handler<P> for F
where
    F: Fn(P, RecordContext) -> Fut,
    Fut: Future<Output = Result<(), RecordError>>,
{
    fn handle(&self, payload: P, context: RecordContext) -> impl Future<Output = Result<(), RecordError>> {
        self(payload, context)
    }
}

/// What a handler may know of its record beside the payload.
#[derive(Debug, Clone)]
pub struct RecordContext {
    pub(crate) sequence_number: SequenceNumber,
    pub(crate) key: String,
    pub(crate) arrival: Option<EpochMillis>,
    pub(crate) deadline: Deadline,
}

impl RecordContext {
    /// Position in the shard: with the stream and the shard it names the record for good, so it makes a good
    /// idempotency key.
    #[must_use]
    pub fn sequence_number(&self) -> &SequenceNumber {
        &self.sequence_number
    }

    /// What orders the record: the partition key on Kinesis, the item's key as typed JSON on DynamoDB.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// When the stream took the record, where it says so.
    #[must_use]
    pub fn arrival(&self) -> Option<EpochMillis> {
        self.arrival
    }

    /// When the engine cancels the record.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }
}
