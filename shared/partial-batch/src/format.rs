//! What the data of a Kinesis record can be: JSON, bytes, or a change of a table.

use crate::change::{ChangeJson, read_change};
use crate::payload::read_object;
use crate::source::once;
use crate::{Change, Payload, RecordError};
use memchr::memmem;
use records::{JsonText, Refused};
use std::marker::PhantomData;

/// How the data of a Kinesis record is read.
pub trait Format {
    /// What the handler gets.
    type Payload<'p>;

    /// Reads the data of one record.
    ///
    /// # Errors
    ///
    /// When it is none of the format: [`RecordError::invalid`].
    fn read<'p>(&self, data: &'p [u8]) -> Result<Self::Payload<'p>, RecordError>;
}

/// Data as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawPayload;

impl Format for RawPayload {
    type Payload<'p> = &'p [u8];

    fn read<'p>(&self, data: &'p [u8]) -> Result<&'p [u8], RecordError> {
        Ok(data)
    }
}

macro_rules! format_of {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<P: ?Sized>(PhantomData<fn() -> P>);

        impl<P: ?Sized> $name<P> {
            /// The format for payloads of type `P`.
            #[must_use]
            pub fn new() -> Self {
                Self(PhantomData)
            }
        }

        impl<P: ?Sized> Default for $name<P> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<P: ?Sized> Clone for $name<P> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<P: ?Sized> Copy for $name<P> {}
    };
}
pub(crate) use format_of;

format_of! {
    /// The JSON of a `P`, an object.
    JsonPayload
}

impl<P: Payload> Format for JsonPayload<P> {
    type Payload<'p> = P::Of<'p>;

    fn read<'p>(&self, data: &'p [u8]) -> Result<P::Of<'p>, RecordError> {
        read_object(data)
    }
}

format_of! {
    /// A change of an item of type `P`, as Kinesis Data Streams for DynamoDB puts it: the table's own stream on Kinesis.
    ChangePayload
}

impl<P: Payload> Format for ChangePayload<P> {
    type Payload<'p> = Change<P::Of<'p>>;

    fn read<'p>(&self, data: &'p [u8]) -> Result<Change<P::Of<'p>>, RecordError> {
        match table_change(data) {
            Some(change) => read_change(&change),
            None => Err(RecordError::invalid(
                "the payload is no change of a table: expected a JSON object with `eventSource` \"aws:dynamodb\" and \
                 an object `dynamodb`",
            )),
        }
    }
}

/// Either: the JSON of a `P`, or a change of an item of type `P`. Each record is told by its own shape.
#[derive(Debug, Clone)]
pub struct JsonOrChange<P: ?Sized> {
    change: memmem::Finder<'static>,
    payload: PhantomData<fn() -> P>,
}

impl<P: Payload> JsonOrChange<P> {
    /// The format for payloads of type `P`.
    #[must_use]
    pub fn new() -> Self {
        Self { change: memmem::Finder::new("\"dynamodb\""), payload: PhantomData }
    }
}

impl<P: Payload> Default for JsonOrChange<P> {
    fn default() -> Self {
        Self::new()
    }
}

/// What [`JsonOrChange`] found in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived<T> {
    /// The record was the JSON of a `T`.
    Json(T),
    /// The record was a change of an item that is a `T`.
    Change(Change<T>),
}

impl<P: Payload> Format for JsonOrChange<P> {
    type Payload<'p> = Arrived<P::Of<'p>>;

    fn read<'p>(&self, data: &'p [u8]) -> Result<Arrived<P::Of<'p>>, RecordError> {
        // Nearly every record is plain, and one look for a word is cheap. A payload that holds the word is looked at twice: a
        // type that asks for little would take a change for a payload of its own, and nothing would be said.
        match self.change.find(data).and_then(|_| table_change(data)) {
            Some(change) => read_change(&change).map(Arrived::Change),
            None => read_object(data).map(Arrived::Json),
        }
    }
}

/// Reads the shape that Kinesis Data Streams for DynamoDB puts; `None` for anything else. It has no sequence number of its
/// own: the record's is Kinesis's.
fn table_change(data: &[u8]) -> Option<ChangeJson<'_>> {
    let mut text = JsonText::new(simdutf8::basic::from_utf8(data).ok()?, CHANGE_LEVELS);
    let (mut source, mut images) = (None, None);
    let mut change = ChangeJson::default();
    let object = text.object(|text, key| match key {
        "eventSource" => once(&mut source, text.string()?),
        "eventName" => once(&mut change.event_name, text.raw_value()?),
        "userIdentity" => once(&mut change.user_identity, text.raw_value()?),
        "dynamodb" => once(&mut images, read_images(text)?),
        _ => text.raw_value().map(drop),
    });
    object.and_then(|()| text.end()).ok()?;
    let (new_image, old_image) = images?;
    (source? == "aws:dynamodb").then_some(ChangeJson { new_image, old_image, ..change })
}

