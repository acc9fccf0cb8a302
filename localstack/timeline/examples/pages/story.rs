//! A timeline told event by event: each lane has a clock, and an event takes its place behind the one before it.

use timeline::{
    Fate, InvocationEntry, InvocationOutcome, Lane, MessageEntry, RecordEntry, RecoveryEntry, Run, SplitEntry, Timeline,
};

pub struct Story {
    pub timeline: Timeline,
    clocks_ms: Vec<Vec<u64>>,
}

/// Where an invocation runs: its lane and slot.
#[derive(Clone, Copy)]
pub struct Place {
    pub lane: u32,
    pub slot: u16,
}

impl Story {
    pub fn new(title: &str, subtitle: &str) -> Self {
        let timeline = Timeline { title: title.into(), subtitle: subtitle.into(), ..Timeline::default() };
        Self { timeline, clocks_ms: Vec::new() }
    }

    pub fn lane(&mut self, name: &str, source: &str, slots: u16) -> u32 {
        let number = self.timeline.lanes.len() as u32;
        self.timeline.lanes.push(Lane { name: name.into(), source: source.into(), slots, parents: vec![] });
        self.clocks_ms.push(vec![0; slots.into()]);
        number
    }

    /// Adds records to the stream; all are handled until something else is said of them.
    pub fn records(&mut self, lane: u32, count: u32) -> Run {
        let first = self.timeline.records.len() as u32 + 1;
        for number in first..first + count {
            let label = format!("4965{:044}{:08}", 9_071_117_741_113_536_u64 + u64::from(lane), number * 7_919);
            let arrived_ms = i64::from(number) * 3 - 400;
            self.timeline.records.push(RecordEntry { lane, label, arrived_ms, fate: Fate::Handled });
        }
        Run { first, last: first + count - 1 }
    }

    pub fn wait(&mut self, place: Place, milliseconds: u64) {
        self.clocks_ms[place.lane as usize][usize::from(place.slot)] += milliseconds;
    }

    /// The time at a place.
    pub fn now_ms(&self, place: Place) -> u64 {
        self.clocks_ms[place.lane as usize][usize::from(place.slot)]
    }

    /// Invokes with a batch for some milliseconds; answers with the invocation's index.
    pub fn invoke(&mut self, place: Place, batch: Run, took_ms: u64, outcome: InvocationOutcome) -> u32 {
        self.invoke_after(place, batch, took_ms, outcome, None)
    }

    pub fn invoke_after(
        &mut self,
        place: Place,
        batch: Run,
        took_ms: u64,
        outcome: InvocationOutcome,
        follows: Option<u32>,
    ) -> u32 {
        let index = self.timeline.invocations.len() as u32;
        let before = follows.map(|followed| &self.timeline.invocations[followed as usize]);
        let attempt = before.filter(|before| before.records == [batch]).map_or(1, |before| before.attempt + 1);
        let start_ms = self.now_ms(place);
        self.wait(place, took_ms);
        self.timeline.invocations.push(InvocationEntry {
            lane: place.lane,
            slot: place.slot,
            start_ms,
            end_ms: start_ms + took_ms,
            records: vec![batch],
            attempt,
            outcome,
            response: response(batch, outcome),
            follows,
        });
        index
    }

    /// Cuts an invocation's batch behind its first `left` records.
    pub fn split(&mut self, invocation: u32, left: u32) {
        let entry = &self.timeline.invocations[invocation as usize];
        let right = entry.records[0].last + 1 - entry.records[0].first - left;
        self.timeline.splits.push(SplitEntry { lane: entry.lane, at_ms: entry.end_ms, invocation, left, right });
    }

    /// Sends the batch of an invocation to the destination; answers with the message's index.
    pub fn give_up(&mut self, invocation: u32, delivered: bool) -> u32 {
        let entry = &self.timeline.invocations[invocation as usize];
        let (lane, batch, at_ms) = (entry.lane, entry.records[0], entry.end_ms + 2);
        self.fate(batch, if delivered { Fate::DeadLettered } else { Fate::Dropped });
        self.timeline.messages.push(MessageEntry {
            lane,
            at_ms,
            records: vec![batch],
            condition: "RetryAttemptsExhausted".into(),
            delivered,
            invocation: Some(invocation),
        });
        self.timeline.messages.len() as u32 - 1
    }

    /// Brings the records of a message back, or reports their loss.
    pub fn recover(&mut self, message: u32, after_ms: u64, verdict: &str) {
        let MessageEntry { lane, at_ms, records, .. } = self.timeline.messages[message as usize].clone();
        self.fate(records[0], if verdict == "Expired" { Fate::Lost } else { Fate::Recovered });
        let at_ms = at_ms + after_ms;
        self.timeline.recoveries.push(RecoveryEntry {
            lane,
            at_ms,
            records,
            verdict: verdict.into(),
            message: Some(message),
        });
    }

    pub fn fate(&mut self, run: Run, fate: Fate) {
        self.timeline.records[run.first as usize - 1..run.last as usize].iter_mut().for_each(|entry| entry.fate = fate);
    }

    /// The timeline, in the order of time, with its account as facts.
    pub fn end(mut self) -> Timeline {
        self.sort();
        let timeline = &mut self.timeline;
        let ends = timeline.invocations.iter().map(|entry| entry.end_ms);
        let others = timeline.messages.iter().map(|entry| entry.at_ms);
        let recoveries = timeline.recoveries.iter().map(|entry| entry.at_ms);
        timeline.finished_at_ms = ends.chain(others).chain(recoveries).max().unwrap_or(0);
        let count = |fate| timeline.records.iter().filter(|entry| entry.fate == fate).count();
        let facts = [
            ("records", timeline.records.len()),
            ("invocations", timeline.invocations.len()),
            ("handled", count(Fate::Handled)),
            ("recovered", count(Fate::Recovered)),
            ("lost", count(Fate::Lost)),
        ];
        timeline.facts = facts.map(|(label, value)| (label.to_owned(), value.to_string())).into();
        timeline.facts.push(("finished after".into(), format!("{:.1} s", timeline.finished_at_ms as f64 / 1000.0)));
        self.timeline
    }

    /// Invocations were told lane by lane; they are listed by their start, and what points to them has to follow.
    fn sort(&mut self) {
        let timeline = &mut self.timeline;
        let mut order: Vec<usize> = (0..timeline.invocations.len()).collect();
        order.sort_by_key(|index| timeline.invocations[*index].start_ms);
        let mut moved = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, old)| moved[*old] = new as u32);
        timeline.invocations = order.iter().map(|old| timeline.invocations[*old].clone()).collect();
        let follow = |index: &mut u32| *index = moved[*index as usize];
        timeline.invocations.iter_mut().filter_map(|entry| entry.follows.as_mut()).for_each(follow);
        timeline.splits.iter_mut().for_each(|entry| follow(&mut entry.invocation));
        timeline.messages.iter_mut().filter_map(|entry| entry.invocation.as_mut()).for_each(follow);
    }
}

fn response(batch: Run, outcome: InvocationOutcome) -> String {
    match outcome {
        InvocationOutcome::Handled => r#"{"batchItemFailures":[]}"#.into(),
        InvocationOutcome::Failed => r#"Unhandled: "no such customer""#.into(),
        InvocationOutcome::Undelivered => "TooManyRequestsException".into(),
        InvocationOutcome::Partial { handled } => {
            format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"…{:08}"}}]}}"#, (batch.first + handled) * 7_919)
        }
    }
}
