//! Runs a scenario through the model, in virtual time.

use crate::function::{Given, SimulatedFunction};
use crate::outcome::{InvocationEntry, MessageEntry, Outcome, ShardEntry, Step};
use crate::scenario::{DestinationPlan, Scenario};
use crate::stream::{START, SimulatedRecord, SimulatedStream, lies_before};
use event_source_mapping::virtual_time::{World, run_mapping};
use event_source_mapping::{
    Action, Destination, FunctionResult, Invocation, Mapping, NEVER, OnFailureMessage, Response, Shard, Timing,
    Verdict, Wait, on_failure,
};
use records::{EpochMillis, ShardId};
use serde_json::Value;
use std::collections::BTreeMap;
use timeline::Run;

impl Scenario {
    /// Runs the scenario to its end, or to its bound.
    #[must_use]
    pub fn run(&self) -> Outcome {
        let timing = Timing {
            backoff: self.bounds.backoff,
            retention_ms: self.stream.retention_ms,
            seed: self.bounds.seed,
            ..Timing::default()
        };
        let mut mapping = Mapping::new(self.mapping.settings().clone(), timing);
        let mut world = Simulation::new(self);
        for shard in world.stream.shards.iter().filter(|shard| shard.parents.is_empty()) {
            mapping.add_shard(shard.id.clone());
        }
        let end = EpochMillis(START.0 + self.bounds.until_ms);
        let stopped = run_mapping(&mut mapping, START, end, &mut world);
        world.close(&mapping, stopped)
    }
}

/// What surrounds the mapping, and what is noted of it.
struct Simulation<'s> {
    scenario: &'s Scenario,
    stream: SimulatedStream,
    function: SimulatedFunction,
    deliveries: u32,
    /// The end of the wait that was noted last, by shard.
    waits_until: Vec<EpochMillis>,
    /// The next switch, by shard.
    switches: Vec<usize>,
    /// How many of them were noted.
    switches_noted: usize,
    /// The invocation under way, by shard and slot.
    under_way: BTreeMap<(usize, usize), usize>,
    outcome: Outcome,
    /// Numbers of records, by sequence number.
    numbers: BTreeMap<String, u32>,
}

impl<'s> Simulation<'s> {
    fn new(scenario: &'s Scenario) -> Self {
        let stream = SimulatedStream::new(scenario);
        let entry = |shard: &crate::stream::SimulatedShard| ShardEntry {
            id: shard.id.as_str().to_owned(),
            parents: shard.parents.clone(),
        };
        let record = |label: &crate::stream::Label| {
            (label.shard, label.sequence_number.as_str().to_owned(), label.arrival.0 - START.0)
        };
        let outcome = Outcome {
            shards: stream.shards.iter().map(entry).collect(),
            records: stream.labels.iter().map(record).collect(),
            ..Outcome::default()
        };
        let numbers = (1..).zip(&outcome.records).map(|(number, (_, text, _))| (text.clone(), number)).collect();
        Self {
            scenario,
            function: SimulatedFunction::new(scenario),
            deliveries: 0,
            waits_until: vec![EpochMillis(i64::MIN); stream.shards.len()],
            switches: vec![0; stream.shards.len()],
            switches_noted: 0,
            under_way: BTreeMap::new(),
            stream,
            outcome,
            numbers,
        }
    }

    fn index(&self, shard: &ShardId) -> usize {
        self.stream.index_of(shard).unwrap_or_default()
    }

    fn note(&mut self, now: EpochMillis, step: Step) {
        self.outcome.walk.push((now.0 - START.0, step));
    }

