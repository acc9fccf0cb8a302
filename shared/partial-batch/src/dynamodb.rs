//! Records of a DynamoDB stream in Lambda's JSON.

use crate::change::{ChangeJson, read_change};
use crate::format::format_of;
use crate::source::{OriginKind, Record, Source, lenient, object, once, read_records, sequence_number, text, valid};
use crate::{Change, Payload, RecordError};
use records::{Habit, Item, JsonText, Refused};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::convert::Infallible;
use std::marker::PhantomData;

format_of! {
    /// Records of a table's stream, whose items are of type `P`. The stream's view has to be `NEW_AND_OLD_IMAGES`.
    DynamoDb
}

/// The record, field by field raw, so that a broken field costs only itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unusual<'e> {
    #[serde(borrow)]
    dynamodb: &'e RawValue,
    #[serde(borrow)]
    event_name: Option<&'e RawValue>,
    #[serde(borrow)]
    user_identity: Option<&'e RawValue>,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<&'e RawValue>,
    #[serde(borrow, rename = "eventSourceARN")]
    stream: Option<&'e RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UnusualFields<'e> {
    #[serde(borrow)]
    sequence_number: Option<&'e RawValue>,
    #[serde(borrow)]
    approximate_creation_date_time: Option<&'e RawValue>,
    #[serde(borrow)]
    keys: Option<&'e RawValue>,
    #[serde(borrow)]
    new_image: Option<&'e RawValue>,
    #[serde(borrow)]
    old_image: Option<&'e RawValue>,
}

impl<P: Payload> Source for DynamoDb<P> {
    type Body<'e> = ChangeJson<'e>;
    /// A record of a table's stream is always one record.
    type Parts = Infallible;
    type Payload<'p> = Change<P::Of<'p>>;

    const ORIGIN: OriginKind = OriginKind::EventId;

    fn read_event<'e>(&self, event: &'e [u8]) -> Option<Vec<Record<'e, ChangeJson<'e>>>> {
        let mut habits = Habits::default();
        read_records(event, |text| usual(text, &mut habits))
    }

    fn read_record<'e>(&self, record: &'e RawValue) -> Record<'e, ChangeJson<'e>> {
        let decoded = object::<Unusual<'_>>(record).and_then(|record| {
            let fields = object::<UnusualFields<'_>>(record.dynamodb)?;
            Some((record, fields))
        });
        let Some((record, fields)) = decoded else {
            let error = "the record is no DynamoDB record: expected an object `dynamodb`";
            return Record::undecodable(&RecordError::invalid(error));
        };
        Record {
            sequence_number: sequence_number("dynamodb.SequenceNumber", fields.sequence_number),
            stream: text(record.stream),
            origin: text(record.event_id),
            key: fields.keys.map_or(Cow::Borrowed(""), |keys| Cow::Borrowed(keys.get())),
            arrival: lenient(fields.approximate_creation_date_time),
            body: Ok(ChangeJson {
                event_name: record.event_name.map(RawValue::get),
                user_identity: record.user_identity.map(RawValue::get),
                new_image: fields.new_image.map(RawValue::get),
                old_image: fields.old_image.map(RawValue::get),
            }),
        }
    }

    fn parts(&self, _body: &ChangeJson<'_>) -> Option<Infallible> {
        None
    }

    fn part_count(&self, parts: &Infallible) -> usize {
        match *parts {}
    }

    fn left_out(&self, parts: &Infallible) -> Option<RecordError> {
        match *parts {}
    }

    fn part_key<'a>(&self, parts: &'a Infallible, _index: usize) -> Option<&'a str> {
        match *parts {}
    }

    fn part_event(&self, _record: &RawValue, parts: &Infallible, _index: usize) -> Option<Box<RawValue>> {
        match *parts {}
    }

    fn payload<'p, 'e: 'p>(
        &self,
        body: &'p ChangeJson<'e>,
        _buffer: &'p mut Vec<u8>,
    ) -> Result<Change<P::Of<'p>>, RecordError> {
        read_change(body)
    }

    fn part_payload<'p>(&self, parts: &'p Infallible, _index: usize) -> Option<Result<Change<P::Of<'p>>, RecordError>> {
        match *parts {}
    }

    /// A key of two attributes may be written in either order, and with white space.
    fn canonical_key<'a>(&self, key: &'a str) -> Cow<'a, str> {
        let item = serde_json::from_str::<Item>(key).ok();
        item.and_then(|item| serde_json::to_string(&item).ok()).map_or(Cow::Borrowed(key), Cow::Owned)
    }
}

