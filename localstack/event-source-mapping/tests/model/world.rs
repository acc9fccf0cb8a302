//! A stream, a function and a destination that follow a script and remember what happened.

use event_source_mapping::virtual_time::{World, run};
use event_source_mapping::{
    Action, BareRecord, Batch, Counters, Ending, FunctionResult, Invocation, NEVER, OnFailureMessage, Response,
    Settings, SettingsBuilder, Shard, Timing,
};
use records::{EpochMillis, SequenceNumber, ShardId};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

pub const STREAM: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";
pub const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders-failed";

/// 2025-11-25T16:27:01Z, when every test begins.
pub const START: EpochMillis = EpochMillis(1_764_088_021_000);

/// Settings with a destination and without a batching window.
pub fn settings() -> SettingsBuilder {
    Settings::builder(STREAM, "orders").on_failure(QUEUE)
}

/// A small record that arrives `after_ms` after the start.
pub fn record(number: u64, after_ms: i64) -> BareRecord {
    BareRecord {
        sequence_number: SequenceNumber::parse(&number.to_string()).unwrap(),
        arrival: EpochMillis(START.0 + after_ms),
        payload_bytes: 300,
        key_hash: number,
    }
}

/// Records that are there at the start.
pub fn numbered(numbers: RangeInclusive<u64>) -> Vec<BareRecord> {
    numbers.map(|number| record(number, 0)).collect()
}

pub fn numbers(batch: Batch<'_, BareRecord>) -> Vec<u64> {
    batch.iter().map(|record| record.sequence_number.as_str().parse().unwrap()).collect()
}

/// Timing of a stream that trims nothing as long as a test runs.
pub fn long_kept() -> Timing {
    Timing { retention_ms: 30 * 24 * 3_600_000, ..Timing::default() }
}

type Function = dyn FnMut(&[u64]) -> FunctionResult;

/// What surrounds the shard, and the log of what it did.
pub struct Lab {
    stream: VecDeque<BareRecord>,
    function: Box<Function>,
    /// How long each invocation takes.
    pub invocation_ms: i64,
    /// Whether the destination takes messages.
    pub destination_works: bool,
    /// The records of each invocation.
    pub invocations: Vec<Vec<u64>>,
    /// When each was, in milliseconds after the start.
    pub invoked_at_ms: Vec<i64>,
    /// The slot of each.
    pub slots: Vec<usize>,
    /// When the mapping is switched on or off, in milliseconds after the start, ascending.
    pub switches: VecDeque<(i64, bool)>,
    /// The attempt of each.
    pub attempts: Vec<u32>,
    /// What the destination was told.
    pub messages: Vec<OnFailureMessage>,
    /// The records of each message.
    pub given_up: Vec<Vec<u64>>,
    /// Each advance: how many records, how they ended, where the checkpoint stands.
    pub advances: Vec<(usize, Ending, Option<u64>)>,
    /// The records of each advance.
    pub ended: Vec<Vec<u64>>,
    pub counters: Counters,
    pub finished: bool,
}

impl Lab {
    pub fn new(stream: Vec<BareRecord>, function: impl FnMut(&[u64]) -> FunctionResult + 'static) -> Self {
        Self {
            stream: stream.into(),
            function: Box::new(function),
            invocation_ms: 0,
            destination_works: true,
            invocations: Vec::new(),
            invoked_at_ms: Vec::new(),
            slots: Vec::new(),
            switches: VecDeque::new(),
            attempts: Vec::new(),
            messages: Vec::new(),
            given_up: Vec::new(),
            advances: Vec::new(),
            ended: Vec::new(),
            counters: Counters::default(),
            finished: false,
        }
    }

    /// Runs the closed shard to its end, which must come within a virtual week, on a stream that keeps records for a month.
    pub fn run(self, settings: SettingsBuilder) -> Self {
        self.run_with(settings, long_kept(), 7 * 24 * 3_600_000)
    }