    fn close(mut self, mapping: &Mapping<SimulatedRecord>, stopped: EpochMillis) -> Outcome {
        self.outcome.handled = std::mem::take(&mut self.function.handled);
        self.outcome.counters = mapping.counters();
        self.outcome.finished = self.outcome.open() == 0;
        // The last invocation of a tumbling window ends no record, but is a part of the run.
        let windows = self.outcome.invocations.iter().filter(|entry| entry.ends_window).map(|entry| entry.ended_at_ms);
        self.outcome.finished_at_ms = windows.max().unwrap_or(0).max(self.outcome.finished_at_ms);
        if !self.outcome.finished {
            self.outcome.finished_at_ms = stopped.0 - START.0;
        }
        // Shards run side by side, so what they note is in order for each of them only.
        self.outcome.walk.sort_by_key(|(at_ms, _)| *at_ms);
        self.outcome
    }
}

impl World<SimulatedRecord> for Simulation<'_> {
    fn poll(&mut self, now: EpochMillis, shard: &ShardId, limit: usize) -> (Vec<SimulatedRecord>, bool) {
        let index = self.index(shard);
        let trimmed_before = now.0 - self.scenario.stream.retention_ms;
        let settings = self.scenario.mapping.settings();
        let shard = &mut self.stream.shards[index];
        let mut page = Vec::new();
        while page.len() < limit
            && let Some(record) = shard.records.pop_front_if(|record| record_arrival(record) <= now)
        {
            let arrival = record_arrival(&record);
            if arrival.0 < trimmed_before {
                self.outcome.trimmed_unread.push(record.number);
            } else if lies_before(settings.starting_position(), arrival) {
                self.outcome.unread.push(record.number);
            } else {
                page.push(record);
            }
        }
        shard.unfinished += page.len();
        let end_of_shard = page.is_empty() && shard.is_at_end(now, settings.tumbling_window_ms())
            || (!shard.children.is_empty() && shard.is_at_end(now, None));
        (page, end_of_shard)
    }

    fn invoke(&mut self, now: EpochMillis, shard: &Shard<SimulatedRecord>, invocation: Invocation) -> (Response, i64) {
        let (index, batch) = (self.index(shard.id()), shard.batch(invocation.slot));
        let given: Vec<Given<'_>> =
            batch.iter().map(|record| Given { number: record.number, sequence_number: number_text(record) }).collect();
        let state = invocation.window.map(|_| shard.state(invocation.slot));
        let (result, took_ms) = self.function.invoke(&given, state);
        let (outcome, handled) = match shard.verdict(invocation.slot, &result) {
            Verdict::Success => ("handled", batch.len()),
            Verdict::RetryFrom(0) | Verdict::Failed => ("failed", 0),
            Verdict::RetryFrom(handled) => ("partial", handled),
            Verdict::Undelivered => ("undelivered", 0),
        };
        if let Some(last) = batch.iter().last() {
            let age_ms = now.0 - record_arrival(last).0;
            self.outcome.iterator_age_ms_max = self.outcome.iterator_age_ms_max.max(age_ms);
        }
        let entry = InvocationEntry {
            at_ms: now.0 - START.0,
            ended_at_ms: now.0 - START.0 + took_ms,
            shard: index,
            slot: invocation.slot,
            records: Run::of(batch.iter().map(|record| record.number)),
            attempt: invocation.attempt,
            response: match &result {
                FunctionResult::Returned(body) => Some(String::from_utf8_lossy(body).into_owned()),
                FunctionResult::Failed | FunctionResult::Undelivered => None,
            },
            outcome,
            handled,
            ends_window: invocation.window.is_some_and(|window| window.is_final),
        };
        let number = self.outcome.invocations.len();
        self.note(now, Step::Invoked(number));
        self.note(EpochMillis(now.0 + took_ms), Step::Responded(number));
        self.outcome.invocations.push(entry);
        self.under_way.insert((index, invocation.slot), number);
        (result.into(), took_ms)
    }

    fn deliver(
        &mut self,
        now: EpochMillis,
        shard: &Shard<SimulatedRecord>,
        slot: usize,
        message: &OnFailureMessage,
    ) -> bool {
        self.deliveries += 1;
        let delivered = match self.scenario.destination {
            DestinationPlan::Works => true,
            DestinationPlan::Fails => false,
            DestinationPlan::FailsFirst(count) => self.deliveries > count,
        };
        let batch = shard.batch(slot);
        let (body, key) = written(message, shard, slot);
        let entry = MessageEntry {
            at_ms: now.0 - START.0,
            shard: self.index(shard.id()),
            records: Run::of(batch.iter().map(|record| record.number)),
            body,
            key,
            condition: message.request_context.condition.as_str(),
            delivered,
        };
        let number = self.outcome.messages.len();
        self.outcome.messages.push(entry);
        self.note(now, Step::Sent(number));
        delivered
    }

    fn observe(&mut self, now: EpochMillis, shard: &Shard<SimulatedRecord>, action: &Action) {
        let index = self.index(shard.id());
        match action {
            Action::Split { left, right, .. } => self.note(now, Step::Split(index, *left, *right)),
            // A shard with several slots is asked again for each answer, and waits for the same moment.
            Action::WaitUntil { time, reason: Wait::Retry } if self.waits_until[index] != *time => {
                self.waits_until[index] = *time;
                self.note(now, Step::Waits(index, time.0 - START.0, Wait::Retry));
            }
            Action::Advance { ending, checkpoint, .. } => {
                let ended: Vec<u32> = shard.ended().iter().map(|record| record.number).collect();
                self.stream.shards[index].unfinished -= ended.len();
                self.outcome.endings.extend(ended.iter().map(|record| (*record, *ending)));
                self.outcome.finished_at_ms = self.outcome.finished_at_ms.max(now.0 - START.0);
                let checkpoint = checkpoint.as_ref().and_then(|number| self.numbers.get(number.as_str())).copied();
                self.note(now, Step::Ended(index, Run::of(ended), *ending, checkpoint));
            }
            _ => {}
        }
    }

    fn children(&mut self, shard: &ShardId) -> Vec<(ShardId, Vec<ShardId>)> {
        self.stream.children_of(self.index(shard))
    }

    fn switched(&mut self, now: EpochMillis, shard: &ShardId) -> Option<bool> {
        let index = self.index(shard);
        let next = self.scenario.switches.get(self.switches[index]).filter(|(at_ms, _)| START.0 + at_ms <= now.0);
        let on = next.map(|(_, on)| *on)?;
        self.switches[index] += 1;
        // Each shard is told; the first to be told notes it.
        if self.switches[index] > self.switches_noted {
            self.switches_noted = self.switches[index];
            self.note(now, Step::Switched(on));
        }
        Some(on)
    }

    fn next_switch(&self, _now: EpochMillis, shard: &ShardId) -> EpochMillis {
        let next = self.scenario.switches.get(self.switches[self.index(shard)]);
        next.map_or(NEVER, |(at_ms, _)| EpochMillis(START.0 + at_ms))
    }
}

