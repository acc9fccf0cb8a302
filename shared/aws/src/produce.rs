//! Writes to streams and tables, for the local stack and for tests.

use crate::Clients;
use crate::call::{Call, CallError};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue as SdkValue;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, PutRecordsResultEntry};
use records::{AttributeValue, Item, SequenceNumber, ShardId, StreamArn};
use std::collections::HashMap;
use std::time::Duration;
use thiserror::Error;

/// The most records that Kinesis takes in one call. Their data and keys may come to 5 MiB in all.
pub const PUT_RECORDS_MAX: usize = 500;

/// How often a `PutRecords` is sent, the first time included, until each of its records is in. Eight times with doubled
/// pauses outlast some seconds of a shard over its 1,000 records or 1 MiB a second.
const PUT_ATTEMPTS_MAX: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A record for Kinesis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// What chooses the shard, by its MD5: 1 to 256 characters.
    pub partition_key: String,
    /// What chooses the shard in the key's place, when given: a decimal number below 2^128.
    pub explicit_hash_key: Option<String>,
    /// The payload, up to 1 MiB less the key.
    pub data: Vec<u8>,
}

impl NewRecord {
    /// A record whose key chooses the shard.
    pub fn new(partition_key: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { partition_key: partition_key.into(), explicit_hash_key: None, data: data.into() }
    }
}

/// Where a record was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// In which shard.
    pub shard: ShardId,
    /// At which position.
    pub sequence_number: SequenceNumber,
}

/// Why records or items could not be written.
#[derive(Debug, Error)]
pub enum ProduceError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// More records than a call takes.
    #[error("failed to put records into `{stream}`: expected at most {PUT_RECORDS_MAX} records, got {count}")]
    TooMany {
        /// The stream.
        stream: StreamArn,
        /// How many there were.
        count: usize,
    },
    /// Records were refused, again and again. The others are in.
    #[error(
        "failed to put records into `{stream}`: {count} were refused {PUT_ATTEMPTS_MAX} times, the first as {code}"
    )]
    Refused {
        /// The stream.
        stream: StreamArn,
        /// How many were refused to the last.
        count: usize,
        /// The code that Kinesis gave for the first of them.
        code: String,
    },
}

/// Puts up to [`PUT_RECORDS_MAX`] records into a Kinesis stream, and says for each, in their order, where it is.
///
/// Records that Kinesis refuses are sent again, which puts them behind the others of their shard. An attempt whose answer
/// is lost is sent again as a whole, and then its records are in twice.
///
/// # Errors
///
/// When the stream does not exist or cannot be reached, or when records are refused to the last.
pub async fn put_records(
    clients: &Clients,
    stream: &StreamArn,
    records: &[NewRecord],
) -> Result<Vec<Placed>, ProduceError> {
    if records.len() > PUT_RECORDS_MAX {
        return Err(ProduceError::TooMany { stream: stream.clone(), count: records.len() });
    }
    let mut placed = vec![None; records.len()];
    let mut waiting: Vec<usize> = (0..records.len()).collect();
    let mut refusal = String::new();
    for attempt in 0..PUT_ATTEMPTS_MAX {
        if waiting.is_empty() {
            break;
        }
        if attempt > 0 {
            tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(attempt - 1)).await;
        }
        let answers = put_once(clients, stream, waiting.iter().filter_map(|index| records.get(*index))).await?;
        let mut refused = Vec::new();
        for (index, answer) in waiting.into_iter().zip(answers) {
            match outcome(stream, answer)? {
                Outcome::Placed(place) => placed[index] = Some(place),
                Outcome::Refused { code } => {
                    if refused.is_empty() {
                        refusal = code;
                    }
                    refused.push(index);
                }
            }
        }
        waiting = refused;
    }
    if !waiting.is_empty() {
        return Err(ProduceError::Refused { stream: stream.clone(), count: waiting.len(), code: refusal });
    }
    Ok(placed.into_iter().flatten().collect())
}

/// Puts an item into a table, replacing one of the same key.
///
/// # Errors
///
/// When DynamoDB refuses the item or cannot be reached.
pub async fn put_item(clients: &Clients, table: &str, item: &Item) -> Result<(), ProduceError> {
    let call = Call { operation: "put an item into", object: table };
    let request = clients.dynamodb().put_item().table_name(table).set_item(Some(to_sdk_item(item)));
    request.send().await.map_err(|error| call.failed(error))?;
    Ok(())
}

