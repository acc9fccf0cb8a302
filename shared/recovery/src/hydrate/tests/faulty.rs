//! The accounting holds whatever fails, and wherever a run dies.

use super::*;
use crate::faults::Faulty;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use tokio::runtime::Builder;

type FaultyTwins = Hydrator<Faulty<MemoryStream>, Faulty<MemorySink>, Faulty<MemorySurroundings>>;

/// A stream of ten records, and how it behaves.
#[derive(Debug, Clone)]
struct World {
    trimmed: usize,
    page_size: usize,
    empty_pages: u32,
    expire_after_pages: Option<u32>,
    trim_later: Option<(u32, usize)>,
    trimming_is_an_error: bool,
    held_bytes_max: usize,
    /// First and last record, counted from 1, and by how much the batch was smaller than the range.
    ranges: Vec<(u64, u64, u64)>,
    reads: Vec<(u32, ReadErrorKind)>,
    refused_writes: Vec<u32>,
}

const RECORDS: u64 = 10;

impl World {
    fn hydrator(&self, is_faulty: bool) -> FaultyTwins {
        let numbers: Vec<String> = (1..=RECORDS).map(|n| n.to_string()).collect();
        let mut stream = MemoryStream::with(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
        // Pages of one record cannot be joined, and an iterator that gives one and expires leads nowhere.
        let is_joined = self.expire_after_pages == Some(1) || self.trim_later.is_some();
        let page_size = self.page_size.max(if is_joined { 2 } else { 1 });
        stream = stream.trim(self.trimmed).page_size(page_size).empty_pages_between(self.empty_pages);
        if let Some(pages) = self.expire_after_pages {
            stream = stream.expire_after_pages(pages);
        }
        if let Some((pages, records)) = self.trim_later {
            stream = stream.trim_after_pages(pages, records.max(self.trimmed));
        }
        if self.trimming_is_an_error {
            stream = stream.trimming_is_an_error();
        }
        let (mut reader, mut sink) = (Faulty::new(stream), Faulty::new(MemorySink::default()));
        if is_faulty {
            reader.reads = self.reads.iter().copied().collect();
            sink.refused_writes = self.refused_writes.clone();
        }
        let settings = Settings { held_bytes_max: self.held_bytes_max, ..settings() };
        Hydrator::new(reader, sink, Faulty::new(MemorySurroundings::default()), settings)
    }

    fn queue(&self) -> Vec<QueueMessage> {
        let body = |(start, end, fewer): &(u64, u64, u64)| {
            let batch_size = (end - start + 1).saturating_sub(*fewer).max(1);
            let body = message(&start.to_string(), &end.to_string(), batch_size);
            // Long past any retention: what is not there is lost.
            arrived(body, "2020-01-01T00:00:00.000Z").to_string()
        };
        let bodies: Vec<String> = self.ranges.iter().map(body).collect();
        queue(&bodies.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Every record of every range is in the sink, or within the bounds of a loss report.
    fn check(&self, hydrator: &FaultyTwins) -> Result<(), TestCaseError> {
        let (mut records, mut losses) = (BTreeSet::new(), Vec::new());
        for entry in hydrator.sink.inner.entries() {
            let name = entry.id.rsplit('/').next().unwrap();
            match name.split_once('-') {
                Some((start, end)) => losses.push(start.parse::<u64>().unwrap()..=end.parse::<u64>().unwrap()),
                None => drop(records.insert(name.parse::<u64>().unwrap())),
            }
        }
        for (start, end, _) in &self.ranges {
            for position in *start..=*end {
                let is_safe = records.contains(&position) || losses.iter().any(|loss| loss.contains(&position));
                prop_assert!(is_safe, "{} of [{}, {}] vanished: {:?} and {:?}", position, start, end, records, losses);
            }
        }
        Ok(())
    }
}

/// How the runs on a queue go, one entry for each run or message; those without one go well.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    /// Milliseconds that a run has for reading.
    pub read_ms: Vec<u64>,
    /// A run is killed when it was polled so many times.
    pub killed_after: Vec<u32>,
    /// Whether a message that may leave the queue comes once more.
    pub redelivered: Vec<bool>,
}

/// Runs until every message has left the queue; what is handed on joins it. Returns how many records were delivered.
pub(super) async fn run_to_the_end<R: StreamReader, S: RangeSink>(
    hydrator: &Hydrator<R, S, Faulty<MemorySurroundings>>,
    mut queue: Vec<QueueMessage>,
    runs: &Runs,
) -> Result<u64, TestCaseError> {
    let mut taken = hydrator.surroundings.inner.sent().len();
    let (mut delivered, mut redelivered) = (0, runs.redelivered.iter());
    for run in 0..40 {
        let read_until = runs.read_ms.get(run).map(|read_ms| Instant::now() + Duration::from_millis(*read_ms));
        let limit = within(3_600);
        let limit = TimeLimit { read_until: read_until.unwrap_or(limit.read_until), ..limit };
        let polls = runs.killed_after.get(run).copied().unwrap_or(u32::MAX);
        // Killed, it answers nothing: all messages come again.
        if let Some(hydration) = killed_after(polls, hydrator.hydrate(&queue, limit)).await {
            for totals in hydration.totals.values() {
                prop_assert_eq!(totals.delivered, totals.recovered + totals.lost);
                delivered += totals.delivered;
            }
            let mut done = hydration.messages.iter().map(Hydrated::is_done);
            queue.retain(|_| !done.next().unwrap_or_default() || redelivered.next().copied().unwrap_or_default());
        }
        let sent = hydrator.surroundings.inner.sent();
        queue.extend(super::queue(&sent[taken..].iter().map(String::as_str).collect::<Vec<_>>()));
        taken = sent.len();
        if queue.is_empty() {
            return Ok(delivered);
        }
    }
    Err(TestCaseError::fail(format!("messages that never leave: {queue:?}")))
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

/// Polls a future so many times, and drops it.
pub(super) async fn killed_after<T>(polls: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future: Option<Pin<Box<_>>> = Some(Box::pin(future));
    let mut left = polls;
    std::future::poll_fn(move |context| {
        let Some(running) = future.as_mut().filter(|_| left > 0) else {
            future = None;
            return Poll::Ready(None);
        };
        left -= 1;
        running.as_mut().poll(context).map(Some)
    })
    .await
}

/// All that a call can fail with.
pub(super) fn error_kind() -> impl Strategy<Value = ReadErrorKind> {
    prop_oneof![
        Just(ReadErrorKind::Throttled),
        Just(ReadErrorKind::Transient),
        Just(ReadErrorKind::Other),
        Just(ReadErrorKind::ExpiredIterator),
        Just(ReadErrorKind::ForeignPosition),
        Just(ReadErrorKind::Trimmed),
        Just(ReadErrorKind::Gone),
    ]
}

fn world() -> impl Strategy<Value = World> {
    let range =
        (1..=RECORDS, 0..4_u64, 0..3_u64).prop_map(|(start, more, fewer)| (start, (start + more).min(RECORDS), fewer));
    (
        (0..=10_usize, 1..4_usize, 0..2_u32, prop::option::of(1..3_u32), prop::option::of((0..4_u32, 0..=10_usize))),
        (any::<bool>(), prop_oneof![Just(0), Just(2), Just(1_000)]),
        prop::collection::vec(range, 1..5),
        prop::collection::vec((0..25_u32, error_kind()), 0..6),
        prop::collection::vec(0..10_u32, 0..3),
    )
        .prop_map(
            |((trimmed, page_size, empty_pages, expire, trim_later), (is_error, held), ranges, reads, writes)| World {
                trimmed,
                page_size,
                empty_pages,
                expire_after_pages: expire,
                trim_later,
                trimming_is_an_error: is_error,
                held_bytes_max: held,
                ranges,
                reads,
                refused_writes: writes,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_fails_every_record_is_recovered_or_reported_lost(world in world()) {
        let hydrator = world.hydrator(true);
        block_on(run_to_the_end(&hydrator, world.queue(), &Runs::default()))?;
        world.check(&hydrator)?;
    }

    #[test]
    fn whenever_the_time_is_over_the_next_runs_complete(world in world(), read_ms in 0..4_000_u64) {
        let hydrator = world.hydrator(false);
        block_on(async {
            let limit = TimeLimit { read_until: Instant::now() + Duration::from_millis(read_ms), ..within(600) };
            let queue = world.queue();
            let first = hydrator.hydrate(&queue, limit).await;
            let mut done = first.messages.iter().map(Hydrated::is_done);
            let mut open: Vec<QueueMessage> = queue;
            open.retain(|_| !done.next().unwrap_or_default());
            let rest = hydrator.surroundings.inner.sent();
            open.extend(super::queue(&rest.iter().map(String::as_str).collect::<Vec<_>>()));
            run_to_the_end(&hydrator, open, &Runs::default()).await
        })?;
        world.check(&hydrator)?;
    }
}

#[test]
fn a_run_that_dies_at_any_await_leaves_a_state_from_which_the_next_completes() {
    let whole = World {
        trimmed: 2,
        page_size: 2,
        empty_pages: 1,
        expire_after_pages: Some(2),
        trim_later: None,
        trimming_is_an_error: false,
        held_bytes_max: 2,
        ranges: vec![(1, 4, 0), (3, 5, 1), (8, 9, 0), (8, 9, 0)],
        reads: Vec::new(),
        refused_writes: Vec::new(),
    };
    let dynamodb = World { trimming_is_an_error: true, held_bytes_max: 1_000, ..whole.clone() };
    for world in [whole, dynamodb] {
        let mut died = 0;
        for polls in 0.. {
            let hydrator = world.hydrator(false);
            let outcome = block_on(async {
                let queue = world.queue();
                // Time for a part of it, so that the handing on dies too.
                let limit = TimeLimit { read_until: Instant::now() + Duration::from_millis(1_700), ..within(600) };
                let finished = killed_after(polls, hydrator.hydrate(&queue, limit)).await.is_some();
                // Killed, it has answered nothing: all messages come again, and what it sent as well.
                let sent = hydrator.surroundings.inner.sent();
                let rest = super::queue(&sent.iter().map(String::as_str).collect::<Vec<_>>());
                run_to_the_end(&hydrator, [queue, rest].concat(), &Runs::default()).await.map(|_| finished)
            });
            world.check(&hydrator).unwrap();
            if outcome.unwrap() {
                break;
            }
            died += 1;
        }
        assert!(died > 30, "it died at {died} points only");
    }
}
