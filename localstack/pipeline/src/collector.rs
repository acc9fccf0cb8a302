//! Reads the recovered queue back into the books.

use crate::books::{RecoveredEvent, dynamodb_content, dynamodb_identity, kinesis_content, kinesis_identity};
use crate::{Books, Stack};
use anyhow::{Context, bail};
use aws_edge::{AwsSurroundings, queue};
use records::{Item, SequenceNumber, ShardId, StreamArn, StreamKind};
use recovery::{ObjectRef, Surroundings};
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;

/// Takes messages out of the recovered queue until it is dropped.
///
/// # Errors
///
/// When the queue cannot be read, or holds what is neither a recovered record nor a loss report.
pub(crate) async fn run(stack: &Stack, books: &Books) -> anyhow::Result<()> {
    loop {
        let url = &stack.queues.recovered.url;
        let messages = queue::receive(stack.clients(), url, queue::BATCH_MAX, Duration::from_secs(1)).await?;
        for message in &messages {
            let body = whole(stack, &message.body).await?;
            enter(books, &body).context("failed to read a message of the recovered queue")?;
        }
        let handles: Vec<&str> = messages.iter().map(|message| message.receipt_handle.as_str()).collect();
        queue::delete_batch(stack.clients(), url, &handles).await?;
    }
}

/// The message itself: what was too large for the queue is in the bucket, and the queue has a pointer to it.
async fn whole<'b>(stack: &Stack, body: &'b str) -> anyhow::Result<Cow<'b, str>> {
    let Some(object) = pointed_at(body) else { return Ok(body.into()) };
    let context = "failed to fetch a message of the recovered queue";
    Ok(AwsSurroundings::new(stack.clients()).object(&object).await.context(context)?.into())
}

/// The object that a pointer of the SQS Extended Client names.
fn pointed_at(body: &str) -> Option<ObjectRef> {
    let pointer: Value = serde_json::from_str(body).ok().filter(Value::is_array)?;
    let named = |pointer: &Value, name: &str| pointer.pointer(name)?.as_str().map(str::to_owned);
    named(&pointer, "/0").filter(|class| class.ends_with("PayloadS3Pointer"))?;
    let (bucket, key) = (named(&pointer, "/1/s3BucketName")?, named(&pointer, "/1/s3Key")?);
    Some(ObjectRef { bucket, key, version_id: None, size_bytes: None })
}

/// Enters one message.
fn enter(books: &Books, body: &str) -> anyhow::Result<()> {
    let message: Value = serde_json::from_str(body).context("it is no JSON")?;
    match text(&message, "/type")? {
        "record" => books.recovered(recovered(&message)?),
        "loss" => {
            let kind = StreamArn::parse(text(&message, "/streamArn")?)?.kind();
            let shard = ShardId::parse(text(&message, "/shardId")?)?;
            let start = SequenceNumber::parse(text(&message, "/startSequenceNumber")?)?;
            let end = SequenceNumber::parse(text(&message, "/endSequenceNumber")?)?;
            books.lost(kind, &shard, &start, &end);
        }
        _ => bail!("expected a recovered record or a loss report"),
    }
    Ok(())
}

/// What the record's event holds, in the words of the books: read as a consumer would read it, out of Lambda's shape.
fn recovered(message: &Value) -> anyhow::Result<RecoveredEvent> {
    let event = message.get("event").context("it has no `event`")?;
    match text(event, "/eventSource")? {
        "aws:kinesis" => {
            let (shard, number) = text(event, "/eventID")?.split_once(':').context("its `eventID` names no shard")?;
            let data = base64_simd::STANDARD.decode_to_vec(text(event, "/kinesis/data")?)?;
            Ok(RecoveredEvent {
                kind: StreamKind::Kinesis,
                identity: kinesis_identity(shard, number),
                content: kinesis_content(text(event, "/kinesis/partitionKey")?, &data),
            })
        }
        "aws:dynamodb" => {
            let item =
                |pointer| event.pointer(pointer).map(|item| serde_json::from_value::<Item>(item.clone())).transpose();
            let (new, old) = (item("/dynamodb/NewImage")?, item("/dynamodb/OldImage")?);
            let keys = item("/dynamodb/Keys")?;
            Ok(RecoveredEvent {
                kind: StreamKind::DynamoDb,
                identity: dynamodb_identity(keys.as_ref(), text(event, "/eventName")?),
                content: dynamodb_content(new.as_ref(), old.as_ref()),
            })
        }
        _ => bail!("its `eventSource` is neither aws:kinesis nor aws:dynamodb"),
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("it has no text at `{pointer}`"))
}
