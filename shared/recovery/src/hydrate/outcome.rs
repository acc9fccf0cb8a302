//! What goes in, and what becomes of it: messages of the queue, and how each of them ends.

use crate::{
    Account, MessageError, OnFailureMessage, RangeFailure, ReadError, ReadErrorKind, ServiceError, SinkError, Totals,
};
use records::ShardRange;
use std::collections::BTreeMap;
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;

/// One message of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// What a response names.
    pub message_id: String,
    /// The on-failure message, if it is one; empty when the record has no body.
    pub body: String,
    /// ARN of the queue, which takes the rest of a range; empty where the event does not say.
    pub queue_arn: String,
}

/// When the hydrator has to be done.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimit {
    /// Reading stops, and the rest is handed on.
    pub read_until: Instant,
    /// Everything stops. What is not done by then stays on its queue.
    pub stop_at: Instant,
}

/// The longest time kept for writing what is read and handing the rest on.
const TIME_TO_HAND_ON: Duration = Duration::from_secs(10);

impl TimeLimit {
    /// Keeps a quarter of the time, and at most ten seconds, for what comes after the reading.
    #[must_use]
    pub fn until(stop_at: Instant) -> Self {
        let left = stop_at.saturating_duration_since(Instant::now());
        Self { read_until: stop_at - TIME_TO_HAND_ON.min(left / 4), stop_at }
    }
}

/// What became of a message of the queue.
#[derive(Debug)]
pub struct Hydrated {
    /// Its id.
    pub message_id: String,
    /// The on-failure messages in it: one, or one for each object that it names.
    pub parts: Vec<Part>,
}

/// What became of an on-failure message.
#[derive(Debug)]
pub struct Part {
    /// The message; `None` where it could not be read.
    pub message: Option<Box<OnFailureMessage>>,
    /// Its end.
    pub outcome: Outcome,
}

/// The end of an on-failure message.
#[derive(Debug)]
pub enum Outcome {
    /// Every record of it is in the sink or reported lost.
    Done(Account),
    /// A part of it is, and the rest is on the queue as a message of its own.
    HandedOn(Account),
    /// Another message says the same, and is done.
    Duplicate,
    /// It stays on its queue.
    Stays(HydrateError),
}

impl Hydrated {
    /// Whether the message may leave its queue.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.parts.iter().all(|part| !matches!(part.outcome, Outcome::Stays(_)))
    }
}

/// What became of all of them, and the sums by stream. `None` stands for messages that name no stream.
#[derive(Debug)]
pub struct Hydration {
    /// In the order of the messages.
    pub messages: Vec<Hydrated>,
    /// By the stream's ARN.
    pub totals: BTreeMap<Option<String>, Totals>,
}

/// Why a message is not done: it stays on its queue.
#[derive(Debug, Error)]
pub enum HydrateError {
    /// Its body is no on-failure message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The object that it names could not be read.
    #[error(transparent)]
    Object(ServiceError),
    /// The object that it names holds no on-failure message.
    #[error("object `{key}` of bucket `{bucket}`: {error}")]
    ObjectMessage {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// What was expected, and where.
        error: MessageError,
    },
    /// A call failed before its range was read to a provable end.
    #[error("failed to read {range}: {error}")]
    Read {
        /// The range.
        range: Box<ShardRange>,
        /// What the service said.
        error: ReadError,
    },
    /// The service knows no such position in the shard: it belongs to another shard, or to a stream of the same name that
    /// was deleted, and nobody can tell when.
    #[error("{range} does not belong to its shard, or to the stream that has its name now: {error}")]
    WrongShard {
        /// The range.
        range: Box<ShardRange>,
        /// What the service said.
        error: ReadError,
    },
    /// A bound was met before that.
    #[error("gave up reading {range}: more than {count} {what}")]
    Bound {
        /// The range.
        range: Box<ShardRange>,
        /// The bound.
        count: u32,
        /// What it counts.
        what: &'static str,
    },
    /// Nothing of it is found any more, but its records are too young to be gone: the service's hint alone is no proof.
    #[error("found no end of {range} and no proof that it is trimmed: its stream keeps records for longer")]
    Unproven {
        /// The range.
        range: Box<ShardRange>,
    },
    /// The time was over.
    #[error("not finished before the deadline")]
    Deadline,
    /// The rest could not be handed on.
    #[error("failed to hand the rest on: {0}")]
    HandOn(ServiceError),
    /// A record could not be written as JSON.
    #[error("failed to write a recovered record as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The sink does not have all of it.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// Another message says the same, and is not done.
    #[error("another message names the same range, and stays")]
    DuplicateStays,
}

impl HydrateError {
    pub(super) fn reading(range: &ShardRange, failure: RangeFailure) -> Self {
        let range = Box::new(range.clone());
        match failure {
            RangeFailure::Call(error) if error.kind == ReadErrorKind::ForeignPosition => {
                Self::WrongShard { range, error }
            }
            RangeFailure::Call(error) => Self::Read { range, error },
            RangeFailure::Bound { count, what } => Self::Bound { range, count, what },
        }
    }
}
