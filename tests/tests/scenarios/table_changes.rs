//! Changes of a table: on its own stream, and on a Kinesis stream that the table writes to.

use partial_batch::testkit;
use records::StreamKind;
use scenarios::{Observed, TestFunction, image, named, order, order_record, processor, table_record};
use serde_json::{Value, json};

const GOOD: f64 = 20.0;
const BAD: f64 = 20.01;

/// As it says on the records of items that DynamoDB removed, for their time to live was over.
fn time_to_live() -> Value {
    json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"})
}

/// The data of a record that Kinesis Data Streams for DynamoDB puts. It has no sequence number, and its time is in
/// milliseconds.
fn change(kind: &str, new: &Value, old: &Value, identity: &Value) -> Value {
    let mut record = table_record("1", kind, new, old);
    let fields = record.as_object_mut().unwrap();
    for of_lambda in ["eventSourceARN", "eventVersion"] {
        fields.remove(of_lambda).unwrap();
    }
    fields.insert("recordFormat".to_owned(), "application/json".into());
    fields.insert("tableName".to_owned(), "orders".into());
    fields.insert("userIdentity".to_owned(), identity.clone());
    let change = record["dynamodb"].as_object_mut().unwrap();
    for of_a_shard in ["SequenceNumber", "StreamViewType"] {
        change.remove(of_a_shard).unwrap();
    }
    change.insert("ApproximateCreationDateTime".to_owned(), 1_767_225_600_123_u64.into());
    record
}

async fn in_the_middle(processor: &TestFunction, data: &Value) -> Observed {
    let plain = |number| order_record(StreamKind::Kinesis, number, "customer-1", GOOD);
    let middle = testkit::kinesis_record("2", "o-1", data.to_string());
    processor.observe(testkit::event(vec![plain("1"), middle, plain("3")])).await.unwrap()
}

/// The record in the middle is named, for this reason.
fn assert_refused(observed: &Observed, number: &str, reason: &str) {
    assert_eq!(observed.response, Ok(named(&[number])), "{:#?}", observed.lines);
    let [failure] = &observed.failures[..] else { panic!("expected one failing record: {:#?}", observed.lines) };
    assert_eq!((&failure["error.kind"], &failure["record.sequence_number"]), (&json!("invalid"), &json!(number)));
    assert!(failure["error"].as_str().unwrap().contains(reason), "{failure}");
    assert_eq!(observed.done["RecordsHandled"], 1, "{}", observed.done);
}

#[tokio::test]
async fn changes_on_a_kinesis_stream_are_handled_beside_plain_orders() {
    let (good, bad) = (order("o-1", GOOD), order("o-1", BAD));
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    for (kind, new, old, identity) in [
        ("INSERT", &good, &Value::Null, Value::Null),
        ("MODIFY", &good, &bad, Value::Null),
        ("REMOVE", &Value::Null, &good, Value::Null),
        ("REMOVE", &Value::Null, &bad, time_to_live()),
    ] {
        let observed = in_the_middle(&processor, &change(kind, new, old, &identity)).await;
        assert_eq!(observed.response, Ok(named(&[])), "{kind}: {:#?}", observed.lines);
        assert_eq!(observed.done["RecordsHandled"], 3, "{kind}");
    }
}

#[tokio::test]
async fn a_bad_change_on_a_kinesis_stream_fails_under_the_number_of_its_record() {
    let (good, bad) = (order("o-1", GOOD), order("o-1", BAD));
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    for (kind, new, old, reason) in [
        ("INSERT", &bad, &Value::Null, "the sum of the items"),
        ("MODIFY", &bad, &good, "the sum of the items"),
        ("INSERT", &Value::Null, &good, "no `dynamodb.NewImage`"),
        ("MODIFY", &good, &Value::Null, "no `dynamodb.OldImage`"),
        ("REMOVE", &good, &Value::Null, "no `dynamodb.OldImage`"),
        ("REMOVE", &Value::Null, &json!({"order_id": "o-1"}), "missing field"),
        ("UPSERT", &good, &Value::Null, "expected `eventName`"),
    ] {
        let observed = in_the_middle(&processor, &change(kind, new, old, &Value::Null)).await;
        assert_refused(&observed, "2", reason);
    }
}

#[tokio::test]
async fn an_order_that_speaks_of_a_table_is_still_an_order() {
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    let mut order = order("o-1", GOOD);
    order["dynamodb"] = json!({"NewImage": image(&json!({"amount": -1}))});
    order["note"] = json!("\"dynamodb\"");
    let observed = in_the_middle(&processor, &order).await;
    assert_eq!((observed.response, &observed.done["RecordsHandled"]), (Ok(named(&[])), &json!(3)));
    // And it is validated as one, whatever its `dynamodb` says.
    order["amount"] = json!(BAD);
    order["dynamodb"] = json!({"NewImage": image(&json!({"amount": GOOD}))});
    assert_refused(&in_the_middle(&processor, &order).await, "2", "the sum of the items");
    order.as_object_mut().unwrap().remove("customer_id").unwrap();
    assert_refused(&in_the_middle(&processor, &order).await, "2", "missing field `customer_id`");
}

