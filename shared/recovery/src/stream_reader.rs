//! How streams are read: the two calls that both kinds have.

use records::{EpochMillis, SequenceNumber, ShardId, StreamArn, StreamRecord};
use std::fmt;
use std::time::Duration;

/// Reads records of a shard, page by page.
pub trait StreamReader {
    /// Asks for an iterator. Kinesis lets it live 5 minutes, DynamoDB 15.
    fn iterator(
        &self,
        stream: &StreamArn,
        shard: &ShardId,
        position: &Position,
    ) -> impl Future<Output = Result<ShardIterator, ReadError>> + Send;

    /// Reads the next page of at most `limit` records. A page can be empty and more can follow.
    fn page(
        &self,
        stream: &StreamArn,
        iterator: &ShardIterator,
        limit: u32,
    ) -> impl Future<Output = Result<Page, ReadError>> + Send;

    /// What is known of the stream itself.
    fn summary(&self, stream: &StreamArn) -> impl Future<Output = Result<StreamSummary, ReadError>> + Send;
}

/// What is known of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSummary {
    /// How long it keeps a record: 24 hours on DynamoDB, up to a year on Kinesis.
    pub retention: Duration,
    /// When it was created, where another could have its name: a table's stream has its creation in its ARN.
    pub created: Option<EpochMillis>,
}

/// Where reading begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// At this record.
    At(SequenceNumber),
    /// Behind this record.
    After(SequenceNumber),
    /// At the oldest record left.
    TrimHorizon,
    /// Behind the newest record.
    Latest,
}

/// An opaque token of the service.
#[derive(Clone, PartialEq, Eq)]
pub struct ShardIterator(pub String);

impl fmt::Debug for ShardIterator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShardIterator({} characters)", self.0.len())
    }
}

/// One answer of GetRecords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Records in order; may be empty.
    pub records: Vec<StreamRecord>,
    /// How to go on; `None` at the end of a closed shard.
    pub next: Option<ShardIterator>,
    /// The service's hint that nothing newer is there. It is a hint: no proof rests on it alone.
    pub at_tip: bool,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// What a reader can do about it.
    pub kind: ReadErrorKind,
    /// Operation, object and the service's own words.
    pub message: String,
}

/// What a failed call means, by the service's error code and never by its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadErrorKind {
    /// The iterator is too old: take a new one behind the last record read.
    ExpiredIterator,
    /// Asked too often: ask again later. A reader does not do so by itself, since only the hydrator knows its deadline
    /// and counts what it meets.
    Throttled,
    /// The network, a time-out, or the service itself: the same call may succeed.
    Transient,
    /// The position is older than what the stream still holds (DynamoDB).
    Trimmed,
    /// The stream or the shard is not there any more.
    Gone,
    /// The position belongs to another shard, or to a stream of the same name that was deleted.
    ForeignPosition,
    /// Anything else, such as permissions.
    Other,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}
