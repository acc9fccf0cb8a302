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

/// One message for the sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkEntry {
    /// Names what it is about for good: stream ARN, shard and sequence number, with the sub-sequence number of what an
    /// aggregate holds; or a loss's bounds.
    pub id: String,
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