/// What the records of an event have in common.
#[derive(Default)]
struct Habits<'e> {
    record: Habit<'e>,
    dynamodb: Habit<'e>,
}

/// Reads a record that is what Lambda sends, field by field as it should be.
fn usual<'e>(text: &mut JsonText<'e>, habits: &mut Habits<'e>) -> Result<Record<'e, ChangeJson<'e>>, Refused> {
    let (mut dynamodb, mut event_name, mut user_identity, mut event_id, mut stream) = (None, None, None, None, None);
    text.object_like(&mut habits.record, |text, key, known| match key {
        "dynamodb" => once(&mut dynamodb, usual_fields(text, &mut habits.dynamodb)?),
        "eventName" => once(&mut event_name, text.raw_value_like(known)?),
        "userIdentity" => once(&mut user_identity, text.raw_value_like(known)?),
        "eventID" => once(&mut event_id, text.string()?),
        "eventSourceARN" => once(&mut stream, text.string_like(known)?),
        _ => text.raw_value_like(known).map(drop),
    })?;
    let (mut record, mut change) = dynamodb.ok_or(Refused)?;
    change.event_name = event_name;
    change.user_identity = user_identity;
    record.origin = event_id.ok_or(Refused)?;
    record.stream = stream.ok_or(Refused)?;
    Ok(Record { body: Ok(change), ..record })
}

