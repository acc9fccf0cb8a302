//! What surrounds one shard of the mapping.

use super::polled_record::{PolledRecord, event, fields, ids};
use crate::clock::BEGIN;
use crate::function::Function;
use crate::sabotage::Sabotage;
use crate::stream::{Reader, Stored};
use crate::world::World;
use crate::{Chance, lock};
use event_source_mapping::driver::{Polled, Surroundings};
use event_source_mapping::{Action, FunctionResult, Invocation, OnFailureMessage, Response, Shard};
use records::{EpochMillis, ShardId};
use recovery::{Position, ReadErrorKind, ShardIterator};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// What surrounds one shard.
pub struct ShardSide<'w> {
    world: &'w Arc<World>,
    function: &'w Function,
    index: usize,
    reader: Reader,
    cursor: Mutex<Cursor>,
    /// How many of the plan's switches were told.
    switches: Mutex<usize>,
    chance: Mutex<Chance>,
}

/// How far the shard is read.
struct Cursor {
    iterator: Option<ShardIterator>,
    read_to: Position,
}

impl<'w> ShardSide<'w> {
    pub fn new(world: &'w Arc<World>, function: &'w Function, index: usize, id: &ShardId) -> Self {
        let chance = |what: &str| Chance::new(world.plan.seed, &format!("{what} of {id}"));
        Self {
            world,
            function,
            index,
            reader: Reader::new(&world.stream, chance("polls")),
            cursor: Mutex::new(Cursor { iterator: None, read_to: Position::TrimHorizon }),
            switches: Mutex::new(0),
            chance: Mutex::new(chance("destination")),
        }
    }

    /// Reads one page, and says whether it was the shard's last.
    async fn read(&self, limit: usize) -> Result<(Vec<Stored>, bool), ReadErrorKind> {
        let (iterator, read_to) = {
            let mut cursor = lock(&self.cursor);
            (cursor.iterator.take(), cursor.read_to.clone())
        };
        let iterator = match iterator {
            Some(iterator) => iterator,
            None => self.reader.begin(self.index, &read_to).await?,
        };
        let slice = self.reader.read(&iterator, u32::try_from(limit).unwrap_or(u32::MAX)).await?;
        let mut cursor = lock(&self.cursor);
        cursor.iterator = slice.next();
        if let Some(last) = slice.records.last() {
            cursor.read_to = Position::After(last.record.sequence_number().clone());
        }
        Ok((slice.records, cursor.iterator.is_none()))
    }

    fn polled(&self, stored: Stored) -> PolledRecord {
        let ledger = lock(&self.world.ledger);
        let entry = ledger.entry(stored.id);
        PolledRecord {
            arrival: EpochMillis(entry.arrival),
            delivered: Arc::clone(&entry.delivered),
            key_hash: self.world.hash_of(entry.key),
            is_let_through: self.world.sabotage == Some(Sabotage::FilterSkipped),
            stored,
        }
    }
}

/// A result as text.
fn words(result: &FunctionResult) -> String {
    match result {
        FunctionResult::Returned(body) => String::from_utf8_lossy(body).into_owned(),
        other => format!("{other:?}"),
    }
}

impl<'w> Surroundings<PolledRecord> for ShardSide<'w> {
    type Error = Infallible;

    fn now(&self) -> EpochMillis {
        self.world.clock.now()
    }

    async fn sleep_until(&self, time: EpochMillis) {
        self.world.clock.sleep_until(time).await;
    }

