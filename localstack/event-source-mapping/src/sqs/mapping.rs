//! One poller of a queue, as a state machine.

use super::{QueueMessage, SqsSettings};
use crate::response::Report;
use crate::{FunctionResult, Timing, payload};
use records::EpochMillis;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// The most messages of one receive (documented).
const RECEIVE_MAX: usize = 10;

/// A poller of a queue: it receives messages, invokes the function with a batch of them, and deletes what was handled.
///
/// One poller has one invocation at a time. Lambda runs several side by side, up to `MaximumConcurrency`; so may a driver.
#[derive(Debug)]
pub struct SqsMapping<M> {
    settings: Arc<SqsSettings>,
    poll_interval_ms: i64,
    /// Received and not yet in a batch.
    waiting: VecDeque<M>,
    /// The messages of the invocation, or after it those to delete in front of those to leave.
    batch: Vec<M>,
    outstanding: SqsAction,
    next_receive: EpochMillis,
    window_start: Option<EpochMillis>,
    counters: SqsCounters,
}

/// What a poller asks of its driver. It stays outstanding until the input that answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SqsAction {
    /// Receive messages and answer with [`SqsInput::Received`].
    Receive {
        /// The most messages to return, 1 to 10.
        max: usize,
    },
    /// Invoke the function with `SqsMapping::batch` and answer with [`SqsInput::Responded`].
    Invoke {
        /// How many messages.
        messages: usize,
    },
    /// Delete the messages of `SqsMapping::batch` and answer with [`SqsInput::Deleted`].
    Delete {
        /// How many messages.
        messages: usize,
    },
    /// Answer with [`SqsInput::Tick`] at this time.
    WaitUntil(EpochMillis),
}

/// What the driver tells a poller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqsInput<M> {
    /// Time has passed.
    Tick,
    /// The answer to a receive. One that failed is one that found nothing.
    Received(Vec<M>),
    /// The answer to an invocation.
    Responded(FunctionResult),
    /// The deletes were tried. What could not be deleted comes back after its visibility time-out.
    Deleted,
}

/// Counts since the poller started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SqsCounters {
    /// Messages received, each time anew.
    pub received_messages: u64,
    /// Invocations that reached the function.
    pub invocations: u64,
    /// Messages that the function handled.
    pub handled_messages: u64,
    /// Messages left to their visibility time-out.
    pub left_messages: u64,
}

impl<M: QueueMessage> SqsMapping<M> {
    /// A poller that has received nothing.
    #[must_use]
    pub fn new(settings: Arc<SqsSettings>, timing: Timing) -> Self {
        let long_ago = EpochMillis(i64::MIN);
        Self {
            settings,
            poll_interval_ms: timing.receive_interval_ms(),
            waiting: VecDeque::new(),
            batch: Vec::new(),
            outstanding: SqsAction::WaitUntil(long_ago),
            next_receive: long_ago,
            window_start: None,
            counters: SqsCounters::default(),
        }
    }

    /// Takes an input and says what is to be done next; one that does not answer the outstanding action changes nothing,
    /// and gets that action again. `now` never runs backwards.
    pub fn step(&mut self, now: EpochMillis, input: SqsInput<M>) -> SqsAction {
        self.outstanding = match (self.outstanding, input) {
            (SqsAction::WaitUntil(_), SqsInput::Tick) => self.decide(now),
            (SqsAction::Receive { max }, SqsInput::Received(messages)) => {
                let is_full = messages.len() >= max;
                let pause_ms = if is_full { 0 } else { self.poll_interval_ms };
                self.next_receive = EpochMillis(now.0.saturating_add(pause_ms));
                self.counters.received_messages += messages.len() as u64;
                self.waiting.extend(messages);
                self.decide(now)
            }
            (SqsAction::Invoke { .. }, SqsInput::Responded(result)) => self.judge(now, &result),
            (SqsAction::Delete { .. }, SqsInput::Deleted) => {
                self.batch.clear();
                self.decide(now)
            }
            (outstanding, _) => outstanding,
        };
        self.outstanding
    }

    /// Receives until the batch is complete by count, by bytes or by its window, as with a stream.
    fn decide(&mut self, now: EpochMillis) -> SqsAction {
        let fit = payload::fit(self.waiting.iter().map(QueueMessage::payload_bytes), self.settings.batch_size());
        let window_ends = (fit.records > 0).then(|| {
            let start = *self.window_start.get_or_insert(now);
            EpochMillis(start.0.saturating_add(self.settings.batching_window_ms()))
        });
        if fit.full || window_ends.is_some_and(|ends| now >= ends) {
            self.window_start = None;
            self.next_receive = now;
            self.batch.extend(self.waiting.drain(..fit.records));
            return SqsAction::Invoke { messages: self.batch.len() };
        }
        if now < self.next_receive {
            return SqsAction::WaitUntil(window_ends.map_or(self.next_receive, |ends| ends.min(self.next_receive)));
        }
        SqsAction::Receive { max: RECEIVE_MAX.min(self.settings.batch_size() - fit.records) }
    }

    /// Keeps what was handled, to be deleted, and leaves the rest to its visibility time-out.
    fn judge(&mut self, now: EpochMillis, result: &FunctionResult) -> SqsAction {
        self.counters.invocations += u64::from(*result != FunctionResult::Undelivered);
        let handled = self.sort_handled_first(result);
        self.counters.handled_messages += handled as u64;
        self.counters.left_messages += (self.batch.len() - handled) as u64;
        self.batch.truncate(handled);
        if handled == 0 { self.decide(now) } else { SqsAction::Delete { messages: handled } }
    }

    /// Brings the messages that `result` says were handled to the front of the batch, and counts them.
    ///
    /// The table is that of streams, but each message named is a failure of its own (documented).
    fn sort_handled_first(&mut self, result: &FunctionResult) -> usize {
        let body = match result {
            FunctionResult::Undelivered | FunctionResult::Failed => return 0,
            FunctionResult::Returned(_) if !self.settings.reports_batch_item_failures() => return self.batch.len(),
            FunctionResult::Returned(body) => body,
        };
        let failed: HashSet<String> = match Report::parse(body) {
            Report::Nothing => return self.batch.len(),
            Report::Unusable => return 0,
            Report::Failures(identifiers) => identifiers.into_iter().collect(),
        };
        let ids: HashSet<&str> = self.batch.iter().map(QueueMessage::message_id).collect();
        if failed.iter().any(|id| !ids.contains(id.as_str())) {
            return 0;
        }
        self.batch.sort_by_key(|message| failed.contains(message.message_id()));
        self.batch.partition_point(|message| !failed.contains(message.message_id()))
    }

    /// The messages to invoke the function with, or to delete.
    #[must_use]
    pub fn batch(&self) -> &[M] {
        &self.batch
    }

    /// The settings of the mapping.
    #[must_use]
    pub fn settings(&self) -> &SqsSettings {
        &self.settings
    }

    /// What the poller has done so far.
    #[must_use]
    pub fn counters(&self) -> SqsCounters {
        self.counters
    }
}
