//! On-failure messages by hand, as Lambda writes them.

use aws_edge::produce::Placed;
use jiff::Timestamp;
use records::{SequenceNumber, ShardId, StreamArn, StreamKind};
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