    fn poll<'d>(
        &'d self,
        _shard: &ShardId,
        limit: usize,
    ) -> impl Future<Output = Result<Polled<PolledRecord>, Infallible>> + use<'d, 'w> {
        async move {
            let (mut stored, end_of_shard) = match self.read(limit).await {
                Ok(read) => read,
                // What is gone has no more records; of what is trimmed, the rest is read.
                Err(ReadErrorKind::Gone) => (Vec::new(), true),
                Err(ReadErrorKind::Trimmed) => {
                    lock(&self.cursor).read_to = Position::TrimHorizon;
                    (Vec::new(), false)
                }
                Err(_) => (Vec::new(), false),
            };
            if self.world.sabotage == Some(Sabotage::RecordSkipped) && stored.len() > 3 {
                stored.remove(1);
            }
            let records = stored.into_iter().map(|stored| self.polled(stored)).collect();
            Ok(Polled { records, end_of_shard })
        }
    }

    fn invoke<'d>(
        &'d self,
        shard: &Shard<PolledRecord>,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<'d, 'w> {
        let batch = shard.batch(invocation.slot);
        let ids = ids(batch);
        let mut delivered: Vec<Arc<str>> = batch.iter().map(|record| Arc::clone(&record.delivered)).collect();
        let slot = invocation.slot;
        let window = invocation.window.map_or(String::new(), |window| fields(window, shard, slot));
        let is_final = invocation.window.is_some_and(|window| window.is_final);
        let final_state = is_final.then(|| shard.state(slot).to_owned());
        if self.world.sabotage == Some(Sabotage::BatchReversed) {
            delivered.reverse();
        }
        async move {
            self.world.tell(|| format!("shard {} slot {slot}: invoked with {ids:?}", self.index));
            lock(&self.world.ledger).invoked(&ids, self.now());
            let result = self.function.invoke(event(delivered.into_iter(), &window)).await;
            self.world.tell(|| format!("shard {} slot {slot}: {}", self.index, words(&result)));
            lock(&self.world.ledger).responded(&ids, &result);
            if let Some(state) = final_state {
                lock(&self.world.ledger).final_responded((self.index, slot), &state, &result);
            }
            Ok(result.into())
        }
    }

    fn deliver<'d>(
        &'d self,
        shard: &Shard<PolledRecord>,
        slot: usize,
        message: Box<OnFailureMessage>,
    ) -> impl Future<Output = bool> + use<'d, 'w> {
        let batch = shard.batch(slot);
        let (ids, event) = (ids(batch), event(batch.iter().map(|record| Arc::clone(&record.delivered)), ""));
        async move {
            let range = message.batch_info.range();
            let (start, end) = (range.start_sequence_number.as_str(), range.end_sequence_number.as_str());
            lock(&self.world.ledger).sent(&ids, start, end, range.batch_size, self.now());
            let (is_refused, is_denied, latency_ms) = {
                let (mut chance, plan) = (lock(&self.chance), &self.world.plan.destination);
                (chance.happens(plan.refuses), chance.happens(plan.denies), chance.within(0..=50))
            };
            self.world.clock.pause(latency_ms).await;
            if !is_refused && self.world.sabotage != Some(Sabotage::MessageSwallowed) {
                self.world.send_on_failure(&message, event);
            }
            let says_taken = !is_refused && !is_denied;
            lock(&self.world.ledger).answered(&ids, !is_refused, says_taken, self.now());
            says_taken
        }
    }

    fn observe(&self, shard: &Shard<PolledRecord>, action: &Action) {
        self.world.count_step();
        if !matches!(action, Action::WaitUntil { .. } | Action::Poll { .. }) {
            self.world.tell(|| format!("shard {}: {action:?}, ended {:?}", self.index, ids(shard.ended())));
        }
        if let Action::Advance { ending, checkpoint, .. } = action {
            let ended = ids(shard.ended());
            lock(&self.world.ledger).advanced(self.index, &ended, *ending, checkpoint.as_ref(), self.now());
        }
    }

    async fn switched(&self) -> bool {
        let index = {
            let mut switches = lock(&self.switches);
            let index = *switches;
            *switches += 1;
            index
        };
        match self.world.plan.mapping.switched_ms.get(index) {
            Some(after_ms) => self.world.clock.sleep_until(EpochMillis(BEGIN.0 + after_ms)).await,
            None => std::future::pending().await,
        }
        index % 2 == 1
    }
}
