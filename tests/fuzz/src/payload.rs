//! Any bytes as the data of one Kinesis record, which is what a customer controls: beside what serde_json makes of them.

use crate::alike::{Anything, Float};
use crate::event;
use crate::order::{Lenient, Order, Orders, Shapes, Skipped, Tagged};
use partial_batch::{
    Arrived, Change, ChangePayload, Format, JsonOrChange, JsonPayload, Kinesis, Payload, RecordErrorKind, RemovedBy,
    testkit,
};
use records::{Item, UserIdentity, from_item, is_object};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The data of one record.
pub fn kinesis_payload(data: &[u8]) {
    json::<Orders>(data);
    json::<Anything>(data);
    json::<Shapes>(data);
    json::<Lenient>(data);
    json::<Tagged>(data);
    json::<Skipped>(data);
    json::<BTreeMap<i32, Float>>(data);
    json::<Option<BTreeMap<String, Option<Vec<i64>>>>>(data);
    json::<(Anything, Anything)>(data);
    json_into_value(data);
    change(data);
    either(data);
    let event = testkit::event(vec![testkit::kinesis_record("49500", "customer-1", data)]);
    event::check(event.as_bytes(), Kinesis::json::<Orders>);
    event::check(event.as_bytes(), || Kinesis::new(ChangePayload::<Orders>::new()));
    event::check(event.as_bytes(), || Kinesis::new(JsonOrChange::<Orders>::new()));
}

/// JSON: what serde_json reads, and nothing else.
fn json<P: Payload>(data: &[u8])
where
    for<'p> P::Of<'p>: PartialEq + Debug,
{
    let careful = serde_json::from_slice::<P::Of<'_>>(data);
    if let Some(quick) = str::from_utf8(data).ok().and_then(records::read_json::<P::Of<'_>>) {
        match &careful {
            Ok(careful) => assert_eq!(quick, *careful, "the quick reader reads something else"),
            Err(error) => panic!("only the quick reader takes it, as {quick:?}: {error}"),
        }
    }
    match (JsonPayload::<P>::new().read(data), careful) {
        (Ok(read), Ok(careful)) => assert!(is_object(data) && read == careful, "{read:?} / {careful:?}"),
        (Ok(read), Err(error)) => panic!("it is taken as {read:?}, and serde_json refuses it: {error}"),
        (Err(error), careful) => {
            assert_eq!(error.kind(), RecordErrorKind::Invalid);
            assert!(
                careful.is_err() || !is_object(data),
                "it is refused: {error}, and serde_json takes it: {careful:?}"
            );
        }
    }
}

/// A value of serde_json's own, which has a reader that knows one key: the text of another JSON.
fn json_into_value(data: &[u8]) {
    let careful = serde_json::from_slice::<Value>(data);
    let read = JsonPayload::<Value>::new().read(data);
    assert_eq!(read.is_ok(), careful.is_ok() && is_object(data), "{read:?} / {careful:?}");
}

/// A change of a table: never what serde_json would make something else of.
fn change(data: &[u8]) {
    match ChangePayload::<Orders>::new().read(data) {
        Ok(read) => assert_eq!(Some(read), careful_change(data)),
        Err(error) => assert_eq!(error.kind(), RecordErrorKind::Invalid),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TableChange<'e> {
    event_source: String,
    event_name: String,
    #[serde(borrow)]
    user_identity: Option<&'e RawValue>,
    #[serde(borrow)]
    dynamodb: Images<'e>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Images<'e> {
    #[serde(borrow)]
    new_image: Option<&'e RawValue>,
    #[serde(borrow)]
    old_image: Option<&'e RawValue>,
}

fn careful_change(data: &[u8]) -> Option<Change<Order<'static>>> {
    let change: TableChange<'_> = serde_json::from_slice(data).ok()?;
    let image = |json: Option<&RawValue>| from_item(&serde_json::from_str::<Item>(json?.get()).ok()?).ok();
    let (new, old) = (|| image(change.dynamodb.new_image), || image(change.dynamodb.old_image));
    let identity = change.user_identity.and_then(|json| serde_json::from_str::<UserIdentity>(json.get()).ok());
    let is_service = |who: UserIdentity| who.kind == "Service" && who.principal_id == "dynamodb.amazonaws.com";
    let by = if identity.is_some_and(is_service) { RemovedBy::TimeToLive } else { RemovedBy::User };
    if change.event_source != "aws:dynamodb" {
        return None;
    }
    match change.event_name.as_str() {
        "INSERT" => Some(Change::Insert { new: new()? }),
        "MODIFY" => Some(Change::Modify { new: new()?, old: old()? }),
        "REMOVE" => Some(Change::Remove { old: old()?, by }),
        _ => None,
    }
}

/// Either: what one of the two formats makes of it.
fn either(data: &[u8]) {
    let json = JsonPayload::<Orders>::new().read(data);
    let change = ChangePayload::<Orders>::new().read(data);
    match JsonOrChange::<Orders>::new().read(data) {
        Ok(Arrived::Json(read)) => assert_eq!(Ok(read), json),
        Ok(Arrived::Change(read)) => assert_eq!(Ok(read), change),
        Err(error) => assert!(json == Err(error.clone()) || change == Err(error.clone()), "{error}"),
    }
}
