//! The notifications of S3 and of EventBridge that objects were put.

use super::MessageError;
use super::object::{Object, type_name};
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;

/// An object in S3 that holds an on-failure message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// Name of the bucket.
    pub bucket: String,
    /// Key of the object as S3 has it: not URL-encoded.
    pub key: String,
    /// The version that was put, of a bucket that keeps versions.
    pub version_id: Option<String>,
    /// Length of the object, where the notification says it.
    pub size_bytes: Option<u64>,
}

/// Reads S3's own notification. One record that says anything else than that an object was put makes it an error: to
/// leave it out would be silence.
pub(super) fn from_s3(notification: &Object<'_>) -> Result<Vec<ObjectRef>, MessageError> {
    const EXPECTED: &str = "an array of at least one record";
    let records = notification.required("Records", EXPECTED)?;
    let items: Vec<&RawValue> = serde_json::from_str(records.get())
        .map_err(|_| notification.error("Records", EXPECTED, type_name(records.get())))?;
    if items.is_empty() {
        return Err(notification.error("Records", EXPECTED, "an empty one"));
    }
    let path = notification.path_to("Records");
    let records = items.iter().enumerate();
    records.map(|(index, item)| of_record(&Object::parse(item.get(), format!("{path}[{index}]"))?)).collect()
}

fn of_record(record: &Object<'_>) -> Result<ObjectRef, MessageError> {
    record.parsed("eventSource", "`aws:s3`", |text| holds(text == "aws:s3"))?;
    record.parsed("eventName", "an event `ObjectCreated:...`", |text| holds(text.starts_with("ObjectCreated:")))?;
    let s3 = record.object("s3")?;
    let object = s3.object("object")?;
    Ok(ObjectRef {
        bucket: s3.object("bucket")?.parsed("name", "the name of a bucket", not_empty)?,
        key: object.parsed("key", "the URL-encoded key of an object", url_decoded)?,
        version_id: version(&object, "versionId")?,
        size_bytes: object.any_number("size"),
    })
}

/// Reads the event that S3 sends by way of EventBridge: its key is not URL-encoded.
pub(super) fn from_event_bridge(event: &Object<'_>) -> Result<ObjectRef, MessageError> {
    event.parsed("source", "`aws.s3`", |text| holds(text == "aws.s3"))?;
    event.parsed("detail-type", "`Object Created`", |text| holds(text == "Object Created"))?;
    let detail = event.object("detail")?;
    let object = detail.object("object")?;
    Ok(ObjectRef {
        bucket: detail.object("bucket")?.parsed("name", "the name of a bucket", not_empty)?,
        key: object.parsed("key", "the key of an object", not_empty)?,
        version_id: version(&object, "version-id")?,
        size_bytes: object.any_number("size"),
    })
}

/// A version has to be read when there is one: another version of the object holds another message.
fn version(object: &Object<'_>, name: &str) -> Result<Option<String>, MessageError> {
    match object.optional(name)? {
        None => Ok(None),
        Some(_) => object.parsed(name, "the id of a version", not_empty).map(Some),
    }
}

fn holds(condition: bool) -> Result<(), ()> {
    condition.then_some(()).ok_or(())
}

fn not_empty(text: &str) -> Result<String, ()> {
    if text.is_empty() { Err(()) } else { Ok(text.to_owned()) }
}

/// Decodes as HTML forms do, which is what S3 uses: `+` is a space.
fn url_decoded(text: &str) -> Result<String, ()> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| ())?;
    not_empty(&decoded)
}
