//! Bugs that are planted from outside of the engines, to show that the account notices.

/// What is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The response names the record behind the one that failed.
    CheckpointOneTooFar,
    /// The destination says that it took a message, and loses it.
    MessageSwallowed,
    /// The hydrator's sink says that it took an entry, and loses it.
    EntrySwallowed,
    /// The hydrator's sink changes a byte of a payload.
    PayloadChanged,
    /// The hydrator is shown a shard that ends early.
    ShardCutShort,
    /// The filter lets everything through.
    FilterSkipped,
    /// A page leaves out a record.
    RecordSkipped,
    /// A batch comes in the wrong order.
    BatchReversed,
    /// The child of two shards begins when the first of them is finished.
    ChildTooEarly,
}
