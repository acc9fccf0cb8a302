//! What the body of a queue's message may be: an on-failure message, or a pointer to objects that hold one, each with or
//! without SNS around it.

use super::object::{Object, string};
use super::{MessageError, ObjectRef, OnFailureMessage, names_a_range, object_created};

/// What the body of a queue message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Envelope {
    /// An on-failure message, however it was wrapped.
    OnFailure(Box<OnFailureMessage>),
    /// A notification that objects were put: each holds an on-failure message with its payload.
    Objects(Vec<ObjectRef>),
    /// S3's test of a new notification: it names no record.
    Test,
}

impl Envelope {
    /// Parses the body of a queue message.
    ///
    /// # Errors
    ///
    /// When it is none of these; when it says of an object anything but that it was put. The path in the error leads
    /// through the wrapper: `$.Message.KinesisBatchInfo.batchSize`.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        let body = body.trim_ascii();
        let outer = Object::parse(body, "$")?;
        let Some(wrapped) = sns_message(&outer) else { return read(outer, body) };
        // Read once and not in a loop: a topic's notification inside of one is nothing that AWS makes.
        let wrapped = wrapped.trim_ascii();
        read(Object::parse(wrapped, "$.Message")?, wrapped)
    }
}

/// The message that a topic delivers when raw delivery is off.
fn sns_message<'a>(outer: &Object<'a>) -> Option<std::borrow::Cow<'a, str>> {
    let of_sns = ["Type", "TopicArn"].iter().any(|name| outer.fields.last(name).is_some());
    if names_a_range(outer) || !of_sns {
        return None;
    }
    outer.fields.last("Message").and_then(string)
}

fn read(object: Object<'_>, json: &str) -> Result<Envelope, MessageError> {
    let has = |name| object.fields.last(name).is_some();
    // What names a range is a message whatever else it says, so that `OnFailureMessage::parse` reads it alike.
    if names_a_range(&object) {
        Ok(Envelope::OnFailure(Box::new(OnFailureMessage::read(object, json)?)))
    } else if has("Records") {
        object_created::from_s3(&object).map(Envelope::Objects)
    } else if has("detail-type") {
        object_created::from_event_bridge(&object).map(|put| Envelope::Objects(vec![put]))
    } else if object.any_string("Event").as_deref() == Some("s3:TestEvent") {
        Ok(Envelope::Test)
    } else {
        Ok(Envelope::OnFailure(Box::new(OnFailureMessage::read(object, json)?)))
    }
}
