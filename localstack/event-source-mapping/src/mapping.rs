//! A mapping: its settings, and a shard for each shard of the stream.

use crate::{Counters, Settings, Shard, StreamRecord, Timing};
use records::{EpochMillis, ShardId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The shards of one stream under one event source mapping.
///
/// Each shard is stepped by itself, so a driver may also take shards from [`Mapping::open`] and run each in a task of its
/// own. Which shards there are is the driver's to find out: the children of a split or a merge are added when their
/// parents have finished.
#[derive(Debug)]
pub struct Mapping<R> {
    settings: Arc<Settings>,
    timing: Timing,
    shards: BTreeMap<ShardId, Shard<R>>,
}

impl<R: StreamRecord> Mapping<R> {
    /// A mapping without shards.
    #[must_use]
    pub fn new(settings: Settings, timing: Timing) -> Self {
        Self { settings: Arc::new(settings), timing, shards: BTreeMap::new() }
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
        let (settings, timing) = (&self.settings, self.timing);
        self.shards.entry(id).or_insert_with_key(|id| Shard::new(Arc::clone(settings), timing, id.clone()))
    }

    /// The shard of this name, if the mapping has it.
    pub fn shard_mut(&mut self, id: &ShardId) -> Option<&mut Shard<R>> {
        self.shards.get_mut(id)
    }

    /// The shards, ordered by name.
    pub fn shards(&self) -> impl Iterator<Item = &Shard<R>> {
        self.shards.values()
    }

    /// The shards, ordered by name, to be stepped side by side.
    pub fn shards_mut(&mut self) -> impl Iterator<Item = &mut Shard<R>> {
        self.shards.values_mut()
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
