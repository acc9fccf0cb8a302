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

/// Deletes a function, and before it the mappings in front of it: Lambda leaves them, and they go on polling. They are
/// asked for and not remembered, since a call that created one may have ended without an answer.
///
/// # Errors
///
/// When Lambda refuses: a mapping is still being created, say.
pub async fn delete_function(clients: &Clients, name: &str) -> Result<(), CallError> {
    for uuid in mappings_of(clients, name).await? {
        delete_mapping(clients, &uuid).await?;
    }
    let call = Call { operation: "delete function", object: name };
    unless_missing(clients.lambda().delete_function().function_name(name).send().await.map_err(|e| call.failed(e)))
}

/// The UUIDs of a function's mappings, but for those that are being deleted: Lambda refuses to do that again.
async fn mappings_of(clients: &Clients, function: &str) -> Result<Vec<String>, CallError> {
    let call = Call { operation: "list the event source mappings of", object: function };
    let request = clients.lambda().list_event_source_mappings().function_name(function);
    let (mut listed, mut uuids) = (request.into_paginator().items().send(), Vec::new());
    while let Some(mapping) = listed.next().await {
        match mapping.map_err(|error| call.failed(error)) {
            Ok(mapping) if mapping.state.as_deref() == Some("Deleting") => {}
            Ok(mapping) => uuids.extend(mapping.uuid),
            Err(error) => return unless_missing(Err::<(), _>(error)).map(|()| uuids),
        }
    }
    Ok(uuids)
}

/// By its UUID. AWS takes a while, and nobody waits for it.
async fn delete_mapping(clients: &Clients, uuid: &str) -> Result<(), CallError> {
    let call = Call { operation: "delete event source mapping", object: uuid };
    unless_missing(clients.lambda().delete_event_source_mapping().uuid(uuid).send().await.map_err(|e| call.failed(e)))
}

fn unless_missing<T>(result: Result<T, CallError>) -> Result<(), CallError> {
    match result {
        Err(error) if !error.code().is_some_and(|code| MISSING.contains(&code)) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{Answer, Request, StandIn};

    /// A Lambda with one mapping on each of two pages, and another one that is being deleted.
    fn lambda(request: &Request) -> Answer {
        match &request.line {
            line if line.starts_with("DELETE") => Answer::json(200, "{}"),
            line if line.contains("Marker=2") => Answer::json(200, r#"{"EventSourceMappings":[{"UUID":"b"}]}"#),
            _ => Answer::json(
                200,
                r#"{"EventSourceMappings":[{"UUID":"a","State":"Enabled"},{"UUID":"x","State":"Deleting"}],"NextMarker":"2"}"#,
            ),
        }
    }

    /// What is deleted, in order.
    async fn deleted(answer: impl Fn(&Request) -> Answer + Send + 'static) -> Vec<String> {
        let aws = StandIn::new(answer);
        let clients = Clients::for_endpoints("http://h", "http://h", "http://h", "us-east-1").with_lambda(aws.url());
        delete_function(&clients, "orders").await.unwrap();
        aws.requests()
            .into_iter()
            .filter_map(|request| Some(request.line.strip_prefix("DELETE ")?.to_owned()))
            .collect()
    }

    #[tokio::test]
    async fn the_mappings_of_a_function_go_before_it() {
        let [a, b] = ["a", "b"].map(|uuid| format!("/2015-03-31/event-source-mappings/{uuid}"));
        assert_eq!(deleted(lambda).await, [a, b, "/2015-03-31/functions/orders".to_owned()]);
    }

    #[tokio::test]
    async fn a_function_that_is_not_there_is_deleted_already() {
        let missing = |_: &Request| Answer::json(404, "{}").header("x-amzn-errortype", "ResourceNotFoundException");
        assert_eq!(deleted(missing).await, ["/2015-03-31/functions/orders"]);
    }
}
