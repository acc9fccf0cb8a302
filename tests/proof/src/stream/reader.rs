//! Those who read the stream: the mapping, and the hydrator. The way there takes its time, and may lead nowhere.

use super::{Slice, Stream};
use crate::{Chance, lock};
use records::{EpochMillis, ShardId, StreamArn};
use recovery::{Page, Position, ReadError, ReadErrorKind, ShardIterator, StreamReader, StreamSummary};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One who reads the stream, with bad luck of its own.
#[derive(Debug)]
pub struct Reader {
    stream: Arc<Stream>,
    chance: Mutex<Chance>,
}

impl Reader {
    /// A reader.
    #[must_use]
    pub fn new(stream: &Arc<Stream>, chance: Chance) -> Self {
        Self { stream: Arc::clone(stream), chance: Mutex::new(chance) }
    }

    /// An iterator, as [`StreamReader::iterator`] gives it.
    ///
    /// # Errors
    ///
    /// What the service or the network does.
    pub async fn begin(&self, shard: usize, position: &Position) -> Result<ShardIterator, ReadErrorKind> {
        self.travel().await?;
        self.stream.iterator_at(shard, position)
    }

    /// A page, as [`StreamReader::page`] gives it, of records that are not copied.
    ///
    /// # Errors
    ///
    /// What the service or the network does.
    pub async fn read(&self, iterator: &ShardIterator, limit: u32) -> Result<Slice, ReadErrorKind> {
        self.travel().await?;
        self.stream.read(iterator, limit, &mut lock(&self.chance))
    }

    /// The way to the service: it takes its time, and may lead nowhere.
    async fn travel(&self) -> Result<(), ReadErrorKind> {
        let Stream { plan, clock, calm_after_ms, .. } = &*self.stream;
        let (latency_ms, error) = {
            let mut chance = lock(&self.chance);
            let is_faulty = clock.elapsed_ms() < *calm_after_ms;
            let throttled = (is_faulty && chance.happens(plan.throttled)).then_some(ReadErrorKind::Throttled);
            let transient = (is_faulty && chance.happens(plan.transient)).then_some(ReadErrorKind::Transient);
            (chance.within(0..=plan.latency_max_ms), throttled.or(transient))
        };
        if latency_ms > 0 {
            clock.pause(latency_ms).await;
        }
        error.map_or(Ok(()), Err)
    }
}

fn error(kind: ReadErrorKind) -> ReadError {
    ReadError { kind, message: format!("the stream answers {kind:?}") }
}

impl StreamReader for Reader {
    async fn iterator(&self, _: &StreamArn, shard: &ShardId, at: &Position) -> Result<ShardIterator, ReadError> {
        let index = self.stream.find(shard).map_err(error)?;
        self.begin(index, at).await.map_err(error)
    }

    async fn page(&self, _: &StreamArn, iterator: &ShardIterator, limit: u32) -> Result<Page, ReadError> {
        let slice = self.read(iterator, limit).await.map_err(error)?;
        let records = slice.records.iter().map(|stored| (*stored.record).clone()).collect();
        Ok(Page { records, next: slice.next, at_tip: slice.at_tip })
    }

    async fn summary(&self, _: &StreamArn) -> Result<StreamSummary, ReadError> {
        self.travel().await.map_err(error)?;
        let retention_ms = u64::try_from(self.stream.plan.retention_ms).unwrap_or(0);
        Ok(StreamSummary { retention: Duration::from_millis(retention_ms), created: Some(EpochMillis(0)) })
    }
}
