//! On-failure messages by hand, as Lambda writes them.

use crate::World;
use anyhow::Context;
use aws_edge::AwsStreamReader;
use aws_edge::produce::Placed;
use aws_edge::provision::list_shards;
use jiff::Timestamp;
use records::{SequenceNumber, ShardId, StreamArn, StreamKind};
use recovery::{Position, StreamReader};
use serde_json::json;

/// What a message speaks of.
#[derive(Debug, Clone)]
pub struct Range {
    /// The stream.
    pub stream: StreamArn,
    /// The shard.
    pub shard: ShardId,
    /// The first record.
    pub start: SequenceNumber,
    /// The last record.
    pub end: SequenceNumber,
    /// How many records the batch had.
    pub count: usize,
}

/// The most records that a table's range is looked for in.
const PAGE: u32 = 100;

/// How many pages are read before a table's records have to be there.
const PAGES_MAX: u32 = 60;

/// The range from one record of a Kinesis stream to another one of the same shard.
#[must_use]
pub fn kinesis_range(stream: &StreamArn, first: &Placed, last: &Placed, count: usize) -> Range {
    Range {
        stream: stream.clone(),
        shard: first.shard.clone(),
        start: first.sequence_number.clone(),
        end: last.sequence_number.clone(),
        count,
    }
}

/// The range of all `count` changes of a table: a write does not say where it ends up, so they are read as a mapping does.
///
/// # Errors
///
/// When they are not in one shard of the stream.
pub async fn table_range(world: &World, stream: &StreamArn, count: usize) -> anyhow::Result<Range> {
    let reader = AwsStreamReader::new(world.clients().clone());
    for shard in list_shards(world.clients(), stream).await? {
        let mut iterator = reader.iterator(stream, &shard, &Position::TrimHorizon).await?;
        let mut numbers = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = reader.page(stream, &iterator, PAGE).await?;
            numbers.extend(page.records.iter().map(|record| record.sequence_number().clone()));
            if let (Some(start), true) = (numbers.first(), numbers.len() >= count) {
                let end = numbers.get(count - 1).unwrap_or(start);
                return Ok(Range { stream: stream.clone(), shard, start: start.clone(), end: end.clone(), count });
            }
            let Some(next) = page.next else { break };
            iterator = next;
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        }
    }
    None.with_context(|| format!("failed to find {count} changes in one shard of `{stream}`"))
}

/// What Lambda says of a batch that it gave up just now.
#[must_use]
pub fn on_failure_message(range: &Range) -> String {
    let now = Timestamp::now().to_string();
    let info = match range.stream.kind() {
        StreamKind::Kinesis => "KinesisBatchInfo",
        StreamKind::DynamoDb => "DDBStreamBatchInfo",
    };
    json!({
        "requestContext": {
            "requestId": "3f1c6a9e-0000-4000-8000-000000000000",
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:orders",
            "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": null},
        "version": "1.0", "timestamp": now,
        info: {
            "shardId": range.shard.as_str(),
            "startSequenceNumber": range.start.as_str(), "endSequenceNumber": range.end.as_str(),
            "approximateArrivalOfFirstRecord": now, "approximateArrivalOfLastRecord": now,
            "batchSize": range.count, "streamArn": range.stream.as_str(),
        },
    })
    .to_string()
}
