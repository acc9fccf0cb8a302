//! Splits and merges in mid-stream.

use crate::world::{QUEUE, START, STREAM, numbers, record};
use event_source_mapping::virtual_time::{World, run_mapping};
use event_source_mapping::{
    BareRecord, FunctionResult, Invocation, Mapping, OnFailureMessage, Response, Settings, Shard, Timing,
};
use records::{EpochMillis, ShardId};
use std::collections::BTreeMap;

/// Shards that are closed behind their records, and what they became.
#[derive(Default)]
struct Stream {
    records: BTreeMap<ShardId, Vec<BareRecord>>,
    children: BTreeMap<ShardId, Vec<(ShardId, Vec<ShardId>)>>,
    /// Fails once.
    poison: Option<u64>,
    invocations: Vec<(i64, String, Vec<u64>)>,
}

fn id(name: &str) -> ShardId {
    ShardId::parse(name).unwrap()
}

impl World<BareRecord> for Stream {
    fn poll(&mut self, _now: EpochMillis, shard: &ShardId, _limit: usize) -> (Vec<BareRecord>, bool) {
        (self.records.remove(shard).unwrap_or_default(), true)
    }

    fn invoke(&mut self, now: EpochMillis, shard: &Shard<BareRecord>, invocation: Invocation) -> (Response, i64) {
        let batch = numbers(shard.batch(invocation.slot));
        self.invocations.push((now.0 - START.0, shard.id().as_str().to_owned(), batch.clone()));
        let result = match self.poison.take_if(|poison| batch.contains(poison)) {
            Some(_) => FunctionResult::Failed,
            None => FunctionResult::returned("null"),
        };
        (result.into(), 100)
    }

    fn deliver(&mut self, _: EpochMillis, _: &Shard<BareRecord>, _: usize, _: &OnFailureMessage) -> bool {
        true
    }

    fn children(&mut self, shard: &ShardId) -> Vec<(ShardId, Vec<ShardId>)> {
        self.children.remove(shard).unwrap_or_default()
    }
}

fn run(stream: &mut Stream, shards: &[&str]) -> Mapping<BareRecord> {
    let settings = Settings::builder(STREAM, "orders").on_failure(QUEUE).build().unwrap();
    let mut mapping = Mapping::new(settings, Timing::default());
    for shard in shards {
        mapping.add_shard(id(shard));
    }
    run_mapping(&mut mapping, START, EpochMillis(START.0 + 3_600_000), stream);
    assert!(mapping.is_finished());
    mapping
}

#[test]
fn the_children_of_a_split_begin_when_their_parent_is_finished() {
    let mut stream = Stream { poison: Some(1), ..Stream::default() };
    stream.records = [("a", 1), ("b", 2), ("c", 3)].map(|(shard, number)| (id(shard), vec![record(number, 0)])).into();
    stream.children.insert(id("a"), vec![(id("b"), vec![id("a")]), (id("c"), vec![id("a")])]);
    let mapping = run(&mut stream, &["a"]);
    let order: Vec<_> = stream.invocations.iter().map(|(_, shard, batch)| (shard.as_str(), batch[0])).collect();
    assert_eq!(order, [("a", 1), ("a", 1), ("b", 2), ("c", 3)]);
    assert_eq!(mapping.len(), 3);
}

#[test]
fn the_child_of_a_merge_waits_for_both_of_its_parents() {
    let mut stream = Stream { poison: Some(2), ..Stream::default() };
    stream.records = [("a", 1), ("b", 2), ("c", 3)].map(|(shard, number)| (id(shard), vec![record(number, 0)])).into();
    let merged = vec![(id("c"), vec![id("a"), id("b")])];
    stream.children = [(id("a"), merged.clone()), (id("b"), merged)].into();
    run(&mut stream, &["a", "b"]);
    let ends_of_b: i64 =
        stream.invocations.iter().filter(|(_, shard, _)| shard == "b").map(|(at, ..)| at + 100).max().unwrap();
    let of_c: Vec<_> = stream.invocations.iter().filter(|(_, shard, _)| shard == "c").collect();
    assert_eq!(of_c.len(), 1, "the child of two parents is one shard");
    assert!(of_c[0].0 >= ends_of_b, "{:?}", stream.invocations);
}

#[test]
fn shards_run_side_by_side() {
    let records = [("a", 1), ("b", 2)].map(|(shard, number)| (id(shard), vec![record(number, 0)]));
    let mut stream = Stream { records: records.into(), ..Stream::default() };
    run(&mut stream, &["a", "b"]);
    assert_eq!(stream.invocations.iter().map(|(at_ms, ..)| *at_ms).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn a_parent_that_the_stream_has_forgotten_holds_nobody_up() {
    let mut mapping: Mapping<BareRecord> =
        Mapping::new(Settings::builder(STREAM, "orders").build().unwrap(), Timing::default());
    let child = mapping.add_child(id("child"), vec![id("trimmed")]);
    assert!(mapping.is_ready(child));
    let parent = mapping.add_child(id("parent"), Vec::new());
    let grandchild = mapping.add_child(id("grandchild"), vec![id("parent"), id("child")]);
    assert!(mapping.is_ready(parent) && !mapping.is_ready(grandchild));
}
