//! A record of either kind of stream.

use crate::{DynamoDbRecord, EpochMillis, Item, KinesisRecord, SequenceNumber, ShardId, StreamArn};
use serde_json::value::RawValue;

/// One record as it was read from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamRecord {
    /// A record of a Kinesis shard.
    Kinesis(KinesisRecord),
    /// A change of a DynamoDB item.
    DynamoDb(Box<DynamoDbRecord>),
}

impl StreamRecord {
    /// Position in the shard.
    #[must_use]
    pub fn sequence_number(&self) -> &SequenceNumber {
        match self {
            Self::Kinesis(record) => &record.sequence_number,
            Self::DynamoDb(record) => &record.sequence_number,
        }
    }

    /// When the stream took the record.
    #[must_use]
    pub fn arrival(&self) -> Option<EpochMillis> {
        match self {
            Self::Kinesis(record) => record.approximate_arrival,
            Self::DynamoDb(record) => record.approximate_creation,
        }
    }

    /// What orders the record: the partition key, or the item's key as typed JSON.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Kinesis(record) => record.partition_key.clone(),
            Self::DynamoDb(record) => serde_json::to_string(&record.keys).unwrap_or_default(),
        }
    }

    /// About how many bytes the record holds in memory.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        match self {
            Self::Kinesis(record) => record.data.len() + record.partition_key.len(),
            Self::DynamoDb(record) => {
                let images = [Some(&record.keys), record.new_image.as_ref(), record.old_image.as_ref()];
                images.into_iter().flatten().map(item_bytes).sum()
            }
        }
    }

    /// The JSON that Lambda puts into `Records` for it. `invoke_identity_arn` concerns Kinesis only.
    ///
    /// # Errors
    ///
    /// Never for a record that was read from a stream: its parts are all JSON.
    pub fn delivered(
        &self,
        stream: &StreamArn,
        shard: &ShardId,
        invoke_identity_arn: Option<&str>,
    ) -> Result<Box<RawValue>, serde_json::Error> {
        match self {
            Self::Kinesis(record) => {
                serde_json::value::to_raw_value(&record.delivered(stream, shard, invoke_identity_arn))
            }
            Self::DynamoDb(record) => serde_json::value::to_raw_value(&record.delivered(stream)),
        }
    }
}

fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.payload_bytes()).sum()
}
