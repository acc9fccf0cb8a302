//! The queue that invalid records go to, which fails in its own ways.

use crate::ledger::Writer;
use crate::world::World;
use crate::{Chance, lock};
use partial_batch::Quarantine;
use recovery::{Sink, SinkEntry, SinkError};
use std::sync::{Arc, Mutex};

/// A quarantine of this world, with bad luck of its own.
pub fn quarantine(world: &Arc<World>, seed: u64) -> Option<Quarantine> {
    let fails = world.plan.function.quarantine?;
    let chance = Mutex::new(Chance::new(seed, "quarantine"));
    Some(Quarantine::new(QuarantineQueue { world: Arc::clone(world), chance, fails }))
}

struct QuarantineQueue {
    world: Arc<World>,
    chance: Mutex<Chance>,
    /// How often, per mille.
    fails: u32,
}

/// Longer than any engine waits.
const LATE_MS: i64 = 60_000;

impl Sink for QuarantineQueue {
    async fn write(&self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        let is_faulty = self.world.is_faulty();
        let (fails, is_late, arrives) = {
            let mut chance = lock(&self.chance);
            (is_faulty && chance.happens(self.fails), is_faulty && chance.happens(self.fails), chance.happens(500))
        };
        // What fails may have arrived all the same.
        if !fails || arrives {
            let now = self.world.clock.now();
            entries.iter().for_each(|entry| lock(&self.world.ledger).written(Writer::Quarantine, &entry.body, now));
        }
        if is_late {
            self.world.clock.pause(LATE_MS).await;
        }
        if !fails {
            return Ok(());
        }
        let (count, reason) = (entries.len(), "told to fail".to_owned());
        Err(SinkError::Failed { count, of: count, sink: "the quarantine".to_owned(), reason })
    }
}