/// Sets attributes of the item with this key, and creates it when there is none. No changes, no call.
///
/// # Errors
///
/// When DynamoDB refuses the change or cannot be reached.
pub async fn update_item(clients: &Clients, table: &str, key: &Item, changes: &Item) -> Result<(), ProduceError> {
    let call = Call { operation: "update an item of", object: table };
    if changes.is_empty() {
        return Ok(());
    }
    let mut request = clients.dynamodb().update_item().table_name(table).set_key(Some(to_sdk_item(key)));
    let mut assignments = Vec::with_capacity(changes.len());
    for (index, (name, value)) in changes.iter().enumerate() {
        // Placeholders, since a name may be one of DynamoDB's hundreds of reserved words.
        assignments.push(format!("#{index} = :{index}"));
        request = request.expression_attribute_names(format!("#{index}"), name);
        request = request.expression_attribute_values(format!(":{index}"), to_sdk_value(value));
    }
    let request = request.update_expression(format!("SET {}", assignments.join(", ")));
    request.send().await.map_err(|error| call.failed(error))?;
    Ok(())
}

/// Deletes the item with this key; none is no error, and makes no stream record.
///
/// # Errors
///
/// When DynamoDB refuses the key or cannot be reached.
pub async fn delete_item(clients: &Clients, table: &str, key: &Item) -> Result<(), ProduceError> {
    let call = Call { operation: "delete an item of", object: table };
    let request = clients.dynamodb().delete_item().table_name(table).set_key(Some(to_sdk_item(key)));
    request.send().await.map_err(|error| call.failed(error))?;
    Ok(())
}

enum Outcome {
    Placed(Placed),
    Refused { code: String },
}

/// One `PutRecords`: as many answers as records, in their order.
async fn put_once<'a>(
    clients: &Clients,
    stream: &StreamArn,
    records: impl Iterator<Item = &'a NewRecord>,
) -> Result<Vec<PutRecordsResultEntry>, CallError> {
    let call = Call { operation: "put records into", object: stream.as_str() };
    let entries = records.map(|record| {
        PutRecordsRequestEntry::builder()
            .partition_key(&record.partition_key)
            .set_explicit_hash_key(record.explicit_hash_key.clone())
            .data(aws_sdk_kinesis::primitives::Blob::new(record.data.clone()))
            .build()
    });
    let entries: Vec<_> = entries.collect::<Result<_, _>>().map_err(|error| call.unbuilt(error))?;
    let count = entries.len();
    let request = clients.kinesis().put_records().stream_arn(stream.as_str()).set_records(Some(entries));
    let answers = request.send().await.map_err(|error| call.failed(error))?.records;
    if answers.len() != count {
        return Err(call.incomplete("list of outcomes"));
    }
    Ok(answers)
}

fn outcome(stream: &StreamArn, answer: PutRecordsResultEntry) -> Result<Outcome, CallError> {
    let call = Call { operation: "put records into", object: stream.as_str() };
    if let Some(code) = answer.error_code {
        return Ok(Outcome::Refused { code });
    }
    let shard = answer.shard_id.and_then(|id| ShardId::parse(&id).ok());
    let number = answer.sequence_number.and_then(|number| SequenceNumber::parse(&number).ok());
    Ok(Outcome::Placed(Placed {
        shard: shard.ok_or_else(|| call.incomplete("shard id"))?,
        sequence_number: number.ok_or_else(|| call.incomplete("sequence number"))?,
    }))
}

fn to_sdk_item(item: &Item) -> HashMap<String, SdkValue> {
    item.iter().map(|(name, value)| (name.clone(), to_sdk_value(value))).collect()
}

fn to_sdk_value(value: &AttributeValue) -> SdkValue {
    match value {
        AttributeValue::S(text) => SdkValue::S(text.clone()),
        AttributeValue::N(number) => SdkValue::N(number.clone()),
        AttributeValue::B(bytes) => SdkValue::B(Blob::new(bytes.clone())),
        AttributeValue::Bool(value) => SdkValue::Bool(*value),
        AttributeValue::Null(value) => SdkValue::Null(*value),
        AttributeValue::M(item) => SdkValue::M(to_sdk_item(item)),
        AttributeValue::L(list) => SdkValue::L(list.iter().map(to_sdk_value).collect()),
        AttributeValue::StringSet(set) => SdkValue::Ss(set.clone()),
        AttributeValue::NumberSet(set) => SdkValue::Ns(set.clone()),
        AttributeValue::BinarySet(set) => SdkValue::Bs(set.iter().map(|bytes| Blob::new(bytes.clone())).collect()),
    }
}
