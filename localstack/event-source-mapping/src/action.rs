//! What goes into a step of a shard, and what comes out.

use crate::{FunctionResult, OnFailureMessage, Window};
use records::{EpochMillis, SequenceNumber};

/// What a shard asks of its driver.
///
/// `Poll`, `Invoke` and `SendToDestination` are begun when they are returned. The driver answers when it has the answer;
/// until then it may go on with [`Input::Tick`] to learn what else there is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Read on in the shard and answer with [`Input::Polled`].
    Poll {
        /// The most records to return.
        limit: usize,
    },
    /// Invoke the function with `Shard::batch` of the slot and answer with [`Input::Responded`].
    Invoke(Invocation),
    /// There is no more to begin before this time, or before an answer comes if that is sooner. A tick that comes early
    /// gets this action again.
    WaitUntil {
        /// When to go on: [`NEVER`] if only an answer or [`Input::Enable`] helps.
        time: EpochMillis,
        /// What is waited for.
        reason: Wait,
    },
    /// For telemetry: the batch that failed is cut in two. Go on with [`Input::Tick`].
    Split {
        /// Whose batch.
        slot: usize,
        /// Records in the piece that is tried first.
        left: usize,
        /// Records in the piece behind it.
        right: usize,
    },
    /// For telemetry: the records of `Shard::ended` are done with. Each record is in exactly one of these. Go on with
    /// [`Input::Tick`].
    Advance {
        /// How many records.
        records: usize,
        /// What became of them.
        ending: Ending,
        /// The last position passed. It has not moved if older records still stand in front.
        checkpoint: Option<SequenceNumber>,
    },
    /// Send the message to the destination and answer with [`Input::Delivered`] or [`Input::DeliveryFailed`].
    /// `Shard::batch` of the slot holds the records it speaks of.
    SendToDestination {
        /// Whose records.
        slot: usize,
        /// What to send.
        message: Box<OnFailureMessage>,
    },
    /// The shard is closed and its last record done with. There is no more to do.
    Finished,
}

/// The time to wait for when only an answer helps.
pub const NEVER: EpochMillis = EpochMillis(i64::MAX);

/// One invocation of the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invocation {
    /// Which of the shard's concurrent batches it is, counted from 0.
    pub slot: usize,
    /// How many records it carries; none when a window ends.
    pub records: usize,
    /// Which one it is for this position, counted from 1; those that split the batch or never arrived do not count.
    pub attempt: u32,
    /// The tumbling window that it belongs to, if the mapping has them. Its state is `Shard::state`.
    pub window: Option<Window>,
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
    /// An answer to something that is under way.
    Answer,
    /// Somebody to enable the mapping.
    Enabling,
}

/// What became of records that a shard is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The function handled them.
    Handled,
    /// The mapping's filters dropped them, which counts as handled.
    Filtered,
    /// The destination has a message about them.
    Delivered,
    /// They are lost: no destination, or it failed.
    Dropped,
    /// They are lost: the stream trimmed them while they were retried, and nobody is told.
    Trimmed,
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
    Responded {
        /// That of the invocation.
        slot: usize,
        /// How it ended.
        response: Response,
    },
    /// The destination took the message.
    Delivered {
        /// That of the message.
        slot: usize,
    },
    /// The destination did not take the message.
    DeliveryFailed {
        /// That of the message.
        slot: usize,
    },
    /// The mapping is switched on.
    Enable,
    /// The mapping is switched off: what is under way ends, and nothing new begins.
    Disable,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The invocation's id; without one, a message about it carries an id derived from the seed.
    pub request_id: Option<String>,
    /// What the function did.
    pub result: FunctionResult,
}

impl Response {
    /// The input that answers the invocation of `slot`.
    #[must_use]
    pub fn to<R>(self, slot: usize) -> Input<R> {
        Input::Responded { slot, response: self }
    }
}

impl From<FunctionResult> for Response {
    fn from(result: FunctionResult) -> Self {
        Self { request_id: None, result }
    }
}
