//! Where recovered records go.

use thiserror::Error;

/// Takes recovered records and loss reports.
pub trait Sink {
    /// Writes all entries, or says which could not be written.
    ///
    /// An entry is safe when this returns `Ok`; on an error some may have been written. Writing one twice is harmless
    /// for whoever reads by [`SinkEntry::id`].
    fn write(&self, entries: &[SinkEntry]) -> impl Future<Output = Result<(), SinkError>> + Send;
}

/// Takes what belongs together: the records of one range, and then its loss report.
///
/// Every [`Sink`] is one. A sink that makes one object of a range is one by itself.
pub trait RangeSink {
    /// Writes one range.
    type Writer<'s>: RangeWriter + Send
    where
        Self: 's;

    /// Begins to write. Nothing is asked of a service before there is an entry. Of a name that is opened a second time,
    /// in another attempt, the last one that is closed stands.
    fn open<'s>(&'s self, name: &RangeName) -> Self::Writer<'s>;
}

/// Writes one range, piece by piece. Dropped, it leaves what was written, or nothing.
pub trait RangeWriter {
    /// Writes the next entries, or says which could not be written.
    fn write(&mut self, entries: &[SinkEntry]) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Ends the range. What was written is safe when this returns `Ok`.
    fn close(self) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Gives the range up: it will be written again from its start. What a sink keeps of it costs somebody something.
    fn abort(self) -> impl Future<Output = ()> + Send;
}

impl<S: Sink + Sync> RangeSink for S {
    type Writer<'s>
        = EntryByEntry<'s, S>
    where
        S: 's;

    fn open<'s>(&'s self, _: &RangeName) -> EntryByEntry<'s, S> {
        EntryByEntry(self)
    }
}

/// Writes to a sink whose entries are safe one by one.
#[derive(Debug)]
pub struct EntryByEntry<'s, S>(&'s S);

impl<S: Sink + Sync> RangeWriter for EntryByEntry<'_, S> {
    async fn write(&mut self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        self.0.write(entries).await
    }

    async fn close(self) -> Result<(), SinkError> {
        Ok(())
    }

    async fn abort(self) {}
}

/// Names a range for good, as a path: kind, region, account and name of the stream, shard, start and end, and the function
/// that gave it up. `kinesis/us-east-1/111122223333/orders/shardId-000000000001/4960...-4961.../orders`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RangeName(String);

impl RangeName {
    /// A name. Characters that are no letter, digit, `.`, `_`, `-`, `:` or `/` become `-`.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-:/".contains(c) { c } else { '-' };
        Self(path.chars().map(plain).collect())
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One message for the sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkEntry {
    /// Names what it is about for good: stream ARN, shard and sequence number, with the sub-sequence number of what an
    /// aggregate holds; or a loss's bounds.
    pub id: String,
    /// What keeps its order: the stream and the record's key. Entries of one group stay in order where the sink has any.
    pub group: String,
    /// JSON.
    pub body: String,
}

/// Entries that are not safe.
#[derive(Debug, Error)]
pub enum SinkError {
    /// They are larger than what the sink takes. The others were written.
    #[error("{count} of {of} records do not fit into the sink's messages of {limit} bytes: the largest has {largest}")]
    TooLarge {
        /// Number of entries that do not fit.
        count: usize,
        /// Number of entries.
        of: usize,
        /// The sink's bound in bytes.
        limit: usize,
        /// Size of the largest in bytes.
        largest: usize,
    },
    /// The sink refused them, or could not be reached.
    #[error("failed to write {count} of {of} records to {sink}: {reason}")]
    Failed {
        /// Number of entries that were not written, at most.
        count: usize,
        /// Number of entries.
        of: usize,
        /// Which sink.
        sink: String,
        /// The service's words.
        reason: String,
    },
}
