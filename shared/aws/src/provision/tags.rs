//! Marks what was made, so that whoever finds it knows where it is from.

use crate::Clients;
use crate::call::{Call, CallError};
use aws_sdk_s3::types::{Tag, Tagging};
use records::StreamArn;
use std::collections::HashMap;

/// Names and values.
pub type Tags = [(String, String)];

pub(super) fn map(tags: &Tags) -> HashMap<String, String> {
    tags.iter().cloned().collect()
}

/// Tags a Kinesis stream.
///
/// # Errors
///
/// When Kinesis refuses.
pub async fn tag_kinesis_stream(clients: &Clients, name: &str, tags: &Tags) -> Result<(), CallError> {
    let call = Call { operation: "tag kinesis stream", object: name };
    let request = clients.kinesis().add_tags_to_stream().stream_name(name).set_tags(Some(map(tags)));
    request.send().await.map_err(|error| call.failed(error))?;
    Ok(())
}

/// Tags the table that a stream belongs to.
///
/// # Errors
///
/// When DynamoDB refuses.
pub async fn tag_table(clients: &Clients, stream: &StreamArn, tags: &Tags) -> Result<(), CallError> {
    let table = stream.as_str().split("/stream/").next().unwrap_or_default();
    let call = Call { operation: "tag table", object: table };
    let tag = |(key, value): &(String, String)| aws_sdk_dynamodb::types::Tag::builder().key(key).value(value).build();
    let tags: Vec<_> = tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| call.unbuilt(error))?;
    let request = clients.dynamodb().tag_resource().resource_arn(table).set_tags(Some(tags));
    request.send().await.map_err(|error| call.failed(error))?;
    Ok(())
}

/// Tags a queue.
///
/// # Errors
///
/// When SQS refuses.
pub async fn tag_queue(clients: &Clients, url: &str, tags: &Tags) -> Result<(), CallError> {
    let call = Call { operation: "tag queue", object: url };
    let request = clients.sqs().tag_queue().queue_url(url).set_tags(Some(map(tags)));
    request.send().await.map_err(|error| call.failed(error))?;
    Ok(())
}

/// Tags a bucket, and takes the tags away that it had.
///
/// # Errors
///
/// When S3 refuses.
pub async fn tag_bucket(clients: &Clients, name: &str, tags: &Tags) -> Result<(), CallError> {
    let call = Call { operation: "tag bucket", object: name };
    let tag = |(key, value): &(String, String)| Tag::builder().key(key).value(value).build();
    let tags: Vec<_> = tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| call.unbuilt(error))?;
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build().map_err(|error| call.unbuilt(error))?;
    let request = clients.s3().put_bucket_tagging().bucket(name).tagging(tagging);
    request.send().await.map_err(|error| call.failed(error))?;
    Ok(())
}
