//! What goes into a step of a shard, and what comes out.

use crate::{FunctionResult, OnFailureMessage};
use records::{EpochMillis, SequenceNumber};

/// What a shard asks of its driver. It stays outstanding until the input that answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Read on in the shard and answer with [`Input::Polled`].
    Poll {
        /// The most records to return.
        limit: usize,
    },
    /// Invoke the function with `Shard::batch` and answer with [`Input::Responded`].
    Invoke(Invocation),
    /// Answer with [`Input::Tick`] at this time. A tick that comes early gets this action again.
    WaitUntil {
        /// When to go on.
        time: EpochMillis,
        /// What is waited for.
        reason: Wait,
    },
    /// For telemetry: the batch that failed is cut in two. Answer with [`Input::Tick`].
    Split {
        /// Records in the piece that is tried first.
        left: usize,
        /// Records in the piece behind it.
        right: usize,
    },
    /// For telemetry: records are done with. Each record is in exactly one of these. Answer with [`Input::Tick`].
    Advance {
        /// How many records.
        records: usize,
        /// What became of them.
        ending: Ending,
        /// The last position passed. It has not moved if older records still stand in front, as it can happen to
        /// records that were too old.
        checkpoint: Option<SequenceNumber>,
    },
    /// Send the message to the destination and answer with [`Input::Delivered`] or [`Input::DeliveryFailed`].
    /// `Shard::batch` holds the records it speaks of.
    SendToDestination(Box<OnFailureMessage>),
    /// The shard is closed and its last record done with. There is no more to do.
    Finished,
}

/// One invocation of the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invocation {
    /// How many records it carries.
    pub records: usize,
    /// Which one it is for this position, counted from 1; those that split the batch or never arrived do not count.
    pub attempt: u32,
}

/// What a shard waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The next poll; the last one found too little.
    Poll,
    /// The end of the batching window.
    BatchingWindow,
    /// The end of the back-off before a retry.
    Retry,
}

/// What became of records that a shard is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The function handled them.
    Handled,
    /// The destination has a message about them.
    Delivered,
    /// They are lost: no destination, or it failed.
    Dropped,
}

/// What the driver tells a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<R> {
    /// Time has passed.
    Tick,
    /// The answer to a poll. A poll that failed is one that found nothing.
    Polled {
        /// The next records of the shard, ascending; none of them was returned before.
        records: Vec<R>,
        /// Whether the shard is closed and these were its last records.
        end_of_shard: bool,
    },
    /// The answer to an invocation.
    Responded(Response),
    /// The destination took the message.
    Delivered,
    /// The destination did not take the message.
    DeliveryFailed,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The invocation's id; without one, a message about it carries an id derived from the seed.
    pub request_id: Option<String>,
    /// What the function did.
    pub result: FunctionResult,
}

impl From<FunctionResult> for Response {
    fn from(result: FunctionResult) -> Self {
        Self { request_id: None, result }
    }
}
