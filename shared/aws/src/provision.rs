//! Streams, tables, queues, buckets and functions for the local stack and for tests. In AWS the template in `infra/` makes
//! them.

mod functions;
mod probe;
mod removal;
mod tags;

pub use functions::{NewFunction, StreamMapping, create_function, create_queue_mapping, create_stream_mapping};
pub use probe::probe;
pub use removal::{delete_bucket, delete_function, delete_kinesis_stream, delete_queue, delete_table};
pub use tags::{Tags, tag_bucket, tag_kinesis_stream, tag_queue, tag_table};

use crate::Clients;
use crate::call::{Call, CallError};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
    StreamViewType, TableStatus,
};
use aws_sdk_kinesis::types::StreamStatus;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use records::{ShardId, StreamArn, StreamKind};
use std::collections::HashMap;
use std::time::Duration;
use thiserror::Error;

/// How often a new stream or table is asked for its state, and how long apart. AWS takes 10 to 30 s, and answers
/// `DescribeStreamSummary` twenty times a second; the local stack is ready at once.
const ACTIVE_POLLS_MAX: u32 = 240;
const ACTIVE_POLL_PAUSE: Duration = Duration::from_millis(250);

/// Bounds the pages of a list of shards, of 1,000 shards (Kinesis) or 100 (DynamoDB) each.
const SHARD_PAGES_MAX: u32 = 1000;

/// An SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// What calls name it by.
    pub url: String,
    /// What policies and event sources name it by.
    pub arn: String,
}

/// The settings of a new queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long a received message stays hidden, in whole seconds up to 12 hours.
    pub visibility_timeout: Duration,
    /// How long a message is kept, in whole seconds from one minute to 14 days.
    pub retention: Duration,
    /// Where a message goes that was received too often.
    pub redrive: Option<Redrive>,
}

/// A queue's dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The ARN of the dead-letter queue.
    pub dead_letter_arn: String,
    /// After how many receives without deletion a message goes there, from 1 to 1,000.
    pub max_receive_count: u16,
}

impl Default for QueueSettings {
    /// SQS's own defaults: 30 s of visibility time-out, four days of retention, no dead-letter queue.
    fn default() -> Self {
        Self {
            visibility_timeout: Duration::from_secs(30),
            retention: Duration::from_secs(4 * 24 * 3600),
            redrive: None,
        }
    }
}

/// Why something could not be created or listed.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It was created, and did not become active in time.
    #[error("failed to {operation} `{object}`: it was not active after {seconds} s")]
    NotActive {
        /// What was to be created.
        operation: &'static str,
        /// Its name.
        object: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A list of shards did not end.
    #[error("failed to list the shards of `{stream}`: more than {SHARD_PAGES_MAX} pages")]
    TooManyShards {
        /// The stream.
        stream: StreamArn,
    },
}

/// Creates a Kinesis stream and waits until it is active.
///
/// # Errors
///
/// When Kinesis refuses the stream (its name is taken, say), or when it is not active within a minute.
pub async fn create_kinesis_stream(clients: &Clients, name: &str, shards: u16) -> Result<StreamArn, ProvisionError> {
    let call = Call { operation: "create kinesis stream", object: name };
    let request = clients.kinesis().create_stream().stream_name(name).shard_count(i32::from(shards));
    request.send().await.map_err(|error| call.failed(error))?;
    wait_until_active(clients, call, name).await
}

/// Splits the first shard of a stream in the middle of all hash keys, and waits until the stream is active again. The
/// shard is closed then.
///
/// # Errors
///
/// When Kinesis refuses (the shard is not that of all keys, say), or when it is not active within a minute.
pub async fn split_first_shard(clients: &Clients, name: &str) -> Result<(), ProvisionError> {
    const MIDDLE: &str = "170141183460469231731687303715884105728";
    let call = Call { operation: "split the first shard of", object: name };
    let request = clients.kinesis().split_shard().stream_name(name).shard_to_split("shardId-000000000000");
    request.new_starting_hash_key(MIDDLE).send().await.map_err(|error| call.failed(error))?;
    wait_until_active(clients, call, name).await.map(drop)
}

