//! The stream: shards that split and merge, records that are trimmed, reads that come short, late, or not at all.
//!
//! It serves the mapping and the hydrator alike, as the services do where it hurts: Kinesis trims without a word, DynamoDB
//! says so; a shard that is closed and empty is gone after its retention.

mod reader;

pub use reader::Reader;

use crate::plan::StreamPlan;
use crate::{Chance, Clock, lock};
use records::{SequenceNumber, ShardId, StreamKind, StreamRecord};
use recovery::{Position, ReadErrorKind, ShardIterator};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// How long an iterator lives at most.
const ITERATOR_LIVES_MS: i64 = 5 * 60_000;

/// Reads of one shard in a second.
const READS_A_SECOND: usize = 5;

/// The stream of a world.
#[derive(Debug)]
pub struct Stream {
    kind: StreamKind,
    plan: StreamPlan,
    calm_after_ms: i64,
    clock: Clock,
    shards: Mutex<Vec<Shard>>,
}

/// One shard.
#[derive(Debug)]
struct Shard {
    id: ShardId,
    parents: Vec<usize>,
    /// The hashes of keys that go here, both inclusive.
    hashes: (u64, u64),
    records: Vec<Stored>,
    closed_at: Option<i64>,
    recent_reads: VecDeque<i64>,
}

/// A record in its shard.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its index in the ledger.
    pub id: u32,
    /// The record.
    pub record: Arc<StreamRecord>,
    /// From then on it cannot be read.
    pub trims_at: i64,
}

/// What one read gives.
pub struct Slice {
    /// The records.
    pub records: Vec<Stored>,
    next: Option<ShardIterator>,
    at_tip: bool,
}

impl Slice {
    /// Where to read on; `None` at the end of a closed shard.
    pub fn next(&self) -> Option<ShardIterator> {
        self.next.clone()
    }
}

impl Stream {
    /// A stream with its first shards.
    #[must_use]
    pub fn new(kind: StreamKind, plan: StreamPlan, calm_after_ms: i64, clock: Clock) -> Self {
        let step = u64::MAX / plan.shards as u64;
        let last = plan.shards - 1;
        let hashes = |index: usize| {
            let start = step * index as u64;
            (start, if index == last { u64::MAX } else { start + step - 1 })
        };
        let shards = (0..plan.shards).map(|index| Shard::new(index, Vec::new(), hashes(index))).collect();
        Self { kind, plan, calm_after_ms, clock, shards: Mutex::new(shards) }
    }

    /// The shard that takes records of this key.
    pub fn shard_of(&self, hash: u64) -> usize {
        let shards = lock(&self.shards);
        let takes = |shard: &Shard| shard.closed_at.is_none() && (shard.hashes.0..=shard.hashes.1).contains(&hash);
        shards.iter().position(takes).unwrap_or(0)
    }

    /// The shard's name.
    pub fn id_of(&self, shard: usize) -> ShardId {
        lock(&self.shards)[shard].id.clone()
    }

    /// Puts a record into the shard.
    pub fn put(&self, shard: usize, id: u32, record: Arc<StreamRecord>) -> i64 {
        let trims_at = self.clock.now().0 + self.plan.retention_ms + self.plan.trim_lag_ms;
        lock(&self.shards)[shard].records.push(Stored { id, record, trims_at });
        trims_at
    }

    /// Splits a shard in two, or merges two that are neighbours.
    pub fn reshard(&self, chance: &mut Chance) {
        let mut shards = lock(&self.shards);
        let mut open: Vec<usize> = (0..shards.len()).filter(|index| shards[*index].closed_at.is_none()).collect();
        open.sort_by_key(|index| shards[*index].hashes);
        let now = self.clock.now().0;
        let first = chance.below(open.len());
        let index = open[first];
        let (start, end) = shards[index].hashes;
        if let Some(other) = open.get(first + 1).copied().filter(|_| chance.happens(400)) {
            let hashes = (start, shards[other].hashes.1);
            let child = Shard::new(shards.len(), vec![index, other], hashes);
            shards[other].closed_at = Some(now);
            shards.push(child);
        } else {
            let middle = start + (end - start) / 2;
            for hashes in [(start, middle), (middle + 1, end)] {
                let child = Shard::new(shards.len(), vec![index], hashes);
                shards.push(child);
            }
        }
        shards[index].closed_at = Some(now);
    }

    /// Nothing is put any more.
    pub fn close(&self) {
        let now = self.clock.now().0;
        lock(&self.shards).iter_mut().for_each(|shard| shard.closed_at = shard.closed_at.or(Some(now)));
    }

    /// The shards that there are at first.
    pub fn first_shards(&self) -> Vec<usize> {
        (0..self.plan.shards).collect()
    }

