//! What the mapping delivers and the hydrator rebuilds is what other people's code reads: `aws_lambda_events` knows the
//! shapes independently.

use aws_lambda_events::event::{dynamodb, kinesis, sqs};
use records::{
    AttributeValue, DynamoDbRecord, EpochMillis, EventName, Item, KinesisRecord, SequenceNumber, ShardId, StreamArn,
};
use scenarios::sqs_event;
use serde_json::json;

#[test]
fn a_kinesis_record_is_read_by_an_independent_reader() {
    let record = KinesisRecord {
        sequence_number: SequenceNumber::parse("4959").unwrap(),
        partition_key: "customer-1".to_owned(),
        data: vec![0, 1, 0xff],
        approximate_arrival: Some(EpochMillis(1_545_084_650_987)),
        encryption_type: None,
    };
    let stream = StreamArn::parse("arn:aws:kinesis:us-east-1:111122223333:stream/orders").unwrap();
    let shard = ShardId::parse("shardId-000000000006").unwrap();
    let delivered = serde_json::to_value(record.delivered(&stream, &shard, Some("role"))).unwrap();
    let read: kinesis::KinesisEvent = serde_json::from_value(json!({ "Records": [delivered] })).unwrap();
    let record = &read.records[0];
    assert_eq!(
        (record.kinesis.data.0.as_slice(), record.kinesis.sequence_number.as_str()),
        (&[0, 1, 0xff][..], "4959")
    );
    assert_eq!(record.kinesis.approximate_arrival_timestamp.timestamp_millis(), 1_545_084_650_987);
    assert_eq!(record.event_id.as_deref(), Some("shardId-000000000006:4959"));
    assert_eq!(record.event_source_arn.as_deref(), Some(stream.as_str()));
}

#[test]
fn a_dynamodb_record_is_read_by_an_independent_reader() {
    let key = Item::from([("order_id".to_owned(), AttributeValue::S("o-1".to_owned()))]);
    let record = DynamoDbRecord {
        event_id: "event-1".to_owned(),
        event_name: EventName::Insert,
        event_version: "1.1".to_owned(),
        aws_region: "us-east-1".to_owned(),
        approximate_creation: Some(EpochMillis(1_545_084_650_000)),
        keys: key.clone(),
        new_image: Some(key),
        old_image: None,
        sequence_number: SequenceNumber::parse("4421").unwrap(),
        size_bytes: Some(26),
        stream_view_type: Some("NEW_AND_OLD_IMAGES".to_owned()),
        user_identity: None,
    };
    let stream = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123";
    let delivered = serde_json::to_value(record.delivered(&StreamArn::parse(stream).unwrap())).unwrap();
    let read: dynamodb::Event = serde_json::from_value(json!({ "Records": [delivered] })).unwrap();
    let record = &read.records[0];
    assert_eq!((record.event_name.as_str(), record.event_id.as_str()), ("INSERT", "event-1"));
    assert_eq!(record.change.sequence_number.as_deref(), Some("4421"));
    assert_eq!(record.change.approximate_creation_date_time.timestamp(), 1_545_084_650);
    assert!(record.change.old_image.is_empty());
}

#[test]
fn the_queue_event_of_the_scenarios_is_one() {
    let read: sqs::SqsEvent = serde_json::from_str(&sqs_event(&[("m-1", "{}")])).unwrap();
    assert_eq!((read.records[0].message_id.as_deref(), read.records[0].body.as_deref()), (Some("m-1"), Some("{}")));
}