    pub fn run_with(mut self, settings: SettingsBuilder, timing: Timing, for_ms: i64) -> Self {
        let id = ShardId::parse("shardId-000000000001").unwrap();
        let mut shard = Shard::new(Arc::new(settings.build().unwrap()), timing, id);
        run(&mut shard, START, EpochMillis(START.0 + for_ms), &mut self);
        self.counters = shard.counters();
        self.finished = shard.is_finished();
        self
    }

    /// The messages as `(start, end, batch size, count)`.
    pub fn ranges(&self) -> Vec<(u64, u64, usize, u32)> {
        let number = |number: &SequenceNumber| number.as_str().parse().unwrap();
        let summary = |message: &OnFailureMessage| {
            let range = message.batch_info.range();
            let count = message.request_context.approximate_invoke_count;
            (number(&range.start_sequence_number), number(&range.end_sequence_number), range.batch_size, count)
        };
        self.messages.iter().map(summary).collect()
    }
}

impl World<BareRecord> for Lab {
    fn poll(&mut self, now: EpochMillis, _shard: &ShardId, limit: usize) -> (Vec<BareRecord>, bool) {
        let arrived = self.stream.iter().take(limit).take_while(|record| record.arrival <= now).count();
        (self.stream.drain(..arrived).collect(), self.stream.is_empty())
    }

    fn invoke(&mut self, now: EpochMillis, shard: &Shard<BareRecord>, invocation: Invocation) -> (Response, i64) {
        let numbers = numbers(shard.batch(invocation.slot));
        let result = (self.function)(&numbers);
        self.invocations.push(numbers);
        self.invoked_at_ms.push(now.0 - START.0);
        let request_id = Some(format!("request-{}", self.invocations.len()));
        (Response { request_id, result }, self.invocation_ms)
    }

    fn deliver(
        &mut self,
        _now: EpochMillis,
        shard: &Shard<BareRecord>,
        slot: usize,
        message: &OnFailureMessage,
    ) -> bool {
        self.messages.push(message.clone());
        self.given_up.push(numbers(shard.batch(slot)));
        self.destination_works
    }

    fn observe(&mut self, _now: EpochMillis, shard: &Shard<BareRecord>, action: &Action) {
        match action {
            Action::Invoke(invocation) => {
                self.attempts.push(invocation.attempt);
                self.slots.push(invocation.slot);
            }
            Action::Advance { records, ending, checkpoint } => {
                let checkpoint = checkpoint.as_ref().map(|number| number.as_str().parse().unwrap());
                self.ended.push(numbers(shard.ended()));
                self.advances.push((*records, *ending, checkpoint));
            }
            _ => {}
        }
    }

    fn switched(&mut self, now: EpochMillis, _shard: &ShardId) -> Option<bool> {
        self.switches.pop_front_if(|(at_ms, _)| START.0 + *at_ms <= now.0).map(|(_, on)| on)
    }

    fn next_switch(&self, _now: EpochMillis, _shard: &ShardId) -> EpochMillis {
        self.switches.front().map_or(NEVER, |(at_ms, _)| EpochMillis(START.0 + at_ms))
    }
}

/// A function that throws on any batch with one of these records.
pub fn throws_on(bad: &'static [u64]) -> impl FnMut(&[u64]) -> FunctionResult {
    move |batch| match batch.iter().any(|number| bad.contains(number)) {
        true => FunctionResult::Failed,
        false => FunctionResult::returned("null"),
    }
}

/// A function that handles records in order and reports the first of these that it meets.
pub fn reports(bad: &'static [u64]) -> impl FnMut(&[u64]) -> FunctionResult {
    move |batch| match batch.iter().find(|number| bad.contains(number)) {
        Some(number) => FunctionResult::reporting([number.to_string().as_str()]),
        None => FunctionResult::returned(r#"{"batchItemFailures":[]}"#),
    }
}

/// A function that answers from a list, then succeeds.
pub fn answers(results: Vec<FunctionResult>) -> impl FnMut(&[u64]) -> FunctionResult {
    let mut results = results.into_iter();
    move |_| results.next().unwrap_or_else(|| FunctionResult::returned("null"))
}