/// Items nest 32 deep, and each level of an item is two of JSON.
const CHANGE_LEVELS: u8 = 100;

type Images<'p> = (Option<&'p str>, Option<&'p str>);

fn read_images<'p>(text: &mut JsonText<'p>) -> Result<Images<'p>, Refused> {
    let (mut new, mut old) = (None, None);
    text.object(|text, key| match key {
        "NewImage" => once(&mut new, text.raw_value()?),
        "OldImage" => once(&mut old, text.raw_value()?),
        _ => text.raw_value().map(drop),
    })?;
    Ok((new, old))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RemovedBy;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Order {
        #[serde(default)]
        id: String,
    }

    fn order(id: &str) -> Order {
        Order { id: id.to_owned() }
    }

    /// As Kinesis Data Streams for DynamoDB puts it.
    fn change(name: &str, identity: &str, images: &str) -> String {
        format!(
            r#"{{"awsRegion":"us-east-1","eventID":"e-1","eventName":"{name}","userIdentity":{identity},
            "recordFormat":"application/json","tableName":"orders","dynamodb":{{"ApproximateCreationDateTime":1767225600123,
            "Keys":{{"id":{{"S":"a"}}}},{images}"SizeBytes":20}},"eventSource":"aws:dynamodb"}}"#
        )
    }

    const NEW: &str = r#""NewImage":{"id":{"S":"new"}},"#;
    const OLD: &str = r#""OldImage":{"id":{"S":"old"}},"#;

    #[test]
    fn a_tables_own_stream_on_kinesis_is_read_as_changes() {
        let read = |json: &str| ChangePayload::<Order>::new().read(json.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(read(&change("INSERT", "null", NEW)), Ok(Change::Insert { new: order("new") }));
        let both = format!("{NEW}{OLD}");
        assert_eq!(read(&change("MODIFY", "null", &both)), Ok(Change::Modify { new: order("new"), old: order("old") }));
        let service = r#"{"type":"Service","principalId":"dynamodb.amazonaws.com"}"#;
        let expired = Ok(Change::Remove { old: order("old"), by: RemovedBy::TimeToLive });
        assert_eq!(read(&change("REMOVE", service, OLD)), expired);
        let error = read(&change("INSERT", "null", "")).unwrap_err();
        assert!(error.contains("no `dynamodb.NewImage`"), "{error}");
        for other in ["", "[]", "{}", r#"{"id":"a"}"#, r#"{"eventSource":"aws:dynamodb"}"#] {
            let error = read(other).unwrap_err();
            assert!(error.contains("the payload is no change of a table"), "{other}: {error}");
        }
    }

    #[test]
    fn a_type_without_required_fields_does_not_swallow_changes() {
        #[derive(Debug, Deserialize)]
        struct Strict {
            #[serde(rename = "id")]
            _id: String,
        }
        let insert = change("INSERT", "null", NEW);
        let read = JsonOrChange::<Strict>::new().read(insert.as_bytes());
        assert!(matches!(read, Ok(Arrived::Change(Change::Insert { .. }))), "{read:?}");
        let error =
            JsonOrChange::<Strict>::new().read(change("INSERT", "null", "").as_bytes()).unwrap_err().to_string();
        assert!(error.contains("no `dynamodb.NewImage`"), "{error}");
        let error = JsonOrChange::<Strict>::new().read(b"{}").unwrap_err().to_string();
        assert!(error.contains("missing field `id`"), "{error}");
    }

    #[test]
    fn either_form_is_told_by_its_own_shape() {
        let read = |json: &str| JsonOrChange::<Order>::new().read(json.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(read(r#"{"id":"a"}"#), Ok(Arrived::Json(order("a"))));
        let insert = Ok(Arrived::Change(Change::Insert { new: order("new") }));
        assert_eq!(read(&change("INSERT", "null", NEW)), insert, "though every field of an order is optional");
        let named = r#"{"id":"a","dynamodb":{"NewImage":1}}"#;
        assert_eq!(read(named), Ok(Arrived::Json(order("a"))), "a payload may have a field of that name");
        assert_eq!(read("no json").unwrap_err(), "the payload is malformed JSON at line 1 column 2");
    }
}
