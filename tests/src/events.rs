//! Events as Lambda delivers them.

use partial_batch::testkit;
use records::StreamKind;
use records::kpl::{SubRecord, aggregate};
use serde_json::{Map, Value, json};

/// A good order as JSON, or one that breaks a rule when its amount is not 20.
#[must_use]
pub fn order(id: &str, amount: f64) -> Value {
    json!({"order_id": id, "customer_id": "customer-1", "amount": amount, "items": [{"sku": "A", "qty": 2, "price": 10}]})
}

/// A record of either source that holds an order: good when its amount is 20. Records of one key stay in order.
#[must_use]
pub fn order_record(kind: StreamKind, sequence_number: &str, key: &str, amount: f64) -> Value {
    let order = order(key, amount);
    match kind {
        StreamKind::Kinesis => testkit::kinesis_record(sequence_number, key, order.to_string()),
        StreamKind::DynamoDb => table_record(sequence_number, "INSERT", &order, &Value::Null),
    }
}

/// A change of the orders table. The images are plain JSON; `null` for no image.
#[must_use]
pub fn table_record(sequence_number: &str, kind: &str, new: &Value, old: &Value) -> Value {
    let key = if new.is_null() { &old["order_id"] } else { &new["order_id"] };
    let keys = image(&json!({ "order_id": key }));
    testkit::dynamodb_record(sequence_number, kind, &keys, &image(new), &image(old))
}

/// An item in DynamoDB's typed JSON, of plain JSON; `null` of `null`.
#[must_use]
pub fn image(plain: &Value) -> Value {
    plain.as_object().map_or(Value::Null, |fields| {
        let typed = fields.iter().map(|(name, value)| (name.clone(), attribute(value)));
        typed.collect::<Map<String, Value>>().into()
    })
}

fn attribute(plain: &Value) -> Value {
    match plain {
        Value::Null => json!({"NULL": true}),
        Value::Bool(value) => json!({"BOOL": value}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(values) => json!({"L": values.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Object(_) => json!({"M": image(plain)}),
    }
}

/// What a producer packed into one record: an order each, by its key and amount.
#[must_use]
pub fn packed_orders(orders: &[(&str, f64)]) -> Vec<u8> {
    let data: Vec<String> = orders.iter().map(|(key, amount)| order(key, *amount).to_string()).collect();
    let parts = orders.iter().zip(&data);
    let parts =
        parts.map(|((key, _), data)| SubRecord { partition_key: key, explicit_hash_key: None, data: data.as_bytes() });
    aggregate(&parts.collect::<Vec<_>>())
}

/// The response of a processor that names these.
#[must_use]
pub fn named(identifiers: &[&str]) -> Value {
    let failure = |identifier: &&str| json!({"itemIdentifier": identifier});
    json!({"batchItemFailures": identifiers.iter().map(failure).collect::<Vec<_>>()})
}

/// One record of a Kinesis event; `data` is base64 already.
#[must_use]
pub fn kinesis_record(sequence_number: &str, data: &str) -> Value {
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "customer-1",
            "sequenceNumber": sequence_number,
            "data": data,
            "approximateArrivalTimestamp": 1_545_084_650.987,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("shardId-000000000006:{sequence_number}"),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::111122223333:role/orders",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:111122223333:stream/orders",
    })
}

/// A batch of Kinesis records.
#[must_use]
pub fn kinesis_event(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// A batch of INSERTs into the orders table: sequence numbers, and the new images as typed JSON.
#[must_use]
pub fn dynamodb_event(records: &[(&str, Value)]) -> String {
    let record = |(sequence_number, new_image): &(&str, Value)| {
        json!({
            "eventID": format!("event-{sequence_number}"),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_545_084_650,
                "Keys": { "order_id": new_image["order_id"] },
                "NewImage": new_image,
                "SequenceNumber": sequence_number,
                "SizeBytes": 100,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123",
        })
    };
    json!({ "Records": records.iter().map(record).collect::<Vec<_>>() }).to_string()
}

/// A batch of messages: ids and bodies.
#[must_use]
pub fn sqs_event(messages: &[(&str, &str)]) -> String {
    sqs_event_of("arn:aws:sqs:us-east-1:111122223333:on-failure", messages)
}

/// A batch of messages of the queue with this ARN.
#[must_use]
pub fn sqs_event_of(queue_arn: &str, messages: &[(&str, &str)]) -> String {
    let record = |(id, body): &(&str, &str)| {
        json!({
            "messageId": id,
            "receiptHandle": format!("handle-{id}"),
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545084650987"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": "us-east-1",
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() }).to_string()
}
