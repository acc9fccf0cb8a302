//! How many records the model delivers in a second of one core: `cargo bench -p event-source-mapping`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for the person who runs it")]

use event_source_mapping::virtual_time::{World, run};
use event_source_mapping::{
    BareRecord, Counters, FunctionResult, Invocation, OnFailureMessage, Response, Settings, SettingsBuilder, Shard,
    Timing,
};
use records::{EpochMillis, SequenceNumber, ShardId};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

const STREAM: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders-failed";
const RECORDS: u64 = 2_000_000;

/// What is asked for: deliveries of records per second, on one core.
const ASKED_FOR: f64 = 1e6;

/// A stream, and a function that takes no time and knows which records are bad.
struct Stream {
    records: VecDeque<BareRecord>,
    /// Every how many records one is bad.
    bad: Option<u64>,
    reports: bool,
}

impl Stream {
    /// As wide as the numbers of Kinesis: 56 digits.
    fn new(bad: Option<u64>, reports: bool) -> Self {
        let record = |number: u64| BareRecord {
            sequence_number: SequenceNumber::parse(&format!("4959033827149025660855969{number:031}")).unwrap(),
            arrival: EpochMillis(0),
            payload_bytes: 600,
            key_hash: number,
        };
        Self { records: (1..=RECORDS).map(record).collect(), bad, reports }
    }

    /// The key of a record is its number.
    fn answer(&self, shard: &Shard<BareRecord>, slot: usize) -> FunctionResult {
        let is_bad = |record: &&BareRecord| self.bad.is_some_and(|bad| record.key_hash.is_multiple_of(bad));
        match shard.batch(slot).iter().find(is_bad) {
            None => FunctionResult::returned("null"),
            Some(record) if self.reports => FunctionResult::reporting([record.sequence_number.as_str()]),
            Some(_) => FunctionResult::Failed,
        }
    }
}

impl World<BareRecord> for Stream {
    fn poll(&mut self, _now: EpochMillis, _shard: &ShardId, limit: usize) -> (Vec<BareRecord>, bool) {
        let page = self.records.drain(..limit.min(self.records.len())).collect();
        (page, self.records.is_empty())
    }

    fn invoke(&mut self, _now: EpochMillis, shard: &Shard<BareRecord>, invocation: Invocation) -> (Response, i64) {
        (self.answer(shard, invocation.slot).into(), 0)
    }

    fn deliver(&mut self, _: EpochMillis, _: &Shard<BareRecord>, _: usize, _: &OnFailureMessage) -> bool {
        true
    }
}

fn measure(what: &str, settings: SettingsBuilder, mut stream: Stream) {
    let settings = Arc::new(settings.build().unwrap());
    let mut shard = Shard::new(settings, Timing::default(), ShardId::parse("shardId-000000000000").unwrap());
    let started = Instant::now();
    run(&mut shard, EpochMillis(0), EpochMillis(i64::MAX), &mut stream);
    let seconds = started.elapsed().as_secs_f64();
    let Counters { invocations, invoked_records, handled_records, delivered_records, .. } = shard.counters();
    assert!(shard.is_finished() && handled_records + delivered_records == RECORDS);
    #[expect(clippy::cast_precision_loss, reason = "a count for the eye")]
    let per_second = invoked_records as f64 / seconds;
    println!(
        "{what:<44} {invocations:>9} invocations {:>8.2} M deliveries/s  {:>5.1} x asked for",
        per_second / 1e6,
        per_second / ASKED_FOR
    );
}

fn main() {
    let settings = || Settings::builder(STREAM, "orders").on_failure(QUEUE).maximum_retry_attempts(2);
    let reporting = || settings().report_batch_item_failures(true);
    measure("all handled, batches of 100", settings(), Stream::new(None, false));
    measure("all handled, batches of 10,000", settings().batch_size(10_000), Stream::new(None, false));
    measure("all handled, batches of 1", settings().batch_size(1), Stream::new(None, false));
    measure("all handled, 10 slots", settings().parallelization_factor(10), Stream::new(None, false));
    let both = reporting().bisect_batch_on_function_error(true);
    measure("1 of 1,000 fails, reported, bisect", both.clone(), Stream::new(Some(1000), true));
    measure("the same, 10 slots", both.parallelization_factor(10), Stream::new(Some(1000), true));
    let bisect = settings().bisect_batch_on_function_error(true);
    measure("1 of 1,000 fails, thrown, bisect", bisect, Stream::new(Some(1000), false));
    measure("1 of 1,000 fails, whole batches", settings(), Stream::new(Some(1000), false));
}
