//! What is done with an SQS queue: send, receive, delete, count.

use crate::Clients;
use crate::call::{Call, CallError};
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
};
use records::EpochMillis;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The most messages that SQS hands out, or deletes, in one call.
pub const BATCH_MAX: usize = 10;

/// The longest wait for messages that SQS takes.
pub const WAIT_MAX: Duration = Duration::from_secs(20);

/// A message's own attributes, by name.
pub type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// The value of a message attribute. SQS has these three types; a custom label, as in `Number.int`, is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageAttribute {
    /// A text.
    String(String),
    /// A number, as its decimal text.
    Number(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// A message in flight: hidden from others until its visibility time-out ends, or until it is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// Given by SQS when the message was sent, and kept through redrive.
    pub message_id: String,
    /// Names this receive; what [`delete_batch`] takes.
    pub receipt_handle: String,
    /// The text.
    pub body: String,
    /// MD5 of the body, in hexadecimal, as SQS computed it.
    pub md5_of_body: String,
    /// How many times the message was received, this one included. A message redriven to a dead-letter queue starts over.
    pub receive_count: u32,
    /// When the message was sent.
    pub sent_at: EpochMillis,
    /// All attributes the sender gave.
    pub attributes: MessageAttributes,
}

/// A message that SQS did not delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteFailure {
    /// The handle as it was passed in.
    pub receipt_handle: String,
    /// SQS's error code.
    pub code: String,
    /// SQS's explanation, which may be empty.
    pub message: String,
    /// Whether trying again is pointless.
    pub sender_fault: bool,
}

/// How many messages a queue holds. On AWS the numbers are approximate, and late by up to a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageCounts {
    /// Ready to be received.
    pub visible: u64,
    /// Received, and neither deleted nor visible again.
    pub in_flight: u64,
    /// Sent with a delay that has not passed.
    pub delayed: u64,
}

/// Sends one message, and returns the id that SQS gave it.
///
/// # Errors
///
/// When SQS refuses the message (it is too large, say) or cannot be reached.
pub async fn send(
    clients: &Clients,
    queue_url: &str,
    body: impl Into<String>,
    attributes: &MessageAttributes,
) -> Result<String, CallError> {
    let call = Call { operation: "send a message to", object: queue_url };
    let mut values = HashMap::with_capacity(attributes.len());
    for (name, value) in attributes {
        values.insert(name.clone(), attribute_to_sdk(value).map_err(|error| call.unbuilt(error))?);
    }
    let request = clients.sqs().send_message().queue_url(queue_url).message_body(body);
    let sent = request.set_message_attributes(Some(values)).send().await.map_err(|error| call.failed(error))?;
    sent.message_id.ok_or_else(|| call.incomplete("message id"))
}

/// Receives up to `max` messages, cut to [`BATCH_MAX`], waiting for the first one for `wait`, cut to whole seconds and
/// [`WAIT_MAX`].
///
/// No message within the wait is an empty list. So may be an answer from a queue that holds messages, when the wait is
/// zero: SQS then asks a sample of its servers only.
///
/// # Errors
///
/// When the queue does not exist or cannot be reached.
pub async fn receive(
    clients: &Clients,
    queue_url: &str,
    max: usize,
    wait: Duration,
) -> Result<Vec<ReceivedMessage>, CallError> {
    let call = Call { operation: "receive messages from", object: queue_url };
    let request = clients.sqs().receive_message().queue_url(queue_url);
    let received = request
        .max_number_of_messages(saturating_i32(max.min(BATCH_MAX) as u64))
        .wait_time_seconds(saturating_i32(wait.min(WAIT_MAX).as_secs()))
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
        .message_attribute_names("All")
        .send()
        .await
        .map_err(|error| call.failed(error))?;
    let messages = received.messages.unwrap_or_default().into_iter();
    messages.map(|message| from_sdk(message).map_err(|field| call.incomplete(field))).collect()
}

/// Deletes messages, [`BATCH_MAX`] to a call, and returns those that were not deleted.
///
/// # Errors
///
/// When the queue does not exist or cannot be reached. Messages may have been deleted by then; deleting them once more
/// does no harm.
pub async fn delete_batch(
    clients: &Clients,
    queue_url: &str,
    receipt_handles: &[&str],
) -> Result<Vec<DeleteFailure>, CallError> {
    let mut failures = Vec::new();
    for handles in receipt_handles.chunks(BATCH_MAX) {
        failures.extend(delete_ten(clients, queue_url, handles).await?);
    }
    Ok(failures)
}