/// What an item can hold beside an order: each of the ten types, the largest numbers, and maps as deep as they go.
fn every_type() -> Value {
    let deepest = (0..31).fold(json!({"S": "bottom"}), |inner, _| json!({"M": {"deeper": inner}}));
    json!({
        "text": {"S": "\u{0}\u{ffff} 🦀 \"quoted\""},
        "number": {"N": "-9.9999999999999999999999999999999999999E+125"},
        "digits": {"N": "12345678901234567890123456789012345678"},
        "bytes": {"B": "AAH/"},
        "flag": {"BOOL": false},
        "nothing": {"NULL": true},
        "map": {"M": {"empty": {"M": {}}, "amount": {"N": "-1"}}},
        "list": {"L": [{"L": []}, {"S": ""}, {"N": "0"}]},
        "texts": {"SS": ["a", "b", "a"]},
        "numbers": {"NS": ["1", "-1E-130", "98765432109876543210987654321098765432"]},
        "binaries": {"BS": ["", "AA=="]},
        "deepest": deepest,
    })
}

fn with_every_type(amount: f64) -> Value {
    let mut image = image(&order("o-1", amount));
    let others = every_type();
    image.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    image
}

#[tokio::test]
async fn an_item_may_hold_whatever_a_table_can_hold() {
    let processor = processor(StreamKind::DynamoDb).await.unwrap();
    let keys = image(&json!({"order_id": "o-1"}));
    let record = |number, kind, new: &Value, old: &Value| testkit::dynamodb_record(number, kind, &keys, new, old);
    let (good, bad) = (with_every_type(GOOD), with_every_type(BAD));
    let event = testkit::event(vec![
        record("1", "INSERT", &good, &Value::Null),
        record("2", "MODIFY", &good, &bad),
        record("3", "REMOVE", &Value::Null, &bad),
    ]);
    let observed = processor.observe(event).await.unwrap();
    assert_eq!(observed.response, Ok(named(&[])), "{:#?}", observed.lines);
    assert_eq!(observed.done["RecordsHandled"], 3);
    // Only what surrounds the order is overlooked.
    let event = testkit::event(vec![
        record("1", "INSERT", &good, &Value::Null),
        record("2", "INSERT", &bad, &Value::Null),
        record("3", "INSERT", &good, &Value::Null),
    ]);
    assert_refused(&processor.observe(event).await.unwrap(), "2", "the sum of the items");
}

#[tokio::test]
async fn numbers_keep_every_digit() {
    // A float has 16 of them: it would not see the cent.
    let processor = processor(StreamKind::DynamoDb).await.unwrap();
    let priced = |amount: &str, price: &str| {
        let mut image = image(&order("o-1", GOOD));
        image["amount"] = json!({ "N": amount });
        image["items"] = json!({"L": [{"M": {"sku": {"S": "A"}, "qty": {"N": "1"}, "price": {"N": price}}}]});
        testkit::dynamodb_record("2", "INSERT", &json!({"order_id": {"S": "o-1"}}), &image, &Value::Null)
    };
    let first = order_record(StreamKind::DynamoDb, "1", "o-1", GOOD);
    for (amount, price, reason) in [
        ("12345678901234567890123456.78", "12345678901234567890123456.78", None),
        ("12345678901234567890123456.78", "12345678901234567890123456.779", None),
        ("12345678901234567890123456.78", "12345678901234567890123456.77", Some("a cent or more")),
        ("20.000000000000000000000000000000000000", "2E1", None),
        ("0.0000000000000000000000000000", "0", Some("`amount` is not positive")),
        // What no decimal of the example holds is refused, not rounded.
        ("12345678901234567890123456789012345678", "1", Some("`dynamodb.NewImage` does not fit")),
        ("1E+125", "1E+125", Some("`dynamodb.NewImage` does not fit")),
    ] {
        let event = testkit::event(vec![first.clone(), priced(amount, price)]);
        let observed = processor.observe(event).await.unwrap();
        match reason {
            None => assert_eq!(observed.response, Ok(named(&[])), "{amount} {price}: {:#?}", observed.lines),
            Some(reason) => assert_refused(&observed, "2", reason),
        }
    }
}

#[tokio::test]
async fn a_removal_is_handled_whoever_did_it() {
    let processor = processor(StreamKind::DynamoDb).await.unwrap();
    let removal = |number, identity: Option<Value>| {
        // Its order was never valid, and is history.
        let mut record = table_record(number, "REMOVE", &Value::Null, &order("o-1", BAD));
        if let Some(identity) = identity {
            record["userIdentity"] = identity;
        }
        record
    };
    let identities =
        [None, Some(Value::Null), Some(time_to_live()), Some(json!({"type": "Service"})), Some(json!("me"))];
    let records: Vec<Value> =
        ["1", "2", "3", "4", "5"].into_iter().zip(identities).map(|(number, by)| removal(number, by)).collect();
    let observed = processor.observe(testkit::event(records)).await.unwrap();
    assert_eq!(observed.response, Ok(named(&[])), "{:#?}", observed.lines);
    assert_eq!(observed.done["RecordsHandled"], 5);
    // A removal without what was removed: the stream's view has to hold both images.
    let first = order_record(StreamKind::DynamoDb, "1", "o-1", GOOD);
    let mut bare = removal("2", Some(time_to_live()));
    bare["dynamodb"].as_object_mut().unwrap().remove("OldImage").unwrap();
    let observed = processor.observe(testkit::event(vec![first, bare])).await.unwrap();
    assert_refused(&observed, "2", "no `dynamodb.OldImage`");
}
