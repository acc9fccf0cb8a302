//! Records of a DynamoDB stream, and the shape in which Lambda delivers them.

use crate::{EpochMillis, Item, SequenceNumber, StreamArn};
use serde::{Deserialize, Serialize};

/// One change of one item, as GetRecords of DynamoDB Streams returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamoDbRecord {
    /// A unique id of the change.
    pub event_id: String,
    /// What happened to the item.
    pub event_name: EventName,
    /// Version of the record's shape, `1.1`.
    pub event_version: String,
    /// Region of the table.
    pub aws_region: String,
    /// When the change was made, to the second or finer; sometimes absent.
    pub approximate_creation: Option<EpochMillis>,
    /// The item's primary key.
    pub keys: Item,
    /// The item after the change: absent on REMOVE and for views without it.
    pub new_image: Option<Item>,
    /// The item before the change: absent on INSERT and for views without it.
    pub old_image: Option<Item>,
    /// Position in the shard.
    pub sequence_number: SequenceNumber,
    /// Size of the change in bytes.
    pub size_bytes: Option<i64>,
    /// Which images the stream carries, such as `NEW_AND_OLD_IMAGES`.
    pub stream_view_type: Option<String>,
    /// Who made the change: present when it was DynamoDB itself (a TTL delete).
    pub user_identity: Option<UserIdentity>,
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventName {
    /// It is new.
    Insert,
    /// It was there and is changed.
    Modify,
    /// It is gone.
    Remove,
}

/// Who made a change. A TTL delete carries type `Service` and principal `dynamodb.amazonaws.com`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserIdentity {
    /// Kind of the identity.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    #[serde(rename = "principalId")]
    pub principal_id: String,
}

impl DynamoDbRecord {
    /// The record exactly as Lambda puts it into a batch, ready to be serialized.
    #[must_use]
    pub fn delivered<'a>(&'a self, stream: &'a StreamArn) -> impl Serialize + 'a {
        Delivered {
            event_id: &self.event_id,
            event_name: self.event_name,
            event_version: &self.event_version,
            event_source: "aws:dynamodb",
            aws_region: &self.aws_region,
            dynamodb: Change {
                approximate_creation_date_time: self.approximate_creation,
                keys: &self.keys,
                new_image: self.new_image.as_ref(),
                old_image: self.old_image.as_ref(),
                sequence_number: &self.sequence_number,
                size_bytes: self.size_bytes,
                stream_view_type: self.stream_view_type.as_deref(),
            },
            user_identity: self.user_identity.as_ref(),
            event_source_arn: stream.as_str(),
        }
    }
}

#[derive(Serialize)]
struct Delivered<'a> {
    #[serde(rename = "eventID")]
    event_id: &'a str,
    #[serde(rename = "eventName")]
    event_name: EventName,
    #[serde(rename = "eventVersion")]
    event_version: &'a str,
    #[serde(rename = "eventSource")]
    event_source: &'static str,
    #[serde(rename = "awsRegion")]
    aws_region: &'a str,
    dynamodb: Change<'a>,
    #[serde(rename = "userIdentity", skip_serializing_if = "Option::is_none")]
    user_identity: Option<&'a UserIdentity>,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_creation_date_time: Option<EpochMillis>,
    keys: &'a Item,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<&'a Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_image: Option<&'a Item>,
    sequence_number: &'a SequenceNumber,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_view_type: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AttributeValue;

    #[test]
    fn a_ttl_delete_is_delivered_in_lambdas_shape() {
        let key = Item::from([("order_id".to_owned(), AttributeValue::S("o-1".to_owned()))]);
        let record = DynamoDbRecord {
            event_id: "a1b2".to_owned(),
            event_name: EventName::Remove,
            event_version: "1.1".to_owned(),
            aws_region: "us-east-1".to_owned(),
            approximate_creation: Some(EpochMillis(1_767_225_600_000)),
            keys: key.clone(),
            new_image: None,
            old_image: Some(key),
            sequence_number: SequenceNumber::parse("442158").unwrap(),
            size_bytes: Some(12),
            stream_view_type: Some("NEW_AND_OLD_IMAGES".to_owned()),
            user_identity: Some(UserIdentity {
                kind: "Service".to_owned(),
                principal_id: "dynamodb.amazonaws.com".to_owned(),
            }),
        };
        let stream = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123";
        let stream = StreamArn::parse(stream).unwrap();
        assert_eq!(
            serde_json::to_string(&record.delivered(&stream)).unwrap(),
            concat!(
                r#"{"eventID":"a1b2","eventName":"REMOVE","eventVersion":"1.1","eventSource":"aws:dynamodb","#,
                r#""awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1767225600,"#,
                r#""Keys":{"order_id":{"S":"o-1"}},"OldImage":{"order_id":{"S":"o-1"}},"SequenceNumber":"442158","#,
                r#""SizeBytes":12,"StreamViewType":"NEW_AND_OLD_IMAGES"},"#,
                r#""userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"#,
                r#""eventSourceARN":"arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123"}"#
            )
        );
    }
}
