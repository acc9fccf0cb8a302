//! What happened and when, for the page that shows it.
//!
//! The books say what became of each record; the recorder says how it came about. It is told by the mappings and by the
//! books, and asks nobody.

use event_source_mapping::{Action, Ending, FunctionResult, Invocation, OnFailureMessage, Shard, StreamRecord};
use records::{EpochMillis, SequenceNumber, ShardId, StreamKind};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use timeline::{
    Fate, InvocationEntry, InvocationOutcome, Lane, MessageEntry, RecordEntry, RecoveryEntry, Run, SplitEntry, Timeline,
};

/// Records one run. Times are taken when it is told.
#[derive(Debug)]
pub struct Recorder {
    started: Instant,
    /// The same moment by the clock of the streams.
    started_at: EpochMillis,
    entries: Mutex<Entries>,
}

/// An answer on the page is as long as a line.
const RESPONSE_CHARS_MAX: usize = 120;

/// What is kept, and where what comes later belongs.
#[derive(Debug, Default)]
struct Entries {
    timeline: Timeline,
    lanes: HashMap<(StreamKind, ShardId), u32>,
    numbers: HashMap<(u32, SequenceNumber), u32>,
    /// By slot of a lane: the invocation that is under way, or was last.
    slots: HashMap<(u32, usize), u32>,
    /// By record: the invocation and the message that had it last, and the recovery of a message.
    invocations: HashMap<u32, u32>,
    messages: HashMap<u32, u32>,
    recoveries: HashMap<(u32, Fate), usize>,
}

