//! The handler: it does with a record what its producer decided, and tells the account.

use crate::lock;
use crate::produce::Fate;
use crate::world::World;
use crate::{Chance, ledger};
use partial_batch::{Change, Contribute, Handler, RecordContext, RecordError, TumblingWindow, Window};
use records::StreamRecord;
use serde::Deserialize;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

/// Handles records, or adds them to a window.
pub struct Hands {
    pub world: Arc<World>,
    pub chance: Mutex<Chance>,
}

/// What the handler reads of an item.
#[derive(Deserialize)]
pub struct Image {
    number: String,
}

impl Hands {
    async fn of_data(&self, data: &[u8], context: RecordContext<'_>) -> Result<u32, RecordError> {
        let is_same = |record: &StreamRecord| matches!(record, StreamRecord::Kinesis(record) if record.data == data);
        self.work(context.sequence_number(), is_same).await
    }

    async fn of_change(&self, change: Change<Image>, context: RecordContext<'_>) -> Result<u32, RecordError> {
        let (Change::Insert { new: image } | Change::Modify { new: image, .. } | Change::Remove { old: image, .. }) =
            change;
        self.work(context.sequence_number(), |record| record.sequence_number().as_str() == image.number).await
    }

    async fn work(&self, number: &str, is_same: impl FnOnce(&StreamRecord) -> bool) -> Result<u32, RecordError> {
        let World { ledger, clock, .. } = &*self.world;
        let task = lock(ledger).begun(number, |entry| is_same(&entry.record), clock.now());
        let task = task.ok_or_else(|| RecordError::invalid("it was never produced"))?;
        if task.slow_ms > 0 {
            clock.pause(task.slow_ms).await;
        }
        match task.fate {
            Fate::FailsTimes(times) if task.tries <= times => return Err(RecordError::retryable("not yet")),
            Fate::Fails => return Err(RecordError::retryable("never")),
            Fate::Invalid => return Err(RecordError::invalid("it is wrong")),
            // Without the hook, which would print what is planned.
            Fate::PanicsTimes(times) if task.tries <= times => resume_unwind(Box::new("as planned")),
            Fate::Hangs => std::future::pending().await,
            Fate::Fine | Fate::FailsTimes(_) | Fate::PanicsTimes(_) => {}
        }
        lock(ledger).handled(task.id, clock.now());
        Ok(task.id)
    }
}

impl Handler<&[u8]> for Hands {
    async fn handle(&self, data: &[u8], context: RecordContext<'_>) -> Result<(), RecordError> {
        self.of_data(data, context).await.map(drop)
    }
}

impl Handler<Change<Image>> for Hands {
    async fn handle(&self, change: Change<Image>, context: RecordContext<'_>) -> Result<(), RecordError> {
        self.of_change(change, context).await.map(drop)
    }
}

impl TumblingWindow for Hands {
    /// The ids of the records in it.
    type State = Vec<u32>;
    type Contribution = u32;

    fn add(&self, state: &mut Vec<u32>, id: u32) {
        state.push(id);
    }

    async fn close(&self, state: &Vec<u32>, window: &Window) -> Result<(), RecordError> {
        let is_faulty = self.world.is_faulty();
        let fails = is_faulty && lock(&self.chance).happens(self.world.plan.function.close_fails);
        self.world.clock.pause(1).await;
        let shard = window.shard_id.as_deref().unwrap_or_default();
        let closed = ledger::ClosedWindow { shard, start: &window.start, ids: state };
        lock(&self.world.ledger).window_closed(&closed, self.world.clock.now());
        // It may be written, and fail all the same.
        if fails { Err(RecordError::retryable("told to fail")) } else { Ok(()) }
    }
}

impl Contribute<&[u8]> for Hands {
    async fn contribution(&self, data: &[u8], context: RecordContext<'_>) -> Result<u32, RecordError> {
        self.of_data(data, context).await
    }
}

impl Contribute<Change<Image>> for Hands {
    async fn contribution(&self, change: Change<Image>, context: RecordContext<'_>) -> Result<u32, RecordError> {
        self.of_change(change, context).await
    }
}
