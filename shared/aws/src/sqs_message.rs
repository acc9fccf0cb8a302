//! An entry as SQS gets it: its message, and how the messages are cut into batches.

use crate::claim_check::ClaimChecks;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use recovery::SinkEntry;
use std::borrow::Cow;

/// Entries in one SendMessageBatch.
const BATCH_ENTRIES_MAX: usize = 10;

/// The attribute by which readers know a pointer: the size of what it points at, in bytes.
const POINTER_ATTRIBUTE: &str = "ExtendedPayloadSize";
const POINTER_ATTRIBUTE_TYPE: &str = "Number";

/// A message for one entry.
#[derive(Debug)]
pub(crate) struct SqsMessage<'a> {
    pub entry: &'a SinkEntry,
    body: Cow<'a, str>,
    /// The value of [`POINTER_ATTRIBUTE`], where the body is a pointer.
    payload_bytes: Option<String>,
}

impl<'a> SqsMessage<'a> {
    /// The entry itself, or a pointer where it has more than `bytes_max`; `None` where it has and nothing is to point at.
    pub fn of(entry: &'a SinkEntry, bytes_max: usize, claim_checks: Option<&ClaimChecks>) -> Option<Self> {
        if entry.body.len() <= bytes_max {
            return Some(Self { entry, body: Cow::Borrowed(&entry.body), payload_bytes: None });
        }
        let body = Cow::Owned(claim_checks?.pointer(entry));
        Some(Self { entry, body, payload_bytes: Some(entry.body.len().to_string()) })
    }

    pub fn is_pointer(&self) -> bool {
        self.payload_bytes.is_some()
    }

    /// What SQS counts: the body, and of each attribute its name, its type and its value. The ids of a FIFO queue are free.
    pub fn bytes(&self) -> usize {
        let attribute = |value: &String| POINTER_ATTRIBUTE.len() + POINTER_ATTRIBUTE_TYPE.len() + value.len();
        self.body.len() + self.payload_bytes.as_ref().map_or(0, attribute)
    }

    /// The message for a batch, with an id that is the batch's own.
    pub fn to_sdk(&self, id: usize) -> Result<SendMessageBatchRequestEntry, BuildError> {
        let mut message = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(&*self.body);
        if let Some(bytes) = &self.payload_bytes {
            let value = MessageAttributeValue::builder().data_type(POINTER_ATTRIBUTE_TYPE).string_value(bytes);
            message = message.message_attributes(POINTER_ATTRIBUTE, value.build()?);
        }
        message.build()
    }
}

/// Cuts messages, in order, into batches of at most ten and `bytes_max` in all.
pub(crate) fn batches<'a, 'b>(messages: &'b [SqsMessage<'a>], bytes_max: usize) -> Vec<&'b [SqsMessage<'a>]> {
    let mut batches = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (index, message) in messages.iter().enumerate() {
        let full = index - start == BATCH_ENTRIES_MAX || bytes + message.bytes() > bytes_max;
        if full && index > start {
            batches.push(&messages[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += message.bytes();
    }
    if start < messages.len() {
        batches.push(&messages[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body_bytes: usize) -> SinkEntry {
        SinkEntry { id: "id".to_owned(), group: "group".to_owned(), body: "x".repeat(body_bytes) }
    }

    fn check(sizes: &[usize], bytes_max: usize, expected: &[usize]) {
        let entries: Vec<SinkEntry> = sizes.iter().map(|size| entry(*size)).collect();
        let messages: Vec<_> = entries.iter().map(|entry| SqsMessage::of(entry, usize::MAX, None).unwrap()).collect();
        let lengths: Vec<usize> = batches(&messages, bytes_max).iter().map(|batch| batch.len()).collect();
        assert_eq!(lengths, expected, "{sizes:?} into batches of {bytes_max} bytes");
    }

    #[test]
    fn batches_are_filled_to_ten_entries_or_the_bound_in_bytes() {
        check(&[], 100, &[]);
        check(&[1; 25], 100, &[10, 10, 5]);
        check(&[40, 40, 40], 100, &[2, 1]);
        check(&[50, 50, 1], 100, &[2, 1]);
        check(&[100, 100], 100, &[1, 1]);
    }

    #[test]
    fn an_entry_that_does_not_fit_is_no_message_without_a_place_to_point_at() {
        assert!(SqsMessage::of(&entry(100), 100, None).is_some());
        assert!(SqsMessage::of(&entry(101), 100, None).is_none());
    }

    #[cfg(feature = "hydrator")]
    #[test]
    fn a_pointers_attribute_counts_with_its_name_its_type_and_its_value() {
        let clients = crate::Clients::for_endpoints("http://h", "http://h", "http://h", "us-east-1");
        let claim_checks = ClaimChecks::new(&clients, "s3://archive".parse().unwrap());
        let large = entry(1_000);
        let message = SqsMessage::of(&large, 999, Some(&claim_checks)).unwrap();
        assert_eq!(message.bytes(), claim_checks.pointer(&large).len() + "ExtendedPayloadSizeNumber1000".len());

        let sent = message.to_sdk(7).unwrap();
        let attribute = &sent.message_attributes.unwrap()[POINTER_ATTRIBUTE];
        assert_eq!((attribute.data_type(), attribute.string_value()), ("Number", Some("1000")));
        assert_eq!((sent.id.as_str(), sent.message_body), ("7", claim_checks.pointer(&large)));

        // Two pointers fit by their bodies alone; with their attributes they do not.
        let pair = [message, SqsMessage::of(&large, 999, Some(&claim_checks)).unwrap()];
        let bodies = 2 * claim_checks.pointer(&large).len();
        assert_eq!(batches(&pair, bodies).len(), 2);
        assert_eq!(batches(&pair, bodies + 2 * "ExtendedPayloadSizeNumber1000".len()).len(), 1);
    }
}
