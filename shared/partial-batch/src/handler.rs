//! What a handler is, and what it knows of its record.

use crate::{Deadline, RecordError};
use records::EpochMillis;
use std::fmt;

/// Handles one record. Every `async fn(Payload, RecordContext<'_>) -> Result<(), RecordError>` is one.
///
/// What is to happen around each record is an ordinary wrapper:
///
/// ```
/// use partial_batch::{Handler, RecordContext, RecordError};
///
/// /// Counts what the handler within it refuses.
/// struct Counted<H> { handler: H, refused: std::cell::Cell<u64> }
///
/// impl<P, H: Handler<P>> Handler<P> for Counted<H> {
///     async fn handle(&self, payload: P, context: RecordContext<'_>) -> Result<(), RecordError> {
///         let handled = self.handler.handle(payload, context).await;
///         self.refused.set(self.refused.get() + u64::from(handled.is_err()));
///         handled
///     }
/// }
/// ```
pub trait Handler<P> {
    /// Handles `payload`; `Ok` means that the record is done and will not come again.
    fn handle(&self, payload: P, context: RecordContext<'_>) -> impl Future<Output = Result<(), RecordError>>;
}

impl<P, F> Handler<P> for F
where
    F: AsyncFn(P, RecordContext<'_>) -> Result<(), RecordError>,
{
    async fn handle(&self, payload: P, context: RecordContext<'_>) -> Result<(), RecordError> {
        self(payload, context).await
    }
}

/// What a handler may know of its record beside the payload.
#[derive(Debug, Clone, Copy)]
pub struct RecordContext<'a> {
    pub(crate) id: RecordId<'a>,
    pub(crate) key: &'a str,
    pub(crate) arrival: Option<EpochMillis>,
    pub(crate) attempt: Option<u32>,
    pub(crate) deadline: Deadline,
}

impl<'a> RecordContext<'a> {
    /// Names the record for good: the same in every delivery, and no other record's. It makes a good idempotency key.
    #[must_use]
    pub fn id(&self) -> RecordId<'a> {
        self.id
    }

    /// Position in the shard: decimal digits, exactly as they came.
    #[must_use]
    pub fn sequence_number(&self) -> &'a str {
        self.id.sequence_number
    }

    /// What orders the record: the partition key on Kinesis, the item's key as typed JSON on DynamoDB.
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// When the stream took the record, where it says so.
    #[must_use]
    pub fn arrival(&self) -> Option<EpochMillis> {
        self.arrival
    }

    /// Which attempt this is, counted from 1, as far as this environment knows: it has seen the record fail before.
    /// `None` when it has not, though another environment may have.
    #[must_use]
    pub fn attempt(&self) -> Option<u32> {
        self.attempt
    }

    /// When the engine cancels the record.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }
}

/// Which record: stream, shard, sequence number, and the sub-sequence number where a producer packed many into one.
///
/// Displayed with slashes in between, as in `arn:aws:kinesis:...:stream/orders/shardId-000000000006/4959.../2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordId<'a> {
    /// The stream's ARN; empty where the event does not say.
    pub stream: &'a str,
    /// The shard; of a table's stream, whose records do not name it, the change's own id. Empty where the event does not
    /// say.
    pub origin: &'a str,
    /// Position in the shard: decimal digits, exactly as they came.
    pub sequence_number: &'a str,
    /// Position in the aggregated record, counted from 0.
    pub sub_sequence_number: Option<u32>,
}

impl fmt::Display for RecordId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.stream, self.origin, self.sequence_number)?;
        self.sub_sequence_number.map_or(Ok(()), |sub| write!(f, "/{sub}"))
    }
}
