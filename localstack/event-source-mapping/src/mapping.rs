//! A mapping: its settings, and a shard for each shard of the stream.

use crate::{Counters, Settings, Shard, StreamRecord, Timing};
use records::{EpochMillis, ShardId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The shards of one stream under one event source mapping.
///
/// Each shard is stepped by itself, so a driver may also take shards from [`Mapping::open`] and run each in a task of its
/// own. Which shards there are is the driver's to find out. A child of a split or a merge begins when all of its parents
/// are finished, so that a key keeps its order across the split (documented).
#[derive(Debug)]
pub struct Mapping<R> {
    settings: Arc<Settings>,
    timing: Timing,
    /// In the order in which they were added.
    members: Vec<Member<R>>,
    by_id: BTreeMap<ShardId, usize>,
}

#[derive(Debug)]
struct Member<R> {
    shard: Shard<R>,
    parents: Vec<ShardId>,
}

impl<R: StreamRecord> Mapping<R> {
    /// A mapping without shards.
    #[must_use]
    pub fn new(settings: Settings, timing: Timing) -> Self {
        Self { settings: Arc::new(settings), timing, members: Vec::new(), by_id: BTreeMap::new() }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes a shard that the mapping does not keep.
    #[must_use]
    pub fn open(&self, id: ShardId) -> Shard<R> {
        Shard::new(Arc::clone(&self.settings), self.timing, id)
    }

    /// The shard of this name, opened if the mapping did not have it.
    pub fn add_shard(&mut self, id: ShardId) -> &mut Shard<R> {
        let index = self.add_child(id, Vec::new());
        &mut self.members[index].shard
    }

    /// Adds a shard that begins when its parents are finished, unless the mapping has it already. Returns its index. A
    /// parent that the mapping does not have counts as finished: the stream has forgotten it.
    pub fn add_child(&mut self, id: ShardId, parents: Vec<ShardId>) -> usize {
        if let Some(index) = self.by_id.get(&id) {
            return *index;
        }
        let index = self.members.len();
        self.members.push(Member { shard: self.open(id.clone()), parents });
        self.by_id.insert(id, index);
        index
    }

    /// Adds the children of a shard that is finished, and returns the indices of those that may begin now.
    pub fn finished(&mut self, parent: &ShardId, children: Vec<(ShardId, Vec<ShardId>)>) -> Vec<usize> {
        for (id, parents) in children {
            self.add_child(id, parents);
        }
        let of_parent = |index: &usize| self.members[*index].parents.contains(parent);
        (0..self.members.len()).filter(|index| of_parent(index) && self.is_ready(*index)).collect()
    }

    /// Whether the shard at an index may begin: all of its parents are finished.
    #[must_use]
    pub fn is_ready(&self, index: usize) -> bool {
        let is_finished = |parent: &ShardId| self.shard(parent).is_none_or(Shard::is_finished);
        self.members.get(index).is_some_and(|member| member.parents.iter().all(is_finished))
    }

    /// How many shards there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no shard.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The shard of this name, if the mapping has it.
    #[must_use]
    pub fn shard(&self, id: &ShardId) -> Option<&Shard<R>> {
        self.by_id.get(id).map(|index| &self.members[*index].shard)
    }

    /// The shard of this name, if the mapping has it.
    pub fn shard_mut(&mut self, id: &ShardId) -> Option<&mut Shard<R>> {
        self.by_id.get(id).map(|index| &mut self.members[*index].shard)
    }

    /// The shard at an index, in the order in which they were added.
    pub fn nth_mut(&mut self, index: usize) -> Option<&mut Shard<R>> {
        self.members.get_mut(index).map(|member| &mut member.shard)
    }

    /// The shards, in the order in which they were added.
    pub fn shards(&self) -> impl Iterator<Item = &Shard<R>> {
        self.members.iter().map(|member| &member.shard)
    }

    /// The shards, in the order in which they were added, to be stepped side by side.
    pub fn shards_mut(&mut self) -> impl Iterator<Item = &mut Shard<R>> {
        self.members.iter_mut().map(|member| &mut member.shard)
    }

    /// What all shards have done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shards().fold(Counters::default(), |mut sum, shard| {
            sum += shard.counters();
            sum
        })
    }

    /// The age in milliseconds of the oldest record of any shard that is polled and not done with.
    #[must_use]
    pub fn iterator_age_ms(&self, now: EpochMillis) -> Option<i64> {
        self.shards().filter_map(|shard| shard.iterator_age_ms(now)).max()
    }

    /// Whether each shard is finished.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.shards().all(Shard::is_finished)
    }
}