/// What the destination gets, and where a bucket keeps it. A simulated record has no payload to show.
fn written(message: &OnFailureMessage, shard: &Shard<SimulatedRecord>, slot: usize) -> (Value, Option<String>) {
    let plain = || serde_json::to_value(message).unwrap_or_default();
    match shard.settings().destination() {
        Some(Destination::Bucket(_)) => {
            let records: Vec<Value> = shard
                .batch(slot)
                .iter()
                .map(
                    |record| serde_json::json!({"eventID": format!("{}:{}", shard.id().as_str(), number_text(record))}),
                )
                .collect();
            let event = serde_json::json!({ "Records": records }).to_string();
            let uuid = on_failure::derived_uuid(shard.settings().event_source_arn().as_bytes());
            (message.with_payload(&event).unwrap_or_default(), Some(message.object_key(&uuid)))
        }
        Some(Destination::Topic(arn)) => (message.notification(arn).unwrap_or_default(), None),
        Some(Destination::Queue(_)) | None => (plain(), None),
    }
}

fn record_arrival(record: &SimulatedRecord) -> EpochMillis {
    event_source_mapping::StreamRecord::arrival(record)
}

fn number_text(record: &SimulatedRecord) -> &str {
    event_source_mapping::StreamRecord::sequence_number(record).as_str()
}
