//! The accounting holds in a wider world: shards and functions side by side, messages that come twice, runs that are
//! short or die, and a sink in which the last object of a name is all that is left of it.

use super::faulty::{Runs, block_on, error_kind, run_to_the_end};
use super::*;
use crate::faults::Faulty;
use crate::{Page, Position, RangeName, RangeWriter, ReadError, ShardIterator, SinkEntry};
use proptest::prelude::*;
use records::ShardId;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// Several shards, each a stream in memory.
struct Shards(BTreeMap<String, MemoryStream>);

impl StreamReader for Shards {
    async fn iterator(&self, stream: &StreamArn, shard: &ShardId, at: &Position) -> Result<ShardIterator, ReadError> {
        let iterator = self.0[shard.as_str()].iterator(stream, shard, at).await?;
        Ok(ShardIterator(format!("{shard}|{}", iterator.0)))
    }

    async fn page(&self, stream: &StreamArn, iterator: &ShardIterator, limit: u32) -> Result<Page, ReadError> {
        let (shard, token) = iterator.0.split_once('|').unwrap();
        let page = self.0[shard].page(stream, &ShardIterator(token.to_owned()), limit).await?;
        Ok(Page { next: page.next.map(|next| ShardIterator(format!("{shard}|{}", next.0))), ..page })
    }

    async fn summary(&self, stream: &StreamArn) -> Result<StreamSummary, ReadError> {
        self.0["shardId-0"].summary(stream).await
    }
}

/// One object for each name: the last one that is closed stands, as [`RangeSink::open`] says.
#[derive(Default)]
struct Objects(Mutex<HashMap<RangeName, Vec<SinkEntry>>>);

struct ObjectWriter<'s> {
    objects: &'s Objects,
    name: RangeName,
    entries: Vec<SinkEntry>,
}

impl Objects {
    fn entries(&self) -> Vec<SinkEntry> {
        self.0.lock().unwrap().values().flatten().cloned().collect()
    }
}

impl RangeSink for Objects {
    type Writer<'s> = ObjectWriter<'s>;

    fn open<'s>(&'s self, name: &RangeName) -> ObjectWriter<'s> {
        ObjectWriter { objects: self, name: name.clone(), entries: Vec::new() }
    }
}

impl RangeWriter for ObjectWriter<'_> {
    async fn abort(self) {}

    async fn write(&mut self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        self.entries.extend_from_slice(entries);
        Ok(())
    }

    async fn close(self) -> Result<(), SinkError> {
        self.objects.0.lock().unwrap().insert(self.name, self.entries);
        Ok(())
    }
}

/// A message: its range, who gave it up, and its batch's size.
#[derive(Debug, Clone)]
struct Wanted {
    shard: u32,
    function: u32,
    start: u64,
    end: u64,
    batch_size: u64,
}

impl Wanted {
    /// What no two messages share, unless one of them is the other's duplicate.
    fn key(&self) -> (u32, u32, u64, u64) {
        (self.shard, self.function, self.start, self.end)
    }
}

/// Three equal shards of 13 records, how they behave, and what two functions want of them.
#[derive(Debug, Clone)]
struct World {
    page_size: usize,
    trimmed: usize,
    trim_later: Option<(u32, usize)>,
    trimming_is_an_error: bool,
    expire_after_pages: Option<u32>,
    held_bytes_max: usize,
    wanted: Vec<Wanted>,
    /// Whether what they want is past its retention, or expires long after the test.
    is_old: bool,
    runs: Runs,
    reads: Vec<(u32, ReadErrorKind)>,
    refused_writes: Vec<u32>,
}

/// The last record is in no range, so that every range has an end that can be seen.
const LAST_WANTED: u64 = 12;

impl World {
    fn hydrator<S: RangeSink>(&self, sink: S) -> Hydrator<Faulty<Shards>, S, Faulty<MemorySurroundings>> {
        let shards = (0..3).map(|shard| (shard_name(shard), self.shard())).collect();
        let mut reader = Faulty::new(Shards(shards));
        reader.reads = self.reads.iter().copied().collect();
        let settings = Settings { held_bytes_max: self.held_bytes_max, ..settings() };
        Hydrator::new(reader, sink, Faulty::new(MemorySurroundings::default()), settings)
    }

