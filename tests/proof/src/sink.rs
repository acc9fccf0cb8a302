//! The hydrator's sink: a queue that takes entry by entry, or a bucket in which an object is there when it is closed.

use crate::ledger::Writer;
use crate::sabotage::Sabotage;
use crate::world::World;
use crate::{Chance, lock};
use recovery::{RangeName, RangeSink, RangeWriter, SinkEntry, SinkError};
use std::sync::{Arc, Mutex};

/// Takes recovered records and loss reports.
pub struct RecoverySink {
    world: Arc<World>,
    chance: Mutex<Chance>,
}

impl RecoverySink {
    /// A sink with bad luck of its own.
    #[must_use]
    pub fn new(world: &Arc<World>, chance: Chance) -> Self {
        Self { world: Arc::clone(world), chance: Mutex::new(chance) }
    }

    /// The way to the service. On an error the entries may have been taken all the same.
    async fn travel(&self, count: usize) -> (bool, Result<(), SinkError>) {
        let plan = &self.world.plan.hydrator;
        let (fails, arrives, latency_ms) = {
            let mut chance = lock(&self.chance);
            let fails = self.world.is_faulty() && chance.happens(plan.sink_fails);
            (fails, chance.happens(500), chance.within(0..=plan.sink_latency_max_ms))
        };
        self.world.clock.pause(latency_ms).await;
        if !fails {
            return (true, Ok(()));
        }
        let reason = "told to fail".to_owned();
        (arrives, Err(SinkError::Failed { count, of: count, sink: "the sink".to_owned(), reason }))
    }

    /// Keeps the entries, and returns their bodies as they are kept.
    fn take(&self, entries: &[SinkEntry]) -> Vec<String> {
        let mut taken = Vec::new();
        let now = self.world.clock.now();
        for entry in entries {
            let body = match self.world.sabotage {
                Some(Sabotage::EntrySwallowed) => continue,
                Some(Sabotage::PayloadChanged) => entry.body.replace(r#""eventVersion":"1."#, r#""eventVersion":"2."#),
                _ => entry.body.clone(),
            };
            self.world.tell(|| format!("sink: {body}"));
            lock(&self.world.ledger).written(Writer::Hydrator, &body, now);
            taken.push(body);
        }
        taken
    }
}

/// Writes one range.
pub struct RecoveryWriter<'s> {
    sink: &'s RecoverySink,
    /// What the object will hold when it is closed; `None` where each entry is safe by itself.
    object: Option<Vec<SinkEntry>>,
    name: RangeName,
}

impl RangeSink for RecoverySink {
    type Writer<'s> = RecoveryWriter<'s>;

    fn open<'s>(&'s self, name: &RangeName) -> RecoveryWriter<'s> {
        let object = self.world.plan.hydrator.sink_of_objects.then(Vec::new);
        RecoveryWriter { sink: self, object, name: name.clone() }
    }
}

impl RangeWriter for RecoveryWriter<'_> {
    async fn write(&mut self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        let (arrives, result) = self.sink.travel(entries.len()).await;
        match &mut self.object {
            Some(object) if arrives => object.extend_from_slice(entries),
            None if arrives => drop(self.sink.take(entries)),
            _ => {}
        }
        result
    }

    async fn close(self) -> Result<(), SinkError> {
        let Some(object) = self.object else { return Ok(()) };
        let (arrives, result) = self.sink.travel(object.len()).await;
        if arrives {
            let taken = self.sink.take(&object);
            // Of a name that is written again, the last object is all that is left.
            let object = (self.sink.world.clock.now(), taken);
            lock(&self.sink.world.sunk).insert(self.name.as_str().to_owned(), object);
        }
        result
    }

    async fn abort(self) {}
}
