//! Puts a workload into the streams.

use crate::stack::TABLE_KEY;
use crate::{Books, KinesisPayload, Stack, TableChange, TableWrite, Workload};
use aws_edge::produce::{NewRecord, delete_item, put_item, put_records};
use futures_util::{StreamExt, TryStreamExt, stream};
use records::Item;

/// Most records of one PutRecords call.
const PUT_RECORDS_MAX: usize = 500;

/// Most bytes of one PutRecords call, data and keys: AWS's and the emulator's bound is 5 MiB.
const PUT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Writes to the table under way at once.
const TABLE_WRITES_AT_ONCE: usize = 8;

/// Puts everything in, and each record into the books.
///
/// # Errors
///
/// When a service refuses a write.
pub(crate) async fn run(stack: &Stack, workload: &Workload, books: &Books) -> anyhow::Result<()> {
    let kinesis = async {
        for batch in batches(&workload.kinesis) {
            put_batch(stack, batch, books).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(kinesis, write_table(stack, &workload.dynamodb, books)).map(|_| ())
}

async fn put_batch(stack: &Stack, batch: &[KinesisPayload], books: &Books) -> anyhow::Result<()> {
    let records: Vec<NewRecord> =
        batch.iter().map(|payload| NewRecord::new(&*payload.partition_key, &*payload.data)).collect();
    let placed = put_records(stack.clients(), &stack.stream, &records).await?;
    for (payload, placed) in batch.iter().zip(placed) {
        books.produced_on_kinesis(&placed.shard, &placed.sequence_number, payload);
    }
    Ok(())
}

/// Cuts payloads, in order, into calls.
fn batches(payloads: &[KinesisPayload]) -> Vec<&[KinesisPayload]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, payload) in payloads.iter().enumerate() {
        let size = payload.data.len() + payload.partition_key.len();
        if index > start && (index - start == PUT_RECORDS_MAX || bytes + size > PUT_BYTES_MAX) {
            batches.push(&payloads[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    if start < payloads.len() {
        batches.push(&payloads[start..]);
    }
    batches
}

/// Writes of one kind side by side, one kind after the other: an item is there before it is replaced or deleted.
async fn write_table(stack: &Stack, writes: &[TableWrite], books: &Books) -> anyhow::Result<()> {
    let kinds: [fn(&TableChange) -> bool; 3] = [
        |change| matches!(change, TableChange::Insert { .. }),
        |change| matches!(change, TableChange::Modify { .. }),
        |change| matches!(change, TableChange::Remove { .. }),
    ];
    for is_kind in kinds {
        stream::iter(writes.iter().filter(|write| is_kind(&write.change)))
            .map(Ok)
            .try_for_each_concurrent(TABLE_WRITES_AT_ONCE, |write| write_one(stack, write, books))
            .await?;
    }
    Ok(())
}

async fn write_one(stack: &Stack, write: &TableWrite, books: &Books) -> anyhow::Result<()> {
    match &write.change {
        TableChange::Insert { new } | TableChange::Modify { new, .. } => {
            put_item(stack.clients(), &stack.names.table, new).await?
        }
        TableChange::Remove { old } => {
            let key: Item =
                old.iter().filter(|(name, _)| *name == TABLE_KEY).map(|(k, v)| (k.clone(), v.clone())).collect();
            delete_item(stack.clients(), &stack.names.table, &key).await?;
        }
    }
    books.produced_on_dynamodb(write);
    Ok(())
}