    /// What the shard was split or merged into, each with its parents.
    pub fn children(&self, shard: usize) -> Vec<(usize, Vec<usize>)> {
        let shards = lock(&self.shards);
        let children = shards.iter().enumerate().filter(|(_, child)| child.parents.contains(&shard));
        children.map(|(index, child)| (index, child.parents.clone())).collect()
    }

    fn find(&self, shard: &ShardId) -> Result<usize, ReadErrorKind> {
        lock(&self.shards).iter().position(|known| known.id == *shard).ok_or(ReadErrorKind::Gone)
    }

    fn iterator_at(&self, index: usize, position: &Position) -> Result<ShardIterator, ReadErrorKind> {
        let (shards, now) = (lock(&self.shards), self.clock.now().0);
        let shard = &shards[index];
        let trimmed = shard.trimmed(now);
        self.check_gone(shard, now)?;
        let place = match position {
            Position::TrimHorizon => trimmed,
            Position::Latest => shard.records.len(),
            Position::At(number) => shard.place_of(number)?,
            Position::After(number) => shard.place_of(number)? + 1,
        };
        if place < trimmed && self.kind == StreamKind::DynamoDb {
            return Err(ReadErrorKind::Trimmed);
        }
        Ok(ShardIterator(format!("{index}:{}:{now}", place.max(trimmed))))
    }

    fn check_gone(&self, shard: &Shard, now: i64) -> Result<(), ReadErrorKind> {
        let kept_ms = self.plan.retention_ms + self.plan.trim_lag_ms;
        let is_gone = shard.closed_at.is_some_and(|closed| closed + kept_ms <= now);
        if is_gone && shard.trimmed(now) == shard.records.len() { Err(ReadErrorKind::Gone) } else { Ok(()) }
    }

    fn read(&self, iterator: &ShardIterator, limit: u32, chance: &mut Chance) -> Result<Slice, ReadErrorKind> {
        let mut parts = iterator.0.split(':').map_while(|part| part.parse::<i64>().ok());
        let (Some(index), Some(place), Some(issued)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(ReadErrorKind::Other);
        };
        let (index, mut place) = (usize::try_from(index).unwrap_or(0), usize::try_from(place).unwrap_or(0));
        let now = self.clock.now().0;
        let mut shards = lock(&self.shards);
        let shard = &mut shards[index];
        self.limit_reads(shard, now)?;
        let is_faulty = self.clock.elapsed_ms() < self.calm_after_ms;
        if now - issued >= ITERATOR_LIVES_MS || is_faulty && chance.happens(self.plan.expired) {
            return Err(ReadErrorKind::ExpiredIterator);
        }
        self.check_gone(shard, now)?;
        let trimmed = shard.trimmed(now);
        if place < trimmed {
            if self.kind == StreamKind::DynamoDb {
                return Err(ReadErrorKind::Trimmed);
            }
            place = trimmed;
        }
        let stalled = self.plan.stalled_ms.is_some_and(|(from, to)| (from..to).contains(&self.clock.elapsed_ms()));
        let is_empty = stalled || is_faulty && chance.happens(self.plan.empty_pages);
        let most = if is_empty { 0 } else { self.plan.page_max.min(limit as usize) };
        let end = place.saturating_add(most).min(shard.records.len());
        let records = shard.records[place..end].to_vec();
        let is_last = shard.closed_at.is_some() && end == shard.records.len();
        let next = (!is_last).then(|| ShardIterator(format!("{index}:{end}:{now}")));
        // DynamoDB has no such hint.
        let at_tip = self.kind == StreamKind::Kinesis && (stalled || end == shard.records.len());
        Ok(Slice { records, next, at_tip })
    }

    fn limit_reads(&self, shard: &mut Shard, now: i64) -> Result<(), ReadErrorKind> {
        if !self.plan.reads_limited {
            return Ok(());
        }
        while shard.recent_reads.front().is_some_and(|read| *read + 1_000 <= now) {
            shard.recent_reads.pop_front();
        }
        if shard.recent_reads.len() >= READS_A_SECOND {
            return Err(ReadErrorKind::Throttled);
        }
        shard.recent_reads.push_back(now);
        Ok(())
    }
}

/// The name of the shard at an index.
pub fn shard_name(index: usize) -> String {
    format!("shardId-{index:012}")
}

impl Shard {
    fn new(index: usize, parents: Vec<usize>, hashes: (u64, u64)) -> Self {
        let id = ShardId::parse(&shard_name(index)).expect("digits make a shard's name");
        Self { id, parents, hashes, records: Vec::new(), closed_at: None, recent_reads: VecDeque::new() }
    }

    /// How many of the oldest records are gone.
    fn trimmed(&self, now: i64) -> usize {
        self.records.partition_point(|stored| stored.trims_at <= now)
    }

    fn place_of(&self, number: &SequenceNumber) -> Result<usize, ReadErrorKind> {
        let found = self.records.binary_search_by(|stored| stored.record.sequence_number().cmp(number));
        found.map_err(|_| ReadErrorKind::ForeignPosition)
    }
}