async fn delete_ten(clients: &Clients, queue_url: &str, handles: &[&str]) -> Result<Vec<DeleteFailure>, CallError> {
    let call = Call { operation: "delete messages from", object: queue_url };
    let entries = handles.iter().enumerate().map(|(index, handle)| {
        DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(*handle).build()
    });
    let entries: Vec<_> = entries.collect::<Result<_, _>>().map_err(|error| call.unbuilt(error))?;
    let request = clients.sqs().delete_message_batch().queue_url(queue_url).set_entries(Some(entries));
    let deleted = request.send().await.map_err(|error| call.failed(error))?;
    let failures = deleted.failed.into_iter().map(|failure| {
        let handle = failure.id.parse().ok().and_then(|index: usize| handles.get(index));
        Ok(DeleteFailure {
            receipt_handle: handle.map(|handle| (*handle).to_owned()).ok_or_else(|| call.incomplete("entry id"))?,
            code: failure.code,
            message: failure.message.unwrap_or_default(),
            sender_fault: failure.sender_fault,
        })
    });
    failures.collect()
}

/// Counts the messages of a queue.
///
/// # Errors
///
/// When the queue does not exist or cannot be reached.
pub async fn count(clients: &Clients, queue_url: &str) -> Result<MessageCounts, CallError> {
    let call = Call { operation: "count the messages of", object: queue_url };
    let counts = clients
        .sqs()
        .get_queue_attributes()
        .queue_url(queue_url)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesDelayed)
        .send()
        .await
        .map_err(|error| call.failed(error))?
        .attributes
        .unwrap_or_default();
    let number = |name| {
        let text = counts.get(&name);
        text.and_then(|text| text.parse().ok()).ok_or_else(|| call.incomplete("number of messages"))
    };
    Ok(MessageCounts {
        visible: number(QueueAttributeName::ApproximateNumberOfMessages)?,
        in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)?,
        delayed: number(QueueAttributeName::ApproximateNumberOfMessagesDelayed)?,
    })
}

fn from_sdk(message: Message) -> Result<ReceivedMessage, &'static str> {
    let system = message.attributes.unwrap_or_default();
    let number = |name| system.get(&name).and_then(|text| text.parse::<i64>().ok());
    let receive_count = number(MessageSystemAttributeName::ApproximateReceiveCount);
    let attributes = message.message_attributes.unwrap_or_default();
    Ok(ReceivedMessage {
        message_id: message.message_id.ok_or("message id")?,
        receipt_handle: message.receipt_handle.ok_or("receipt handle")?,
        body: message.body.ok_or("body")?,
        md5_of_body: message.md5_of_body.ok_or("md5 of the body")?,
        receive_count: receive_count.and_then(|count| u32::try_from(count).ok()).ok_or("receive count")?,
        sent_at: number(MessageSystemAttributeName::SentTimestamp).map(EpochMillis).ok_or("time of sending")?,
        attributes: attributes
            .into_iter()
            .map(|(name, value)| Ok((name, attribute_from_sdk(value)?)))
            .collect::<Result<_, &'static str>>()?,
    })
}

fn attribute_from_sdk(value: MessageAttributeValue) -> Result<MessageAttribute, &'static str> {
    let kind = value.data_type.split('.').next().unwrap_or_default();
    let attribute = match kind {
        "String" => value.string_value.map(MessageAttribute::String),
        "Number" => value.string_value.map(MessageAttribute::Number),
        "Binary" => value.binary_value.map(|bytes| MessageAttribute::Binary(bytes.into_inner())),
        _ => None,
    };
    attribute.ok_or("message attribute")
}

fn attribute_to_sdk(attribute: &MessageAttribute) -> Result<MessageAttributeValue, aws_sdk_sqs::error::BuildError> {
    let value = MessageAttributeValue::builder();
    match attribute {
        MessageAttribute::String(text) => value.data_type("String").string_value(text),
        MessageAttribute::Number(text) => value.data_type("Number").string_value(text),
        MessageAttribute::Binary(bytes) => value.data_type("Binary").binary_value(Blob::new(bytes.clone())),
    }
    .build()
}

fn saturating_i32(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