impl Recorder {
    /// A recorder of a run that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self::new(crate::event::now())
    }

    /// A recorder of a run that starts now, which is `started_at` by the clock of the streams.
    fn new(started_at: EpochMillis) -> Self {
        Self { started: Instant::now(), started_at, entries: Mutex::default() }
    }

    /// The record, as one timeline without a title. What is told later is no part of it.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        Timeline { finished_at_ms: self.now_ms(), ..self.entries().timeline.clone() }
    }

    /// A mapping read a record.
    pub(crate) fn polled(
        &self,
        kind: StreamKind,
        shard: &ShardId,
        number: &SequenceNumber,
        arrival: Option<EpochMillis>,
    ) {
        // Where the stream gives no time, it is that of the read.
        let now_ms = i64::try_from(self.now_ms()).unwrap_or(i64::MAX);
        let arrived_ms = arrival.map_or(now_ms, |arrival| arrival.0.saturating_sub(self.started_at.0));
        let mut entries = self.entries();
        let lane = entries.lane(kind, shard);
        let label = number.as_str().to_owned();
        entries.timeline.records.push(RecordEntry { lane, label, arrived_ms, fate: Fate::Open });
        let record = count(entries.timeline.records.len());
        entries.numbers.insert((lane, number.clone()), record);
    }

    /// A shard of a mapping begins something, or is done with something.
    pub(crate) fn acts<R: StreamRecord>(&self, kind: StreamKind, shard: &Shard<R>, action: &Action) {
        let at_ms = self.now_ms();
        let mut entries = self.entries();
        let lane = entries.lane(kind, shard.id());
        match action {
            Action::Invoke(invocation) => entries.invoke(lane, shard, invocation, at_ms),
            Action::SendToDestination { slot, message } => entries.send(lane, shard, *slot, message, at_ms),
            Action::Split { slot, left, right } => {
                let Some(invocation) = entries.slots.get(&(lane, *slot)).copied() else { return };
                let (left, right) = (count(*left), count(*right));
                entries.timeline.splits.push(SplitEntry { lane, at_ms, invocation, left, right });
            }
            Action::Advance { ending, .. } => {
                let ended = entries.numbers_of(lane, shard.ended().iter());
                entries.end(&ended, *ending);
            }
            _ => {}
        }
    }

    /// The invocation of a slot has ended. How, shows in what the shard does next; until then it has failed.
    pub(crate) fn responded(&self, kind: StreamKind, shard: &ShardId, slot: usize, result: &FunctionResult) {
        let (end_ms, mut entries) = (self.now_ms(), self.entries());
        let lane = entries.lane(kind, shard);
        let Some(index) = entries.slots.get(&(lane, slot)).copied() else { return };
        if let Some(invocation) = entries.timeline.invocations.get_mut(index as usize) {
            invocation.end_ms = end_ms;
            invocation.response = short(result);
            if *result == FunctionResult::Undelivered {
                invocation.outcome = InvocationOutcome::Undelivered;
            }
        }
    }

    /// The recovered queue held the record, or a loss report about it.
    pub(crate) fn accounted(&self, kind: StreamKind, shard: &ShardId, number: &SequenceNumber, is_lost: bool) {
        let (at_ms, mut entries) = (self.now_ms(), self.entries());
        let lane = entries.lane(kind, shard);
        if let Some(record) = entries.numbers.get(&(lane, number.clone())).copied() {
            entries.recover(lane, record, if is_lost { Fate::Lost } else { Fate::Recovered }, at_ms);
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn lane(&mut self, kind: StreamKind, shard: &ShardId) -> u32 {
        let timeline = &mut self.timeline;
        *self.lanes.entry((kind, shard.clone())).or_insert_with(|| {
            let source = match kind {
                StreamKind::Kinesis => "kinesis",
                StreamKind::DynamoDb => "dynamodb",
            };
            let lane =
                Lane { name: shard.as_str().to_owned(), source: source.to_owned(), slots: 1, parents: Vec::new() };
            timeline.lanes.push(lane);
            count(timeline.lanes.len() - 1)
        })
    }

    /// The numbers of records that were polled.
    fn numbers_of<'a, R: StreamRecord + 'a>(&self, lane: u32, records: impl Iterator<Item = &'a R>) -> Vec<u32> {
        records.filter_map(|record| self.numbers.get(&(lane, record.sequence_number().clone())).copied()).collect()
    }

    fn invoke<R: StreamRecord>(&mut self, lane: u32, shard: &Shard<R>, invocation: &Invocation, start_ms: u64) {
        let records = self.numbers_of(lane, shard.batch(invocation.slot).iter());
        let index = count(self.timeline.invocations.len());
        let follows = records.first().and_then(|first| self.invocations.get(first)).copied();
        self.slots.insert((lane, invocation.slot), index);
        self.invocations.extend(records.iter().map(|record| (*record, index)));
        if let Some(lane) = self.timeline.lanes.get_mut(lane as usize) {
            lane.slots = u16::try_from(shard.settings().parallelization_factor()).unwrap_or(1);
        }
        self.timeline.invocations.push(InvocationEntry {
            lane,
            slot: u16::try_from(invocation.slot).unwrap_or(u16::MAX),
            start_ms,
            end_ms: start_ms,
            records: Run::of(records.iter().copied()),
            attempt: invocation.attempt,
            outcome: InvocationOutcome::Failed,
            response: String::new(),
            follows,
        });
    }

    fn send<R: StreamRecord>(
        &mut self,
        lane: u32,
        shard: &Shard<R>,
        slot: usize,
        message: &OnFailureMessage,
        at_ms: u64,
    ) {
        let records = self.numbers_of(lane, shard.batch(slot).iter());
        let invocation = records.first().and_then(|first| self.invocations.get(first)).copied();
        let index = count(self.timeline.messages.len());
        self.messages.extend(records.iter().map(|record| (*record, index)));
        let condition = message.request_context.condition.as_str().to_owned();
        let records = Run::of(records.iter().copied());
        self.timeline.messages.push(MessageEntry { lane, at_ms, records, condition, delivered: false, invocation });
    }

    /// Records are done with, by number.
    fn end(&mut self, ended: &[u32], ending: Ending) {
        let fate = match ending {
            Ending::Handled => Fate::Handled,
            Ending::Filtered => Fate::Filtered,
            Ending::Delivered => Fate::DeadLettered,
            Ending::Dropped => Fate::Dropped,
            Ending::Trimmed => Fate::Trimmed,
        };
        for record in ended {
            self.settle(*record, fate);
        }
        let Some(first) = ended.first() else { return };
        match ending {
            Ending::Handled => self.handle(*first, ended.len()),
            Ending::Delivered => {
                let message =
                    self.messages.get(first).and_then(|index| self.timeline.messages.get_mut(*index as usize));
                if let Some(message) = message {
                    message.delivered = true;
                }
            }
            _ => {}
        }
    }

    /// The invocation that had `first` handled this many of its records.
    fn handle(&mut self, first: u32, handled: usize) {
        let invocation = self.invocations.get(&first).copied();
        let invocation = invocation.and_then(|index| self.timeline.invocations.get_mut(index as usize));
        if let Some(invocation) = invocation {
            let batch: u32 = invocation.records.iter().map(|run| run.last - run.first + 1).sum();
            invocation.outcome = match count(handled) {
                handled if handled >= batch => InvocationOutcome::Handled,
                handled => InvocationOutcome::Partial { handled },
            };
        }
    }

    /// A record came back, or is reported lost. The records of one message that share an end share an entry.
    fn recover(&mut self, lane: u32, record: u32, fate: Fate, at_ms: u64) {
        if !self.settle(record, fate) {
            return;
        }
        let message = self.messages.get(&record).copied();
        let known = message.and_then(|message| self.recoveries.get(&(message, fate)).copied());
        match known.and_then(|index| self.timeline.recoveries.get_mut(index)) {
            Some(recovery) => Run::push(&mut recovery.records, record),
            None => {
                let verdict = if fate == Fate::Lost { "lost" } else { "recovered" }.to_owned();
                if let Some(message) = message {
                    self.recoveries.insert((message, fate), self.timeline.recoveries.len());
                }
                let records = Run::of([record]);
                self.timeline.recoveries.push(RecoveryEntry { lane, at_ms, records, verdict, message });
            }
        }
    }

    /// Notes how a record ended, and says whether that is news.
    fn settle(&mut self, record: u32, fate: Fate) -> bool {
        let entry = self.timeline.records.get_mut(record as usize - 1);
        entry.is_some_and(|entry| std::mem::replace(&mut entry.fate, fate) != fate)
    }
}

/// An answer in a line. A response names records and holds no payload; an error's text is the functions' own log's.
fn short(result: &FunctionResult) -> String {
    match result {
        FunctionResult::Returned(body) => String::from_utf8_lossy(&body[..body.len().min(4 * RESPONSE_CHARS_MAX)])
            .chars()
            .take(RESPONSE_CHARS_MAX)
            .collect(),
        FunctionResult::Failed => "function error".to_owned(),
        FunctionResult::Undelivered => "not delivered".to_owned(),
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
