//! One shard of a mapping, as a state machine.

mod filling;
mod giving_up;
mod judging;

use crate::pieces::Pieces;
use crate::{Action, Batch, Counters, Ending, Input, Invocation, Settings, StreamRecord, Timing, Wait};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use records::{EpochMillis, SequenceNumber, ShardId};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// A shard: polled, batched, invoked and checkpointed, one batch after the other.
///
/// Its batches are strictly serial (recorded); a driver runs several shards side by side. The model holds at most one
/// batch and one page of records, reads no clock, and with the same seed and the same inputs does the same again.
#[derive(Debug)]
pub struct Shard<R> {
    settings: Arc<Settings>,
    timing: Timing,
    id: ShardId,
    random: SmallRng,
    /// Polled and not done with, in the order of the shard. The current piece is always in front.
    records: VecDeque<R>,
    pieces: Pieces,
    outstanding: Action,
    /// The records that the outstanding action concerns, as a range of `records`.
    subject: Range<usize>,
    end_of_shard: bool,
    next_poll: EpochMillis,
    window_start: Option<EpochMillis>,
    position: Position,
    checkpoint: Option<SequenceNumber>,
    /// The highest of the records that were done with while older ones still stood in front of them.
    done_ahead: Option<SequenceNumber>,
    counters: Counters,
}

/// What is remembered of the position that the checkpoint stands at; a new position starts from nothing (recorded).
#[derive(Debug)]
struct Position {
    /// Invocations charged to the retry budget.
    attempts: u32,
    /// Failures of any kind in a row, for the back-off.
    failures: u32,
    /// The end of the back-off.
    not_before: EpochMillis,
    /// The id of the last invocation.
    request_id: Option<String>,
}

const LONG_AGO: EpochMillis = EpochMillis(i64::MIN);

impl Position {
    const NEW: Self = Self { attempts: 0, failures: 0, not_before: LONG_AGO, request_id: None };
}

impl<R: StreamRecord> Shard<R> {
    /// Opens a shard of which nothing was read.
    #[must_use]
    pub fn new(settings: Arc<Settings>, timing: Timing, id: ShardId) -> Self {
        let random = SmallRng::seed_from_u64(timing.seed_for(id.as_str()));
        Self {
            settings,
            timing,
            id,
            random,
            records: VecDeque::new(),
            pieces: Pieces::default(),
            outstanding: Action::WaitUntil { time: LONG_AGO, reason: Wait::Poll },
            subject: 0..0,
            end_of_shard: false,
            next_poll: LONG_AGO,
            window_start: None,
            position: Position::NEW,
            checkpoint: None,
            done_ahead: None,
            counters: Counters::default(),
        }
    }

    /// Takes an input and says what is to be done next.
    ///
    /// `now` is the driver's clock and never runs backwards. An input that does not answer the outstanding action changes
    /// nothing, and gets that action again.
    pub fn step(&mut self, now: EpochMillis, input: Input<R>) -> Action {
        let next = match (&self.outstanding, input) {
            (Action::WaitUntil { .. } | Action::Split { .. } | Action::Advance { .. }, Input::Tick) => self.decide(now),
            (Action::Poll { limit }, Input::Polled { records, end_of_shard }) => {
                let page_is_full = records.len() >= *limit;
                self.take_in(now, records, end_of_shard, page_is_full);
                self.decide(now)
            }
            (Action::Invoke(_), Input::Responded(response)) => self.judge(now, response),
            (Action::SendToDestination(_), Input::Delivered) => self.pass(self.subject.clone(), Ending::Delivered),
            (Action::SendToDestination(_), Input::DeliveryFailed) => {
                // Recorded: the shard moves on, and the records are lost.
                self.counters.destination_failures += 1;
                self.pass(self.subject.clone(), Ending::Dropped)
            }
            (outstanding, _) => return outstanding.clone(),
        };
        self.outstanding = next.clone();
        next
    }

    /// Says what is to be done when nothing is under way.
    fn decide(&mut self, now: EpochMillis) -> Action {
        let Some(piece) = self.pieces.current() else {
            return match self.fill(now) {
                Some(action) => action,
                None => self.decide(now),
            };
        };
        if now < self.position.not_before {
            return Action::WaitUntil { time: self.position.not_before, reason: Wait::Retry };
        }
        if let Some(too_old) = self.too_old(now, piece) {
            return self.give_up_as_too_old(now, too_old);
        }
        if self.front_is_oversized() {
            return self.fail_oversized(now);
        }
        self.subject = 0..piece;
        Action::Invoke(Invocation { records: piece, attempt: self.position.attempts.saturating_add(1) })
    }

    /// Records are done with: they leave the shard, and the checkpoint moves if they stood in front.
    fn pass(&mut self, range: Range<usize>, ending: Ending) -> Action {
        let (in_front, records) = (range.start == 0, range.len());
        let last = range.end.checked_sub(1).and_then(|index| self.records.get(index));
        let last = last.map(|record| record.sequence_number().clone());
        self.counters.end(records, ending);
        self.records.drain(range);
        self.pieces.shorten(records);
        self.subject = 0..0;
        if in_front {
            self.checkpoint = last;
            self.position = Position::NEW;
            let front = self.records.front().map(StreamRecord::sequence_number);
            let ahead = self.done_ahead.take_if(|ahead| front.is_none_or(|front| *front > *ahead));
            self.checkpoint = self.checkpoint.take().max(ahead);
        } else {
            self.done_ahead = self.done_ahead.take().max(last);
        }
        Action::Advance { records, ending, checkpoint: self.checkpoint.clone() }
    }

    /// The records that the outstanding action concerns: those to invoke the function with, or to tell the destination
    /// about. Empty with any other action.
    #[must_use]
    pub fn batch(&self) -> Batch<'_, R> {
        match self.outstanding {
            Action::Invoke(_) | Action::SendToDestination(_) => Batch::of(&self.records, self.subject.clone()),
            _ => Batch::of(&self.records, 0..0),
        }
    }

    /// The shard's name.
    #[must_use]
    pub fn id(&self) -> &ShardId {
        &self.id
    }

    /// The settings of the mapping.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The last position passed: each record up to it is done with. `None` until then.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&SequenceNumber> {
        self.checkpoint.as_ref()
    }

    /// How many records were polled and are not done with.
    #[must_use]
    pub fn waiting_records(&self) -> usize {
        self.records.len()
    }

    /// The age in milliseconds of the oldest record polled and not done with.
    #[must_use]
    pub fn iterator_age_ms(&self, now: EpochMillis) -> Option<i64> {
        self.records.front().map(|record| now.0.saturating_sub(record.arrival().0))
    }

    /// What the shard has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether the shard is closed and its last record done with.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.outstanding == Action::Finished
    }
}

/// The moment `ms` milliseconds after `time`.
fn after(time: EpochMillis, ms: i64) -> EpochMillis {
    EpochMillis(time.0.saturating_add(ms))
}
