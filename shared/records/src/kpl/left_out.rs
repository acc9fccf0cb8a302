//! Sub-records that are not handed out.

use thiserror::Error;

/// Why an aggregated record, undamaged by its MD5, holds more than is handed out. The messages quote nothing of it.
///
/// The Kinesis Client Library leaves out the same, but for a line in its log. Whoever processes the record can fail it with
/// this, so that it is dead-lettered like anything else that cannot be handled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LeftOut {
    /// A sub-record names a key which is not in its table. It is left out, with all sub-records behind it.
    #[error(
        "sub-record {position} of {count} in the aggregated record (counted from 0) names {table} key {index} \
         of {keys}; it and all behind it are left out"
    )]
    NoSuchKey {
        /// Position of the sub-record, counted from 0.
        position: usize,
        /// How many sub-records there are.
        count: usize,
        /// The table, `partition` or `explicit hash`.
        table: &'static str,
        /// Position in the table, counted from 0.
        index: u64,
        /// How many keys the table has.
        keys: usize,
    },
    /// An explicit hash key is no decimal number. Its sub-record is left out, with all sub-records behind it.
    #[error(
        "the explicit hash key of sub-record {position} of {count} in the aggregated record (counted from 0) is no \
         decimal number; it and all behind it are left out"
    )]
    NoHashKey {
        /// Position of the sub-record, counted from 0.
        position: usize,
        /// How many sub-records there are.
        count: usize,
    },
    /// A sub-record belongs to another shard, as happens when shards are split while a producer runs. All sub-records are
    /// left out.
    #[error(
        "the hash key of sub-record {position} of {count} in the aggregated record (counted from 0) lies outside \
         of the shard; all of them are left out"
    )]
    OutsideOfShard {
        /// Position of the sub-record, counted from 0.
        position: usize,
        /// How many sub-records there are.
        count: usize,
    },
}