async fn wait_until_active(clients: &Clients, call: Call<'_>, name: &str) -> Result<StreamArn, ProvisionError> {
    for _ in 0..ACTIVE_POLLS_MAX {
        let described = clients.kinesis().describe_stream_summary().stream_name(name).send().await;
        let described = described.map_err(|error| call.failed(error))?;
        let summary = described.stream_description_summary.ok_or_else(|| call.incomplete("description"))?;
        if summary.stream_status == StreamStatus::Active {
            return Ok(parse_stream_arn(call, Some(&summary.stream_arn))?);
        }
        tokio::time::sleep(ACTIVE_POLL_PAUSE).await;
    }
    Err(not_active(call))
}

/// Creates a table with a string as its hash key and a stream of new and old images, waits until it is active, and
/// returns the ARN of the stream.
///
/// # Errors
///
/// When DynamoDB refuses the table (its name is taken, say), or when it is not active within a minute.
pub async fn create_table(clients: &Clients, name: &str, hash_key: &str) -> Result<StreamArn, ProvisionError> {
    let call = Call { operation: "create table", object: name };
    let attribute = AttributeDefinition::builder()
        .attribute_name(hash_key)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(|error| call.unbuilt(error))?;
    let key = KeySchemaElement::builder()
        .attribute_name(hash_key)
        .key_type(KeyType::Hash)
        .build()
        .map_err(|error| call.unbuilt(error))?;
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages)
        .build()
        .map_err(|error| call.unbuilt(error))?;
    clients
        .dynamodb()
        .create_table()
        .table_name(name)
        .attribute_definitions(attribute)
        .key_schema(key)
        .billing_mode(BillingMode::PayPerRequest)
        .stream_specification(stream)
        .send()
        .await
        .map_err(|error| call.failed(error))?;
    for _ in 0..ACTIVE_POLLS_MAX {
        let described = clients.dynamodb().describe_table().table_name(name).send().await;
        let table = described.map_err(|error| call.failed(error))?.table;
        let table = table.ok_or_else(|| call.incomplete("description"))?;
        if table.table_status == Some(TableStatus::Active) {
            return Ok(parse_stream_arn(call, table.latest_stream_arn.as_deref())?);
        }
        tokio::time::sleep(ACTIVE_POLL_PAUSE).await;
    }
    Err(not_active(call))
}

/// Lists the shards of a stream of either kind, closed ones included, in the order of the service.
///
/// # Errors
///
/// When the stream does not exist or cannot be reached.
pub async fn list_shards(clients: &Clients, stream: &StreamArn) -> Result<Vec<ShardId>, ProvisionError> {
    let call = Call { operation: "list the shards of", object: stream.as_str() };
    let mut shards = Vec::new();
    let mut next = None;
    for _ in 0..SHARD_PAGES_MAX {
        let (page, after) = match stream.kind() {
            StreamKind::Kinesis => kinesis_shards(clients, call, next).await?,
            StreamKind::DynamoDb => dynamodb_shards(clients, call, next).await?,
        };
        for id in page {
            shards.push(ShardId::parse(&id).map_err(|_| call.incomplete("shard id"))?);
        }
        next = after;
        if next.is_none() {
            return Ok(shards);
        }
    }
    Err(ProvisionError::TooManyShards { stream: stream.clone() })
}

/// Creates a standard queue.
///
/// # Errors
///
/// When SQS refuses the queue (it exists with other settings, say).
pub async fn create_queue(clients: &Clients, name: &str, settings: &QueueSettings) -> Result<Queue, ProvisionError> {
    create(clients, name, queue_attributes(settings)).await
}

async fn create(
    clients: &Clients,
    name: &str,
    attributes: HashMap<QueueAttributeName, String>,
) -> Result<Queue, ProvisionError> {
    let call = Call { operation: "create queue", object: name };
    let request = clients.sqs().create_queue().queue_name(name).set_attributes(Some(attributes));
    let created = request.send().await.map_err(|error| call.failed(error))?;
    let url = created.queue_url.ok_or_else(|| call.incomplete("queue url"))?;
    let request = clients.sqs().get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
    let described = request.send().await.map_err(|error| call.failed(error))?;
    let arn = described.attributes.and_then(|mut attributes| attributes.remove(&QueueAttributeName::QueueArn));
    Ok(Queue { url, arn: arn.ok_or_else(|| call.incomplete("queue arn"))? })
}

