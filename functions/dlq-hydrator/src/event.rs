//! The SQS event, as far as the hydrator needs it.

use recovery::QueueMessage;
use serde::Deserialize;
use thiserror::Error;

/// The event cannot be answered message by message, so the function has to fail: all messages then stay.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EventError {
    /// It is no batch at all.
    #[error(transparent)]
    Envelope(#[from] records::EventError),
    /// A message has no id, so nothing could keep it on its queue but a failure of all.
    #[error("expected an SQS event: record {index} has no `messageId`")]
    NoMessageId {
        /// Its index in `Records`, counted from 0.
        index: usize,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    message_id: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow)]
    body: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow, rename = "eventSourceARN")]
    queue_arn: Option<&'a serde_json::value::RawValue>,
}

/// Takes the event apart. A message with a broken body is still a message: it fails alone.
///
/// # Errors
///
/// When the event is no batch, or a message cannot be named.
pub fn parse_event(event: &[u8]) -> Result<Vec<QueueMessage>, EventError> {
    let records = records::split_records(event)?;
    let text = |value: &serde_json::value::RawValue| serde_json::from_str::<String>(value.get()).ok();
    records
        .into_iter()
        .enumerate()
        .map(|(index, record)| {
            let nameless = EventError::NoMessageId { index };
            let object = Some(record.get()).filter(|record| records::is_object(record.as_bytes()));
            let envelope = object.and_then(|record| serde_json::from_str::<Envelope<'_>>(record).ok());
            let envelope = envelope.ok_or(nameless)?;
            let message_id = envelope.message_id.and_then(text).filter(|id| !id.is_empty());
            let message_id = message_id.ok_or(EventError::NoMessageId { index })?;
            let body = envelope.body.and_then(text).unwrap_or_default();
            Ok(QueueMessage { message_id, body, queue_arn: envelope.queue_arn.and_then(text).unwrap_or_default() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_apart_and_a_broken_body_costs_only_itself() {
        let event = r#"{"Records":[{"messageId":"m-1","body":"{}","eventSourceARN":"arn:q"},{"messageId":"m-2","body":5},{"messageId":"m-3"}]}"#;
        let bodies: Vec<_> =
            parse_event(event.as_bytes()).unwrap().into_iter().map(|m| (m.message_id, m.body)).collect();
        let pair = |id: &str, body: &str| (id.to_owned(), body.to_owned());
        assert_eq!(bodies, [pair("m-1", "{}"), pair("m-2", ""), pair("m-3", "")]);
        let queues: Vec<_> = parse_event(event.as_bytes()).unwrap().into_iter().map(|m| m.queue_arn).collect();
        assert_eq!(queues, ["arn:q", "", ""]);
    }

    #[test]
    fn a_message_without_an_id_fails_the_event() {
        for record in
            [r#"{"body":"{}"}"#, r#"{"messageId":"","body":"{}"}"#, r#"{"messageId":7}"#, r#"["m-2"]"#, "null"]
        {
            let event = format!(r#"{{"Records":[{{"messageId":"m-1"}},{record}]}}"#);
            assert_eq!(parse_event(event.as_bytes()), Err(EventError::NoMessageId { index: 1 }), "{record}");
        }
        assert!(matches!(parse_event(b"{}"), Err(EventError::Envelope(_))));
    }
}