    fn shard(&self) -> MemoryStream {
        let numbers: Vec<String> = (1..=LAST_WANTED + 1).map(|n| n.to_string()).collect();
        let mut shard = MemoryStream::with(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
        shard = shard.trim(self.trimmed).page_size(self.page_size);
        if let Some(pages) = self.expire_after_pages {
            shard = shard.expire_after_pages(pages);
        }
        if let Some((pages, records)) = self.trim_later {
            shard = shard.trim_after_pages(pages, records.max(self.trimmed));
        }
        if self.trimming_is_an_error { shard.trimming_is_an_error() } else { shard }
    }

    fn queue(&self) -> Vec<QueueMessage> {
        let body = |wanted: &Wanted| {
            let mut body = message(&wanted.start.to_string(), &wanted.end.to_string(), wanted.batch_size);
            body["KinesisBatchInfo"]["shardId"] = json!(shard_name(wanted.shard));
            body["requestContext"]["functionArn"] = json!(function_arn(wanted.function));
            if self.is_old { arrived(body, "2020-01-01T00:00:00.000Z") } else { lasting(body) }.to_string()
        };
        let bodies: Vec<String> = self.wanted.iter().map(body).collect();
        queue(&bodies.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Every record of every range is in the sink, or within the bounds of a loss report, for its own function.
    fn check(&self, entries: &[SinkEntry]) -> Result<(), TestCaseError> {
        let mut safe = BTreeSet::new();
        for entry in entries {
            let body: Value = serde_json::from_str(&entry.body).unwrap();
            let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
            let position = |pointer: &str| text(pointer).parse::<u64>().unwrap();
            let (shard, positions) = if body["type"] == "loss" {
                (text("/shardId"), position("/startSequenceNumber")..=position("/endSequenceNumber"))
            } else {
                (text("/source/shardId"), position("/source/sequenceNumber")..=position("/source/sequenceNumber"))
            };
            let function = text("/failure/functionArn");
            safe.extend(positions.map(|position| (shard.clone(), function.clone(), position)));
        }
        for wanted in &self.wanted {
            for position in wanted.start..=wanted.end {
                let key = (shard_name(wanted.shard), function_arn(wanted.function), position);
                prop_assert!(safe.contains(&key), "{} of {:?} vanished: {:?}", position, wanted, safe);
            }
        }
        Ok(())
    }
}

fn shard_name(shard: u32) -> String {
    format!("shardId-{shard}")
}

fn function_arn(function: u32) -> String {
    format!("{FUNCTION}-{function}")
}

fn wanted() -> impl Strategy<Value = Wanted> {
    (0..3_u32, 0..2_u32, 1..=LAST_WANTED, 0..8_u64, 0..5_u64).prop_map(|(shard, function, start, more, fewer)| {
        let end = (start + more).min(LAST_WANTED);
        Wanted { shard, function, start, end, batch_size: (end - start + 1).saturating_sub(fewer).max(1) }
    })
}

fn runs() -> impl Strategy<Value = Runs> {
    (
        prop::collection::vec(0..3_000_u64, 0..4),
        prop::collection::vec(1..60_u32, 0..3),
        prop::collection::vec(any::<bool>(), 0..12),
    )
        .prop_map(|(read_ms, killed_after, redelivered)| Runs { read_ms, killed_after, redelivered })
}

fn world() -> impl Strategy<Value = World> {
    (
        (2..5_usize, 0..8_usize, prop::option::of((0..6_u32, 0..=12_usize)), any::<bool>()),
        (prop::option::of(2..4_u32), prop_oneof![Just(0), Just(3), Just(1_000)], any::<bool>()),
        prop::collection::vec(wanted(), 1..5),
        runs(),
        prop::collection::vec((0..30_u32, error_kind()), 0..6),
        prop::collection::vec(0..10_u32, 0..3),
    )
        .prop_map(
            |((page_size, trimmed, trim_later, is_error), (expire, held, is_old), wanted, runs, reads, writes)| World {
                page_size,
                trimmed,
                // What lasts is not trimmed under a reader.
                trim_later: trim_later.filter(|_| is_old),
                trimming_is_an_error: is_error,
                expire_after_pages: expire,
                held_bytes_max: held,
                wanted,
                is_old,
                runs,
                reads,
                refused_writes: writes,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_twice_and_is_cut_off_no_record_vanishes(world in world()) {
        let mut sink = Faulty::new(MemorySink::default());
        sink.refused_writes = world.refused_writes.clone();
        let hydrator = world.hydrator(sink);
        let runs = Runs { killed_after: Vec::new(), ..world.runs.clone() };
        block_on(run_to_the_end(&hydrator, world.queue(), &runs))?;
        world.check(&hydrator.sink.inner.entries())?;
    }

    #[test]
    fn in_however_many_parts_exactly_the_batches_are_delivered(mut world in world()) {
        let mut known = BTreeSet::new();
        world.wanted.retain(|wanted| known.insert(wanted.key()));
        let mut sink = Faulty::new(MemorySink::default());
        sink.refused_writes = world.refused_writes.clone();
        let hydrator = world.hydrator(sink);
        let runs = Runs { read_ms: world.runs.read_ms.clone(), ..Runs::default() };
        let delivered = block_on(run_to_the_end(&hydrator, world.queue(), &runs))?;
        prop_assert_eq!(delivered, world.wanted.iter().map(|wanted| wanted.batch_size).sum::<u64>());
    }

    #[test]
    fn no_run_replaces_an_object_by_one_that_holds_less(world in world()) {
        let hydrator = world.hydrator(Objects::default());
        block_on(run_to_the_end(&hydrator, world.queue(), &world.runs))?;
        world.check(&hydrator.sink.entries())?;
    }
}

/// The rest alone would be: it finds as many records as the batch has left.
#[tokio::test(start_paused = true)]
async fn a_range_whose_start_is_lost_is_not_complete_when_its_rest_is() {
    let hydrator = hydrator(MemoryStream::with(&["1", "2", "3", "4", "5", "6", "7"]).trim(3).page_size(2));
    // Time for one read.
    let limit = TimeLimit { read_until: Instant::now() + Duration::from_millis(400), ..within(600) };
    let hydration = hydrator.hydrate(&queue(&[&lasting(message("1", "7", 5)).to_string()]), limit).await;
    let Outcome::HandedOn(part) = &hydration.messages[0].parts[0].outcome else { panic!("{hydration:?}") };
    assert_eq!((part.delivered, part.recovered, part.lost), (3, 2, 1));
    let rest: Value = serde_json::from_str(&hydrator.surroundings.sent()[0]).unwrap();
    let done = account(outcome(&hydrator, &rest).await);
    let expected = Account { verdict: Some(Verdict::Partial), delivered: 2, recovered: 2, lost: 0, candidates: 0 };
    assert_eq!(done, expected);
    let marks = in_sink(&hydrator.sink, "/certainty");
    assert_eq!(marks[3..], pairs(&[("6", "candidate"), ("7", "certain")]));
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_after_trimming_does_not_replace_what_was_saved() {
    let stream = MemoryStream::with(&["1", "2", "3", "4", "5", "6"]).trim_after_pages(1, 4);
    let hydrator = Hydrator::new(stream, Objects::default(), MemorySurroundings::default(), settings());
    // Killed after the object was closed, or delivered twice by SQS.
    for _ in 0..2 {
        hydrator.hydrate(&queue(&[&lasting(message("1", "6", 6)).to_string()]), within(600)).await;
    }
    let entries = hydrator.sink.entries();
    let saved: BTreeSet<&str> = entries.iter().filter_map(|entry| entry.id.rsplit('/').next()).collect();
    for position in ["1", "2", "3", "4", "5", "6"] {
        assert!(saved.contains(position), "{position} was safe: {saved:?}");
    }
}

/// Ranges of different starts can have the same rest.
#[tokio::test(start_paused = true)]
async fn equal_rests_of_different_ranges_are_told_apart() {
    let numbers = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    let hydrator = hydrator(MemoryStream::with(&numbers));
    let rests = ["1", "2", "3"].map(|start| {
        let mut rest = message("5", "10", 8);
        rest["hydratorProgress"] =
            json!({"after": "5", "startSequenceNumber": start, "found": 3, "accounted": 3, "lost": 0});
        rest["requestContext"]["functionArn"] = json!(format!("{FUNCTION}-{}", if start == "2" { 2 } else { 1 }));
        rest.to_string()
    });
    let hydration = hydrator.hydrate(&queue(&rests.each_ref().map(String::as_str)), within(600)).await;
    for message in &hydration.messages {
        let outcome = &message.parts[0].outcome;
        assert!(matches!(outcome, Outcome::Done(Account { recovered: 5, lost: 0, .. })), "{outcome:?}");
    }
}