/// Creates a bucket in the clients' region.
///
/// # Errors
///
/// When S3 refuses it (its name is taken, say).
pub async fn create_bucket(clients: &Clients, name: &str) -> Result<(), ProvisionError> {
    let call = Call { operation: "create bucket", object: name };
    // The first region has no name here, and is refused by its own.
    let region = clients.region().filter(|region| *region != "us-east-1");
    let place = region.map(|region| {
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
    });
    let request = clients.s3().create_bucket().bucket(name).set_create_bucket_configuration(place);
    request.send().await.map_err(|error| call.failed(error))?;
    Ok(())
}

/// The keys of a bucket's objects, up to a thousand, in order.
///
/// # Errors
///
/// When S3 refuses to list them.
pub async fn list_objects(clients: &Clients, bucket: &str) -> Result<Vec<String>, ProvisionError> {
    let call = Call { operation: "list the objects of", object: bucket };
    let listed = clients.s3().list_objects_v2().bucket(bucket).send().await.map_err(|error| call.failed(error))?;
    Ok(listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
}

/// Creates a FIFO queue, whose name ends in `.fifo`.
///
/// # Errors
///
/// When SQS refuses the queue.
pub async fn create_fifo_queue(clients: &Clients, name: &str) -> Result<Queue, ProvisionError> {
    let mut attributes = queue_attributes(&QueueSettings::default());
    attributes.insert(QueueAttributeName::FifoQueue, "true".to_owned());
    create(clients, name, attributes).await
}

fn queue_attributes(settings: &QueueSettings) -> HashMap<QueueAttributeName, String> {
    let mut attributes = HashMap::from([
        (QueueAttributeName::VisibilityTimeout, settings.visibility_timeout.as_secs().to_string()),
        (QueueAttributeName::MessageRetentionPeriod, settings.retention.as_secs().to_string()),
    ]);
    if let Some(Redrive { dead_letter_arn, max_receive_count }) = &settings.redrive {
        // An ARN holds no character that JSON escapes.
        let policy = format!(r#"{{"deadLetterTargetArn":"{dead_letter_arn}","maxReceiveCount":{max_receive_count}}}"#);
        attributes.insert(QueueAttributeName::RedrivePolicy, policy);
    }
    attributes
}

/// The ids of a page of shards, and what the next page begins after.
type ShardPage = (Vec<String>, Option<String>);

async fn kinesis_shards(clients: &Clients, call: Call<'_>, token: Option<String>) -> Result<ShardPage, CallError> {
    // A token stands for the stream; Kinesis refuses both together.
    let stream = token.is_none().then(|| call.object.to_owned());
    let request = clients.kinesis().list_shards().set_stream_arn(stream).set_next_token(token);
    let listed = request.send().await.map_err(|error| call.failed(error))?;
    let shards = listed.shards.unwrap_or_default();
    Ok((shards.into_iter().map(|shard| shard.shard_id).collect(), listed.next_token))
}

async fn dynamodb_shards(clients: &Clients, call: Call<'_>, after: Option<String>) -> Result<ShardPage, CallError> {
    let request = clients.dynamodb_streams().describe_stream().stream_arn(call.object);
    let described = request.set_exclusive_start_shard_id(after).send().await.map_err(|error| call.failed(error))?;
    let stream = described.stream_description.ok_or_else(|| call.incomplete("description"))?;
    let shards = stream.shards.unwrap_or_default();
    Ok((shards.into_iter().filter_map(|shard| shard.shard_id).collect(), stream.last_evaluated_shard_id))
}

fn parse_stream_arn(call: Call<'_>, text: Option<&str>) -> Result<StreamArn, CallError> {
    text.and_then(|text| StreamArn::parse(text).ok()).ok_or_else(|| call.incomplete("stream arn"))
}

fn not_active(call: Call<'_>) -> ProvisionError {
    let seconds = (ACTIVE_POLL_PAUSE * ACTIVE_POLLS_MAX).as_secs();
    ProvisionError::NotActive { operation: call.operation, object: call.object.to_owned(), seconds }
}
