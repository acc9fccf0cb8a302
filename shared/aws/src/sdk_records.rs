//! The SDK's records in the words of the workspace.
//!
//! A conversion fails by naming the field that is missing or malformed.

use aws_sdk_dynamodbstreams::types as dynamodb;
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types as kinesis;
use records::{
    AttributeValue, DynamoDbRecord, EpochMillis, EventName, Item, KinesisRecord, SequenceNumber, UserIdentity,
};
use std::collections::HashMap;

/// The field that is missing or malformed.
type Field = &'static str;

pub(crate) fn kinesis_record(record: kinesis::Record) -> Result<KinesisRecord, Field> {
    Ok(KinesisRecord {
        sequence_number: SequenceNumber::parse(&record.sequence_number).map_err(|_| "sequence number")?,
        partition_key: record.partition_key.unwrap_or_default(),
        data: record.data.into_inner(),
        approximate_arrival: record.approximate_arrival_timestamp.map(epoch_millis).transpose()?,
        encryption_type: record.encryption_type.map(|kind| kind.as_str().to_owned()),
    })
}

pub(crate) fn dynamodb_record(record: dynamodb::Record) -> Result<DynamoDbRecord, Field> {
    let change = record.dynamodb.ok_or("change")?;
    let sequence_number = change.sequence_number.as_deref().ok_or("sequence number")?;
    Ok(DynamoDbRecord {
        event_id: record.event_id.ok_or("event id")?,
        event_name: event_name(record.event_name.as_ref().ok_or("event name")?)?,
        event_version: record.event_version.unwrap_or_else(|| "1.1".to_owned()),
        aws_region: record.aws_region.unwrap_or_default(),
        approximate_creation: change.approximate_creation_date_time.map(epoch_millis).transpose()?,
        keys: item(change.keys.ok_or("keys")?)?,
        new_image: change.new_image.map(item).transpose()?,
        old_image: change.old_image.map(item).transpose()?,
        sequence_number: SequenceNumber::parse(sequence_number).map_err(|_| "sequence number")?,
        size_bytes: change.size_bytes,
        stream_view_type: change.stream_view_type.map(|view| view.as_str().to_owned()),
        user_identity: record.user_identity.map(user_identity).transpose()?,
    })
}

fn event_name(name: &dynamodb::OperationType) -> Result<EventName, Field> {
    match name {
        dynamodb::OperationType::Insert => Ok(EventName::Insert),
        dynamodb::OperationType::Modify => Ok(EventName::Modify),
        dynamodb::OperationType::Remove => Ok(EventName::Remove),
        _ => Err("event name"),
    }
}

fn user_identity(identity: dynamodb::Identity) -> Result<UserIdentity, Field> {
    Ok(UserIdentity {
        kind: identity.r#type.ok_or("type of the user identity")?,
        principal_id: identity.principal_id.ok_or("principal of the user identity")?,
    })
}

fn epoch_millis(moment: DateTime) -> Result<EpochMillis, Field> {
    moment.to_millis().map(EpochMillis).map_err(|_| "timestamp")
}

fn item(attributes: HashMap<String, dynamodb::AttributeValue>) -> Result<Item, Field> {
    attributes.into_iter().map(|(name, value)| Ok((name, attribute_value(value)?))).collect()
}

fn attribute_value(value: dynamodb::AttributeValue) -> Result<AttributeValue, Field> {
    use dynamodb::AttributeValue as Sdk;
    Ok(match value {
        Sdk::S(text) => AttributeValue::S(text),
        Sdk::N(text) => AttributeValue::N(text),
        Sdk::B(bytes) => AttributeValue::B(bytes.into_inner()),
        Sdk::Bool(value) => AttributeValue::Bool(value),
        Sdk::Null(value) => AttributeValue::Null(value),
        Sdk::M(map) => AttributeValue::M(item(map)?),
        Sdk::L(list) => AttributeValue::L(list.into_iter().map(attribute_value).collect::<Result<_, _>>()?),
        Sdk::Ss(set) => AttributeValue::StringSet(set),
        Sdk::Ns(set) => AttributeValue::NumberSet(set),
        Sdk::Bs(set) => AttributeValue::BinarySet(set.into_iter().map(|bytes| bytes.into_inner()).collect()),
        _ => return Err("attribute type"),
    })
}
