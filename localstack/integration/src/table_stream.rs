//! A table's stream: when it can be read, and where the changes are that were made. AWS decides how many shards it has.

use crate::patience::{until, until_ok};
use crate::{Range, World};
use anyhow::{Context, ensure};
use aws_edge::provision::list_shards;
use aws_edge::{AwsStreamReader, Clients};
use records::{SequenceNumber, ShardId, StreamArn};
use recovery::{Position, ShardIterator, StreamReader};
use std::time::Duration;

/// How long the stream of a table that is active may stay unreadable.
const READABLE_LIMIT: Duration = Duration::from_secs(60);

/// How long a change may take to be in the stream.
const CHANGED_LIMIT: Duration = Duration::from_secs(60);

/// The most records of a page.
const PAGE: u32 = 100;

/// Waits until the stream of a new table can be read. LocalStack's tables are active some time before their streams are,
/// and what is put in meanwhile never comes out.
pub(crate) async fn readable(clients: &Clients, stream: &StreamArn) -> anyhow::Result<()> {
    let reader = AwsStreamReader::new(clients.clone());
    until_ok("the stream of the new table to be readable", READABLE_LIMIT, async || {
        let shards = list_shards(clients, stream).await?;
        begin(&reader, stream, shards).await.map(drop)
    })
    .await
}

/// The range of all `count` changes of a table, which are changes of one item: those share a shard. A write does not say
/// where it ends up, so they are read as a mapping does.
///
/// # Errors
///
/// When they are not in one shard of the stream.
pub async fn table_range(world: &World, stream: &StreamArn, count: usize) -> anyhow::Result<Range> {
    let reader = AwsStreamReader::new(world.clients().clone());
    let shards = list_shards(world.clients(), stream).await?;
    let mut readings = begin(&reader, stream, shards).await?;
    until(&format!("{count} changes in one shard of `{stream}`"), CHANGED_LIMIT, async || {
        for reading in &mut readings {
            reading.read(&reader, stream).await?;
            if let Some(range) = reading.range(stream, count) {
                return Ok(Some(range));
            }
        }
        Ok(None)
    })
    .await
}

/// A shard that is being read from its beginning.
struct Reading {
    shard: ShardId,
    numbers: Vec<SequenceNumber>,
    /// `None` at the end of a shard that is closed.
    next: Option<ShardIterator>,
}

/// Begins to read all of these shards.
async fn begin(reader: &impl StreamReader, stream: &StreamArn, shards: Vec<ShardId>) -> anyhow::Result<Vec<Reading>> {
    ensure!(!shards.is_empty(), "`{stream}` has no shards");
    let mut readings = Vec::new();
    for shard in shards {
        let iterator = reader.iterator(stream, &shard, &Position::TrimHorizon).await;
        let iterator = iterator.with_context(|| format!("failed to begin `{shard}`"))?;
        readings.push(Reading { shard, numbers: Vec::new(), next: Some(iterator) });
    }
    Ok(readings)
}

impl Reading {
    async fn read(&mut self, reader: &impl StreamReader, stream: &StreamArn) -> anyhow::Result<()> {
        let Some(iterator) = self.next.take() else { return Ok(()) };
        let page = reader.page(stream, &iterator, PAGE).await?;
        self.numbers.extend(page.records.iter().map(|record| record.sequence_number().clone()));
        self.next = page.next;
        Ok(())
    }

    /// The range of the first `count` records, once they are there.
    fn range(&self, stream: &StreamArn, count: usize) -> Option<Range> {
        let (start, end) = (self.numbers.first()?, self.numbers.get(count.checked_sub(1)?)?);
        Some(Range { stream: stream.clone(), shard: self.shard.clone(), start: start.clone(), end: end.clone(), count })
    }
}
