//! Prints what the hydrator costs: `cargo bench -p scenarios --bench hydrator`.
//!
//! The emulator runs in a process of its own, which is this program again: memory and CPU are the hydrator's alone. What
//! is printed of CPU is a ratio to decoding the same page once.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for the person who runs it")]

mod emulated;
mod process;

use aws_edge::AwsStreamReader;
use emulated::{Emulated, Filled};
use process::{cpu_time, memory_now_bytes, memory_peak_bytes, reset_memory_peak};
use records::{ShardId, StreamArn};
use recovery::memory::MemorySurroundings;
use recovery::{
    Hydration, Hydrator, Page, Position, QueueMessage, ReadError, ReadErrorKind, Settings, ShardIterator, Sink,
    SinkEntry, SinkError, StreamReader, StreamSummary, TimeLimit, Totals,
};
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// What GetRecords gives at most.
const PAGE_RECORDS_MAX: usize = 10_000;

const RUNS: usize = 9;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if std::env::args().any(|argument| argument == emulated::SERVE) {
        return emulated::serve().await;
    }
    let emulated = Emulated::start();
    one_long_range(&emulated).await;
    scattered_messages(&emulated).await;
    every_second_read_is_throttled(&emulated).await;
}

/// First of all, since memory that was in use before would not be seen.
async fn one_long_range(emulated: &Emulated) {
    let stream = &emulated.large;
    let records = stream.numbers.len();
    let body = [stream.message(0, records - 1, records)];
    let hydrator = hydrator(AwsStreamReader::new(emulated.clients()));
    let idle = memory_now_bytes();
    reset_memory_peak();
    let totals = totals(&hydrator.hydrate(&queue(&body), in_two_minutes()).await);
    let peak = memory_peak_bytes();
    assert_eq!(hydrator.sink.entries(), (records, records));
    println!("a range of {records} records of {} bytes:", emulated::LARGE_BYTES);
    println!("    reads: {}, of at least {}", totals.reads, records.div_ceil(PAGE_RECORDS_MAX));
    println!("    peak memory above idle: {:.1} MB", peak.saturating_sub(idle) as f64 / 1e6);

    let (mut decoding, mut hydrating) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let reader = AwsStreamReader::new(emulated.clients());
        let started = cpu_time();
        assert_eq!(one_page(&reader, stream).await.records.len(), records);
        decoding.push(cpu_time() - started);
        let hydrator = self::hydrator(AwsStreamReader::new(emulated.clients()));
        let started = cpu_time();
        hydrator.hydrate(&queue(&body), in_two_minutes()).await;
        hydrating.push(cpu_time() - started);
    }
    let (decoding, hydrating) = (median(decoding), median(hydrating));
    let per_record = |time: Duration| time.as_secs_f64() * 1e6 / records as f64;
    println!("    cpu per record: {:.2} us, to decode it {:.2} us", per_record(hydrating), per_record(decoding));
    println!("    ratio to decoding it once: {:.2}", hydrating.as_secs_f64() / decoding.as_secs_f64());
}

async fn scattered_messages(emulated: &Emulated) {
    let stream = &emulated.small;
    let records = stream.numbers.len();
    let distance = records / 1_000;
    // Somewhere in each thousandth, and in the same place each time it runs.
    let bodies: Vec<_> =
        (0..1_000).map(|n| n * distance + n * 37 % distance).map(|n| stream.message(n, n, 1)).collect();
    let hydrator = hydrator(AwsStreamReader::new(emulated.clients()));
    let started = Instant::now();
    let totals = totals(&hydrator.hydrate(&queue(&bodies), in_two_minutes()).await);
    assert_eq!(hydrator.sink.entries(), (1_000, 1_000));
    let fewest = records.div_ceil(PAGE_RECORDS_MAX);
    println!("1,000 messages of one record each, scattered over {records} records of a shard:");
    println!("    reads: {}, of at least {fewest}: {:.2} times", totals.reads, totals.reads as f64 / fewest as f64);
    println!("    time: {:?}", started.elapsed());
}

