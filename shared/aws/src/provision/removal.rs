//! Takes away what `provision` made. What is not there any more is no error.

use super::{ProvisionError, list_objects};
use crate::Clients;
use crate::call::{Call, CallError};

/// Bounds the thousands of objects that a bucket is emptied of.
const OBJECT_PAGES_MAX: u32 = 100;

/// What services say of a thing that they do not have.
const MISSING: [&str; 5] = [
    "ResourceNotFoundException",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "NoSuchKey",
];

/// Deletes a Kinesis stream, whoever reads it. AWS takes a while, and nobody waits for it.
///
/// # Errors
///
/// When Kinesis refuses.
pub async fn delete_kinesis_stream(clients: &Clients, name: &str) -> Result<(), CallError> {
    let call = Call { operation: "delete kinesis stream", object: name };
    let request = clients.kinesis().delete_stream().stream_name(name).enforce_consumer_deletion(true);
    unless_missing(request.send().await.map_err(|error| call.failed(error)))
}

/// Deletes a table and its stream.
///
/// # Errors
///
/// When DynamoDB refuses: the table is still being created, say.
pub async fn delete_table(clients: &Clients, name: &str) -> Result<(), CallError> {
    let call = Call { operation: "delete table", object: name };
    unless_missing(clients.dynamodb().delete_table().table_name(name).send().await.map_err(|error| call.failed(error)))
}

/// Deletes a queue with all that is in it.
///
/// # Errors
///
/// When SQS refuses.
pub async fn delete_queue(clients: &Clients, name: &str) -> Result<(), CallError> {
    let call = Call { operation: "delete queue", object: name };
    let found = clients.sqs().get_queue_url().queue_name(name).send().await.map_err(|error| call.failed(error));
    let url = match found {
        Ok(found) => found.queue_url.ok_or_else(|| call.incomplete("queue url"))?,
        Err(error) => return unless_missing(Err::<(), _>(error)),
    };
    unless_missing(clients.sqs().delete_queue().queue_url(url).send().await.map_err(|error| call.failed(error)))
}

/// Empties a bucket and deletes it.
///
/// # Errors
///
/// When S3 refuses, or the bucket does not become empty.
pub async fn delete_bucket(clients: &Clients, name: &str) -> Result<(), ProvisionError> {
    let call = Call { operation: "delete bucket", object: name };
    for _ in 0..OBJECT_PAGES_MAX {
        let keys = match list_objects(clients, name).await {
            Ok(keys) => keys,
            Err(ProvisionError::Call(error)) => return Ok(unless_missing(Err::<(), _>(error))?),
            Err(error) => return Err(error),
        };
        if keys.is_empty() {
            break;
        }
        delete_objects(clients, call, keys).await?;
    }
    let deleted = clients.s3().delete_bucket().bucket(name).send().await;
    Ok(unless_missing(deleted.map_err(|error| call.failed(error)))?)
}

/// One by one: the embedded emulator has no call for many.
async fn delete_objects(clients: &Clients, call: Call<'_>, keys: Vec<String>) -> Result<(), CallError> {
    for key in keys {
        let deleted = clients.s3().delete_object().bucket(call.object).key(key).send().await;
        deleted.map_err(|error| call.failed(error))?;
    }
    Ok(())
}

/// Deletes a function. Its mappings stay.
///
/// # Errors
///
/// When Lambda refuses.
pub async fn delete_function(clients: &Clients, name: &str) -> Result<(), CallError> {
    let call = Call { operation: "delete function", object: name };
    unless_missing(clients.lambda().delete_function().function_name(name).send().await.map_err(|e| call.failed(e)))
}

/// Deletes an event source mapping, by its UUID. AWS takes a while, and nobody waits for it.
///
/// # Errors
///
/// When Lambda refuses: the mapping is still being created, say.
pub async fn delete_mapping(clients: &Clients, uuid: &str) -> Result<(), CallError> {
    let call = Call { operation: "delete event source mapping", object: uuid };
    unless_missing(clients.lambda().delete_event_source_mapping().uuid(uuid).send().await.map_err(|e| call.failed(e)))
}

fn unless_missing<T>(result: Result<T, CallError>) -> Result<(), CallError> {
    match result {
        Err(error) if !error.code().is_some_and(|code| MISSING.contains(&code)) => Err(error),
        _ => Ok(()),
    }
}
