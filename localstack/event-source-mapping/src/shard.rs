//! One shard of a mapping, as a state machine.

mod filling;
mod giving_up;
mod intake;
mod judging;
mod ledger;
mod slot;
mod windows;

use crate::{Action, Batch, Counters, Ending, Input, NEVER, Settings, StreamRecord, Timing, Wait};
use intake::Intake;
use ledger::Ledger;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use records::{EpochMillis, SequenceNumber, ShardId};
use slot::{Position, Slot, UnderWay};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// A shard: polled, batched, invoked and checkpointed.
///
/// It has as many slots as the mapping's `ParallelizationFactor`. The records of one key go to one slot, and the batches
/// of a slot are strictly serial (recorded), so that a key keeps its order. A driver runs several shards side by side. The
/// model holds at most a batch for each slot and one page, reads no clock, and with the same seed and the same inputs does
/// the same again.
#[derive(Debug)]
pub struct Shard<R> {
    settings: Arc<Settings>,
    timing: Timing,
    id: ShardId,
    random: SmallRng,
    intake: Intake,
    slots: Box<[Slot<R>]>,
    ledger: Ledger,
    /// The records of the last `Advance`.
    ended: VecDeque<R>,
    enabled: bool,
    finished: bool,
    counters: Counters,
}

/// Long before any record.
const LONG_AGO: EpochMillis = EpochMillis(i64::MIN);

/// What a slot, or the intake, would do next.
enum Next {
    /// Begin this.
    Begin(Action),
    /// Nothing before this time.
    Wait(EpochMillis, Wait),
    /// Nothing, unless something else happens.
    Nothing,
}

impl<R: StreamRecord> Shard<R> {
    /// Opens a shard of which nothing was read.
    #[must_use]
    pub fn new(settings: Arc<Settings>, timing: Timing, id: ShardId) -> Self {
        let random = SmallRng::seed_from_u64(timing.seed_for(id.as_str()));
        Self {
            slots: std::iter::repeat_with(Slot::default).take(settings.parallelization_factor()).collect(),
            enabled: settings.is_enabled(),
            settings,
            timing,
            id,
            random,
            intake: Intake::default(),
            ledger: Ledger::default(),
            ended: VecDeque::new(),
            finished: false,
            counters: Counters::default(),
        }
    }

    /// Takes an input and says what is to be done next.
    ///
    /// `now` is the driver's clock and never runs backwards. An answer to something that is not under way counts as
    /// [`Input::Tick`].
    pub fn step(&mut self, now: EpochMillis, input: Input<R>) -> Action {
        self.ended.clear();
        self.take(now, input).unwrap_or_else(|| self.decide(now))
    }

    /// Takes an input, and says what follows from it at once.
    fn take(&mut self, now: EpochMillis, input: Input<R>) -> Option<Action> {
        match input {
            Input::Tick => None,
            Input::Polled { records, end_of_shard } => self.take_in(now, records, end_of_shard),
            Input::Responded { slot, response } => {
                self.ends(slot, UnderWay::Invocation).then(|| self.judge(now, slot, response))?
            }
            Input::Delivered { slot } => {
                let records = self.ends(slot, UnderWay::Message).then(|| self.slots[slot].subject.clone())?;
                Some(self.pass(slot, records, Ending::Delivered))
            }
            Input::DeliveryFailed { slot } => {
                let records = self.ends(slot, UnderWay::Message).then(|| self.slots[slot].subject.clone())?;
                // Recorded: the shard moves on, and the records are lost.
                self.counters.destination_failures += 1;
                Some(self.pass(slot, records, Ending::Dropped))
            }
            Input::Enable => {
                self.enable();
                None
            }
            Input::Disable => {
                self.enabled = false;
                None
            }
        }
    }

    /// Whether `what` was under way in the slot; it no longer is.
    fn ends(&mut self, slot: usize, what: UnderWay) -> bool {
        let under_way = self.slots.get_mut(slot).filter(|slot| slot.under_way == what);
        under_way.map(|slot| slot.under_way = UnderWay::Nothing).is_some()
    }

    /// Inferred: a mapping that is switched on again goes on behind its checkpoint with a fresh budget.
    fn enable(&mut self) {
        if !std::mem::replace(&mut self.enabled, true) {
            for slot in self.slots.iter_mut().filter(|slot| slot.under_way == UnderWay::Nothing) {
                slot.position = Position::NEW;
            }
        }
    }

    /// Says what is to be begun now: the slots first, in order, then the next poll.
    fn decide(&mut self, now: EpochMillis) -> Action {
        let mut wait = (NEVER, if self.enabled { Wait::Answer } else { Wait::Enabling });
        if self.enabled {
            for slot in 0..=self.slots.len() {
                let next = if slot < self.slots.len() { self.begin(now, slot) } else { self.next_poll(now) };
                match next {
                    Next::Begin(action) => return action,
                    Next::Wait(time, reason) if time < wait.0 => wait = (time, reason),
                    Next::Wait(..) | Next::Nothing => {}
                }
            }
        }
        if self.is_done() {
            self.finished = true;
            return Action::Finished;
        }
        Action::WaitUntil { time: wait.0, reason: wait.1 }
    }

    /// Whether the shard is at its end and every slot is done.
    fn is_done(&self) -> bool {
        self.enabled && self.intake.is_at_end() && self.slots.iter().all(Slot::is_done)
    }

    /// Records of a slot are done with: they leave it, and the checkpoint moves if they stood in front.
    fn pass(&mut self, slot: usize, range: Range<usize>, ending: Ending) -> Action {
        let records = range.len();
        self.counters.end(records, ending);
        self.slots[slot].pass(range, &mut self.ledger, &mut self.ended);
        Action::Advance { records, ending, checkpoint: self.ledger.checkpoint().cloned() }
    }

    /// The records that the slot's invocation or message concerns. Empty when neither is under way.
    #[must_use]
    pub fn batch(&self, slot: usize) -> Batch<'_, R> {
        match self.slots.get(slot) {
            Some(slot) if slot.under_way != UnderWay::Nothing => Batch::of(&slot.records, slot.subject.clone()),
            _ => Batch::of(&self.ended, 0..0),
        }
    }

    /// The records that the `Advance` just returned is about. Empty after any other action.
    #[must_use]
    pub fn ended(&self) -> Batch<'_, R> {
        Batch::of(&self.ended, 0..self.ended.len())
    }

    /// The state of the slot's open window, as JSON: `{}` when the window is new, or when there is none.
    #[must_use]
    pub fn state(&self, slot: usize) -> &str {
        self.slots.get(slot).and_then(Slot::state).unwrap_or("{}")
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
        self.ledger.checkpoint()
    }

    /// How many records were polled and are not done with.
    #[must_use]
    pub fn waiting_records(&self) -> usize {
        self.slots.iter().map(|slot| slot.records.len()).sum()
    }

    /// The age in milliseconds of the oldest record polled and not done with.
    #[must_use]
    pub fn iterator_age_ms(&self, now: EpochMillis) -> Option<i64> {
        let fronts = self.slots.iter().filter_map(|slot| slot.records.front());
        fronts.map(|record| now.0.saturating_sub(record.arrival().0)).max()
    }

    /// What the shard has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether the shard is closed and its last record done with.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }
}

/// The moment `ms` milliseconds after `time`.
fn after(time: EpochMillis, ms: i64) -> EpochMillis {
    EpochMillis(time.0.saturating_add(ms))
}
