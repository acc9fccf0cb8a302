//! Records of a DynamoDB stream in Lambda's JSON.

use crate::RecordError;
use crate::payload_error::invalid_json;
use crate::source::{Record, Source, isolated, lenient, object, sequence_number};
use records::{EventName, Item, UserIdentity, from_item};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::marker::PhantomData;

/// What happened to an item of type `T`: the images that the kind of change has, and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// The item is new.
    Insert {
        /// The item.
        new: T,
    },
    /// The item was there and is changed.
    Modify {
        /// The item after the change.
        new: T,
        /// The item before the change.
        old: T,
    },
    /// The item is gone.
    Remove {
        /// The item before it went.
        old: T,
        /// Who removed it.
        by: RemovedBy,
    },
}

/// Who removed an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovedBy {
    /// A caller of the table.
    User,
    /// DynamoDB itself, since the item's time to live was over.
    TimeToLive,
}

/// DynamoDB records whose images are items of type `T`. The stream's view has to be `NEW_AND_OLD_IMAGES`.
#[derive(Debug)]
pub struct TypedChange<T>(PhantomData<fn() -> T>);

impl<T> TypedChange<T> {
    /// The source for items of type `T`.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for TypedChange<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The envelope, field by field raw, so that a broken field costs only itself.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    dynamodb: &'a RawValue,
    #[serde(borrow, rename = "eventName")]
    event_name: Option<&'a RawValue>,
    #[serde(borrow, rename = "userIdentity")]
    user_identity: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fields<'a> {
    #[serde(borrow)]
    sequence_number: Option<&'a RawValue>,
    #[serde(borrow)]
    approximate_creation_date_time: Option<&'a RawValue>,
    #[serde(borrow)]
    keys: Option<&'a RawValue>,
    #[serde(borrow)]
    new_image: Option<&'a RawValue>,
    #[serde(borrow)]
    old_image: Option<&'a RawValue>,
}

impl<T: DeserializeOwned> Source for TypedChange<T> {
    type Payload = Change<T>;

    fn decode(&self, record: &RawValue) -> Record<Change<T>> {
        let decoded = object::<Envelope<'_>>(record).and_then(|envelope| {
            let fields = object::<Fields<'_>>(envelope.dynamodb)?;
            Some((envelope, fields))
        });
        let Some((envelope, fields)) = decoded else {
            let error = "the record is no DynamoDB record: expected an object `dynamodb`";
            return Record::undecodable(&RecordError::invalid(error));
        };
        Record {
            sequence_number: sequence_number("dynamodb.SequenceNumber", fields.sequence_number),
            key: fields.keys.map_or_else(String::new, |keys| keys.get().to_owned()),
            arrival: lenient(fields.approximate_creation_date_time),
            payload: isolated(|| change(&envelope, &fields)),
        }
    }
}

fn change<T: DeserializeOwned>(envelope: &Envelope<'_>, fields: &Fields<'_>) -> Result<Change<T>, RecordError> {
    let new = || image("NewImage", fields.new_image);
    let old = || image("OldImage", fields.old_image);
    match lenient(envelope.event_name) {
        Some(EventName::Insert) => Ok(Change::Insert { new: new()? }),
        Some(EventName::Modify) => Ok(Change::Modify { new: new()?, old: old()? }),
        Some(EventName::Remove) => Ok(Change::Remove { old: old()?, by: removed_by(lenient(envelope.user_identity)) }),
        None => Err(RecordError::invalid("expected `eventName` INSERT, MODIFY or REMOVE")),
    }
}

fn image<T: DeserializeOwned>(field: &str, value: Option<&RawValue>) -> Result<T, RecordError> {
    let Some(value) = value else {
        let help = "is the stream's view NEW_AND_OLD_IMAGES?";
        return Err(RecordError::invalid(format_args!("the record has no `dynamodb.{field}`: {help}")));
    };
    let item: Item =
        serde_json::from_str(value.get()).map_err(|error| invalid_json(&format!("`dynamodb.{field}`"), &error))?;
    from_item(&item).map_err(|error| RecordError::invalid(format_args!("`dynamodb.{field}` does not fit: {error}")))
}

fn removed_by(identity: Option<UserIdentity>) -> RemovedBy {
    match identity {
        Some(identity) if identity.kind == "Service" && identity.principal_id == "dynamodb.amazonaws.com" => {
            RemovedBy::TimeToLive
        }
        _ => RemovedBy::User,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Deserialize)]
    struct Order {
        id: String,
    }

    fn decode(json: &str) -> Record<Change<Order>> {
        TypedChange::new().decode(&RawValue::from_string(json.to_owned()).unwrap())
    }

    fn order(id: &str) -> Order {
        Order { id: id.to_owned() }
    }

    #[test]
    fn each_kind_of_change_has_its_images() {
        let json = |name: &str, rest: &str| {
            format!(r#"{{"eventName":"{name}","dynamodb":{{"SequenceNumber":"5","Keys":{{"id":{{"S":"a"}}}}{rest}}}}}"#)
        };
        let new = r#","NewImage":{"id":{"S":"new"}}"#;
        let old = r#","OldImage":{"id":{"S":"old"}}"#;
        let insert = decode(&json("INSERT", new));
        assert_eq!(insert.key, r#"{"id":{"S":"a"}}"#);
        assert_eq!(insert.payload, Ok(Change::Insert { new: order("new") }));
        let modify = decode(&json("MODIFY", &format!("{new}{old}")));
        assert_eq!(modify.payload, Ok(Change::Modify { new: order("new"), old: order("old") }));
        let remove = decode(&json("REMOVE", old));
        assert_eq!(remove.payload, Ok(Change::Remove { old: order("old"), by: RemovedBy::User }));
    }

    #[test]
    fn a_time_to_live_delete_is_told_apart() {
        let json = r#"{"eventName":"REMOVE","dynamodb":{"SequenceNumber":"5","OldImage":{"id":{"S":"old"}}},
            "userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}"#;
        assert_eq!(decode(json).payload, Ok(Change::Remove { old: order("old"), by: RemovedBy::TimeToLive }));
    }

    #[test]
    fn a_broken_image_costs_only_its_record_and_is_not_quoted() {
        let error = |rest: &str| {
            let record = decode(&format!(r#"{{"eventName":"INSERT","dynamodb":{{"SequenceNumber":"5"{rest}}}}}"#));
            assert_eq!(record.sequence_number.unwrap().as_str(), "5");
            record.payload.unwrap_err().to_string()
        };
        assert!(error("").contains("NEW_AND_OLD_IMAGES"));
        assert_eq!(error(r#","NewImage":{}"#), "`dynamodb.NewImage` does not fit: missing field `id`");
        let typed = error(r#","NewImage":{"id":{"N":"31415"}}"#);
        assert!(typed.contains("expected a string") && !typed.contains("31415"), "{typed}");
        let broken = error(r#","NewImage":{"id":{"SECRET":"1"}}"#);
        assert!(broken.contains("NewImage") && !broken.contains("SECRET"), "{broken}");
    }
}