/// Reads what is within `dynamodb`: a record of which it is not known where it comes from, and its images.
fn usual_fields<'e>(
    text: &mut JsonText<'e>,
    habit: &mut Habit<'e>,
) -> Result<(Record<'e, ChangeJson<'e>>, ChangeJson<'e>), Refused> {
    let (mut sequence_number, mut arrival, mut keys, mut new_image, mut old_image) = (None, None, None, None, None);
    text.object_like(habit, |text, key, known| match key {
        "SequenceNumber" => once(&mut sequence_number, valid(text.string()?)?),
        "ApproximateCreationDateTime" => once(&mut arrival, text.moment()?),
        "Keys" => once(&mut keys, text.raw_value()?),
        "NewImage" => once(&mut new_image, text.raw_value()?),
        "OldImage" => once(&mut old_image, text.raw_value()?),
        _ => text.raw_value_like(known).map(drop),
    })?;
    let record = Record {
        sequence_number: Ok(sequence_number.ok_or(Refused)?),
        stream: Cow::Borrowed(""),
        origin: Cow::Borrowed(""),
        key: Cow::Borrowed(keys.ok_or(Refused)?),
        arrival,
        body: Ok(ChangeJson::default()),
    };
    Ok((record, ChangeJson { new_image, old_image, ..ChangeJson::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RemovedBy;

    #[derive(Debug, Clone, PartialEq, Deserialize)]
    struct Order {
        id: String,
    }

    fn record(json: &str) -> (Result<Change<Order>, String>, String, String) {
        let json = RawValue::from_string(json.to_owned()).unwrap();
        let source = DynamoDb::<Order>::new();
        let record = source.read_record(&json);
        let change = match &record.body {
            Ok(body) => source.payload(body, &mut Vec::new()).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let number = record.sequence_number.map_or_else(|error| error.to_string(), Cow::into_owned);
        (change, number, record.key.into_owned())
    }

    fn order(id: &str) -> Order {
        Order { id: id.to_owned() }
    }

    fn json(name: &str, rest: &str) -> String {
        format!(r#"{{"eventName":"{name}","dynamodb":{{"SequenceNumber":"5","Keys":{{"id":{{"S":"a"}}}}{rest}}}}}"#)
    }

    const NEW: &str = r#","NewImage":{"id":{"S":"new"}}"#;
    const OLD: &str = r#","OldImage":{"id":{"S":"old"}}"#;

    #[test]
    fn each_kind_of_change_has_its_images_and_no_others() {
        let both = format!("{NEW}{OLD}");
        let (insert, number, key) = record(&json("INSERT", &both));
        assert_eq!((number.as_str(), key.as_str()), ("5", r#"{"id":{"S":"a"}}"#));
        assert_eq!(insert, Ok(Change::Insert { new: order("new") }));
        assert_eq!(record(&json("MODIFY", &both)).0, Ok(Change::Modify { new: order("new"), old: order("old") }));
        let remove = Ok(Change::Remove { old: order("old"), by: RemovedBy::User });
        assert_eq!(record(&json("REMOVE", &both)).0, remove, "a new image on REMOVE is nobody's");
        for other in ["insert", "", "PUT"] {
            assert_eq!(record(&json(other, &both)).0.unwrap_err(), "expected `eventName` INSERT, MODIFY or REMOVE");
        }
    }

    #[test]
    fn a_time_to_live_delete_is_told_apart() {
        let removed = |identity: &str| {
            let json = format!(r#"{{"userIdentity":{identity},{}"#, &json("REMOVE", OLD)[1..]);
            match record(&json).0 {
                Ok(Change::Remove { by, .. }) => by,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(removed(r#"{"type":"Service","principalId":"dynamodb.amazonaws.com"}"#), RemovedBy::TimeToLive);
        for user in [
            "null",
            "{}",
            r#"{"type":"Service","principalId":"elsewhere"}"#,
            r#"{"type":"IAMUser","principalId":"dynamodb.amazonaws.com"}"#,
        ] {
            assert_eq!(removed(user), RemovedBy::User, "{user}");
        }
    }

    #[test]
    fn a_broken_image_costs_only_its_record_and_is_not_quoted() {
        let error = |rest: &str| {
            let (change, number, _) = record(&json("INSERT", rest));
            assert_eq!(number, "5");
            change.unwrap_err()
        };
        assert!(error("").contains("NEW_AND_OLD_IMAGES"));
        assert_eq!(error(r#","NewImage":{}"#), "`dynamodb.NewImage` does not fit: missing field `id`");
        let typed = error(r#","NewImage":{"id":{"N":"31415"}}"#);
        assert!(typed.contains("expected a string") && !typed.contains("31415"), "{typed}");
        let broken = error(r#","NewImage":{"id":{"SECRET":"1"}}"#);
        assert!(broken.contains("NewImage") && !broken.contains("SECRET"), "{broken}");
    }

    #[test]
    fn what_is_no_dynamodb_record_says_so() {
        for json in ["{}", "null", "[]", r#"{"kinesis":{}}"#, r#"{"dynamodb":["5"]}"#] {
            let (change, number, _) = record(json);
            let error = "the record is no DynamoDB record: expected an object `dynamodb`";
            assert_eq!((change.unwrap_err().as_str(), number.as_str()), (error, error));
        }
    }

    #[test]
    fn one_key_is_one_key_however_it_is_written() {
        let source = DynamoDb::<Order>::new();
        let key = r#"{"pk":{"S":"a"},"sk":{"N":"1"}}"#;
        for same in [r#"{"sk":{"N":"1"},"pk":{"S":"a"}}"#, r#"{ "pk" : {"S":"\u0061"}, "sk":{"N":"1"}}"#] {
            assert_eq!(source.canonical_key(same), source.canonical_key(key));
        }
        for other in [r#"{"pk":{"S":"a"},"sk":{"N":"2"}}"#, r#"{"pk":{"S":"a"}}"#, r#"{"pk":{"B":"a"},"sk":{"N":"1"}}"#]
        {
            assert_ne!(source.canonical_key(other), source.canonical_key(key));
        }
        assert_eq!(source.canonical_key("no key"), "no key");
    }
}