async fn every_second_read_is_throttled(emulated: &Emulated) {
    let stream = &emulated.small;
    let records = stream.numbers.len();
    let body = [stream.message(0, records - 1, PAGE_RECORDS_MAX)];
    let reader = EverySecondThrottled { reader: AwsStreamReader::new(emulated.clients()), pages: AtomicU32::new(0) };
    let hydrator = hydrator(reader);
    let (started, cpu) = (Instant::now(), cpu_time());
    let hydration = hydrator.hydrate(&queue(&body), in_two_minutes()).await;
    let totals = totals(&hydration);
    assert!(hydration.messages[0].is_done());
    let (entries, different) = hydrator.sink.entries();
    println!("a range of {records} records, every second read throttled:");
    println!("    reads: {}, {} of them throttled", totals.reads, totals.throttles);
    println!("    records in the sink: {different}, and {} of them twice", entries - different);
    println!("    time: {:?}, on the cpu {:?}", started.elapsed(), cpu_time() - cpu);
}

fn hydrator<R: StreamReader>(reader: R) -> Hydrator<R, CountingSink, MemorySurroundings> {
    // The emulated stream has no bound on reads.
    let settings = Settings { reads_per_second: 1_000, ..Settings::default() };
    Hydrator::new(reader, CountingSink::default(), MemorySurroundings::default(), settings)
}

fn queue(bodies: &[String]) -> Vec<QueueMessage> {
    let message = |(n, body): (usize, &String)| QueueMessage {
        message_id: n.to_string(),
        body: body.clone(),
        queue_arn: String::new(),
    };
    bodies.iter().enumerate().map(message).collect()
}

fn in_two_minutes() -> TimeLimit {
    TimeLimit::until(Instant::now() + Duration::from_secs(120))
}

fn totals(hydration: &Hydration) -> Totals {
    let mut totals = hydration.totals.values();
    let (Some(totals), None) = (totals.next(), totals.next()) else { panic!("expected one stream: {hydration:#?}") };
    assert_eq!((totals.failed_messages, totals.delivered), (0, totals.recovered + totals.lost), "{hydration:#?}");
    *totals
}

async fn one_page(reader: &AwsStreamReader, stream: &Filled) -> Page {
    let (arn, shard) = (&stream.arn, &stream.shard);
    let iterator = reader.iterator(arn, shard, &Position::At(stream.numbers[0].clone())).await.unwrap();
    reader.page(arn, &iterator, PAGE_RECORDS_MAX as u32).await.unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Remembers the ids alone: a sink's own memory is none of the hydrator's.
#[derive(Debug, Default)]
struct CountingSink(Mutex<(usize, HashSet<String>)>);

impl CountingSink {
    /// How many entries were written, and how many different ones.
    fn entries(&self) -> (usize, usize) {
        let kept = self.0.lock().unwrap();
        (kept.0, kept.1.len())
    }
}

impl Sink for CountingSink {
    async fn write(&self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        let mut kept = self.0.lock().unwrap();
        kept.0 += entries.len();
        // An id begins with what is the same for all of a stream.
        kept.1.extend(entries.iter().filter_map(|entry| entry.id.rsplit('/').next()).map(str::to_owned));
        Ok(())
    }
}

struct EverySecondThrottled {
    reader: AwsStreamReader,
    pages: AtomicU32,
}

impl StreamReader for EverySecondThrottled {
    async fn iterator(
        &self,
        stream: &StreamArn,
        shard: &ShardId,
        position: &Position,
    ) -> Result<ShardIterator, ReadError> {
        self.reader.iterator(stream, shard, position).await
    }

    async fn page(&self, stream: &StreamArn, iterator: &ShardIterator, limit: u32) -> Result<Page, ReadError> {
        if self.pages.fetch_add(1, Relaxed) % 2 == 1 {
            return Err(ReadError { kind: ReadErrorKind::Throttled, message: "asked too often".to_owned() });
        }
        self.reader.page(stream, iterator, limit).await
    }

    async fn summary(&self, stream: &StreamArn) -> Result<StreamSummary, ReadError> {
        self.reader.summary(stream).await
    }
}
