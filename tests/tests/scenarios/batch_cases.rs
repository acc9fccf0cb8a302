//! The cases that every library for partial batches has to get right, for both sources, with the real processors.

use records::StreamKind;
use scenarios::{named, order, order_record, processor};
use serde_json::{Value, json};

const KINDS: [StreamKind; 2] = [StreamKind::Kinesis, StreamKind::DynamoDb];

const GOOD: f64 = 20.0;
const BAD: f64 = -20.0;

/// Three positions of a shard. Those of the table go from 22 digits to 23, as a real shard did.
fn positions(kind: StreamKind) -> [&'static str; 3] {
    match kind {
        StreamKind::Kinesis => [
            "49590338271490256608559692538361571095921575989136588898",
            "49590338271490256608559692540925702759324208523137515618",
            "49590338271490256608559692543489834422726841057138442338",
        ],
        StreamKind::DynamoDb => ["9999999999999999999998", "9999999999999999999999", "10000000000000000000000"],
    }
}

fn event(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// The good batch, with what is in the middle.
fn around(kind: StreamKind, middle: Value) -> String {
    let [first, _, third] = positions(kind);
    event(&[order_record(kind, first, "o-1", GOOD), middle, order_record(kind, third, "o-3", GOOD)])
}

/// The part of a record that its source calls its own.
fn own(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Kinesis => "kinesis",
        StreamKind::DynamoDb => "dynamodb",
    }
}

fn position_field(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Kinesis => "sequenceNumber",
        StreamKind::DynamoDb => "SequenceNumber",
    }
}

#[tokio::test]
async fn the_lowest_record_that_fails_is_named_and_nothing_else() {
    for kind in KINDS {
        let numbers = positions(kind);
        let processor = processor(kind).await.unwrap();
        for (amounts, failing, handled) in [
            ([GOOD, GOOD, GOOD], None, 3),
            ([BAD, GOOD, GOOD], Some(0), 0),
            ([GOOD, BAD, GOOD], Some(1), 1),
            ([GOOD, GOOD, BAD], Some(2), 2),
            ([GOOD, BAD, BAD], Some(1), 1),
            ([BAD, BAD, BAD], Some(0), 0),
        ] {
            let records = [0, 1, 2].map(|index| order_record(kind, numbers[index], "o-1", amounts[index]));
            let observed = processor.observe(event(&records)).await.unwrap();
            let expected: Vec<&str> = failing.iter().map(|index: &usize| numbers[*index]).collect();
            assert_eq!(observed.response, Ok(named(&expected)), "{kind:?} {amounts:?}");
            assert_eq!(observed.done["RecordsHandled"], handled, "{kind:?} {amounts:?}: {}", observed.done);
            assert_eq!(observed.done["RecordsFailed"], expected.len(), "{kind:?} {amounts:?}: {}", observed.done);
        }
    }
}

#[tokio::test]
async fn an_event_that_is_no_batch_fails_the_function_and_costs_no_process() {
    let events = ["{}", "[]", "null", "7", r#"{"records":[]}"#, r#"{"Records":{}}"#, r#"{"Records":null}"#];
    let no_json = ["", " ", "not json", r#"{"Records":["#, r#"{"Records":[]}}"#, r#"{"Records":[{}]"#];
    for kind in KINDS {
        let processor = processor(kind).await.unwrap();
        let good = event(&[order_record(kind, positions(kind)[0], "o-1", GOOD)]);
        let pid = processor.observe(good.clone()).await.unwrap().pid;
        for event in events.into_iter().chain(no_json) {
            let observed = processor.observe(event).await.unwrap();
            let error = observed.response.unwrap_err();
            assert!(error.contains(r#"expected a JSON event `{"Records":[...]}`"#), "{kind:?} {event}: {error}");
            let problem = if no_json.contains(&event) { "malformed JSON" } else { "JSON of another shape" };
            assert!(error.contains(problem), "{kind:?} {event}: {error}");
            assert_eq!(observed.pid, pid, "{kind:?} {event}");
        }
        let observed = processor.observe(good).await.unwrap();
        assert_eq!((observed.response, observed.pid), (Ok(named(&[])), pid), "{kind:?}");
    }
}

/// Records with a position, in which something is missing or malformed that the handler needs; and what is said of it.
fn undecodable(kind: StreamKind) -> Vec<(Value, &'static str)> {
    let good = order_record(kind, positions(kind)[1], "o-2", GOOD);
    let with = |path: &str, value: Value| {
        let mut record = good.clone();
        *record.pointer_mut(path).unwrap() = value;
        record
    };
    let without = |parent: &str, field: &str| {
        let mut record = good.clone();
        record.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).unwrap();
        record
    };
    match kind {
        StreamKind::Kinesis => vec![
            (without("/kinesis", "data"), "no `kinesis.data`"),
            (with("/kinesis/data", Value::Null), "no `kinesis.data`"),
            (with("/kinesis/data", json!({"order_id": "o-2"})), "`kinesis.data` is no string"),
            (with("/kinesis/data", json!("AAA")), "`kinesis.data` is no standard base64"),
            (with("/kinesis/data", json!("e30=\n")), "`kinesis.data` is no standard base64"),
            (with("/kinesis/data", json!("")), "the payload is malformed JSON"),
            (with("/kinesis/data", json!("/w==")), "the payload is malformed JSON"),
            (with("/kinesis/data", json!("e30=")), "missing field `order_id`"),
            (with("/kinesis/data", json!("W10=")), "the payload is no JSON object"),
        ],
        StreamKind::DynamoDb => vec![
            (without("/dynamodb", "NewImage"), "no `dynamodb.NewImage`"),
            (with("/dynamodb/NewImage", json!([])), "`dynamodb.NewImage` does not fit"),
            (with("/dynamodb/NewImage", order("o-2", GOOD)), "`dynamodb.NewImage` does not fit"),
            (with("/dynamodb/NewImage/amount", json!({"N": 20})), "`dynamodb.NewImage` does not fit"),
            (with("/dynamodb/NewImage/amount", json!({"N": "20", "S": "20"})), "`dynamodb.NewImage` does not fit"),
            (with("/dynamodb/NewImage/amount", json!({})), "`dynamodb.NewImage` does not fit"),
            (without("/dynamodb/NewImage", "order_id"), "missing field `order_id`"),
            (without("", "eventName"), "expected `eventName` INSERT, MODIFY or REMOVE"),
            (with("/eventName", json!("UPSERT")), "expected `eventName` INSERT, MODIFY or REMOVE"),
            (with("/eventName", json!("MODIFY")), "no `dynamodb.OldImage`"),
        ],
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_fails_alone_under_its_own_number() {
    for kind in KINDS {
        let [_, second, _] = positions(kind);
        let processor = processor(kind).await.unwrap();
        for (record, reason) in undecodable(kind) {
            let observed = processor.observe(around(kind, record.clone())).await.unwrap();
            assert_eq!(observed.response, Ok(named(&[second])), "{record}");
            let [failure] = &observed.failures[..] else { panic!("{record}: {:#?}", observed.lines) };
            assert_eq!(failure["record.sequence_number"], second, "{record}");
            assert_eq!((&failure["error.kind"], &failure["record.index"]), (&json!("invalid"), &json!(1)), "{record}");
            assert!(failure["error"].as_str().unwrap().contains(reason), "{record}: {failure}");
            assert_eq!(observed.done["RecordsHandled"], 1, "{record}");
        }
    }
}

#[tokio::test]
async fn a_field_that_nobody_needs_costs_no_record() {
    for kind in KINDS {
        let [_, second, _] = positions(kind);
        let processor = processor(kind).await.unwrap();
        let good = order_record(kind, second, "o-2", GOOD);
        let needless: &[&str] = match kind {
            StreamKind::Kinesis => &["/kinesis/approximateArrivalTimestamp", "/kinesis/partitionKey"],
            StreamKind::DynamoDb => &["/dynamodb/ApproximateCreationDateTime", "/dynamodb/Keys", "/dynamodb/SizeBytes"],
        };
        for path in ["/eventID", "/eventSourceARN", "/awsRegion"].iter().chain(needless) {
            for odd in [Value::Null, json!(["odd"])] {
                let mut record = good.clone();
                *record.pointer_mut(path).unwrap() = odd;
                let observed = processor.observe(around(kind, record.clone())).await.unwrap();
                assert_eq!(observed.response, Ok(named(&[])), "{record}");
                assert_eq!(observed.done["RecordsHandled"], 3, "{record}");
            }
        }
    }
}

/// Records that hold a good order and no position that could be named.
fn nameless(kind: StreamKind) -> Vec<Value> {
    let (own, field) = (own(kind), position_field(kind));
    let good = order_record(kind, positions(kind)[1], "o-2", GOOD);
    let numbers = [Value::Null, json!(""), json!(7), json!("seven"), json!("-7"), json!("7 "), json!(["7"])];
    let mut records: Vec<Value> = numbers
        .into_iter()
        .map(|number| {
            let mut record = good.clone();
            record[own][field] = number;
            record
        })
        .collect();
    let mut without = good.clone();
    without[own].as_object_mut().unwrap().remove(field);
    let mut bare = good;
    bare.as_object_mut().unwrap().remove(own);
    records.extend([without, bare, Value::Null, json!("record"), json!({})]);
    records
}

#[tokio::test]
async fn a_record_without_a_usable_number_names_the_one_before_it() {
    for kind in KINDS {
        let [first, second, third] = positions(kind);
        let processor = processor(kind).await.unwrap();
        for record in nameless(kind) {
            let observed = processor.observe(around(kind, record.clone())).await.unwrap();
            assert_eq!(observed.response, Ok(named(&[first])), "{record}");
            // The one that is named was handled, and is known when it comes again. Nothing behind the nameless one ran.
            let done = ["RecordsHandled", "RecordsRemembered"].map(|name| observed.done[name].as_u64().unwrap());
            assert_eq!(done.iter().sum::<u64>(), 1, "{record}: {}", observed.done);
            // Further in, the progress before it stands: not the first of the batch is named, but its neighbour.
            let good = |number| order_record(kind, number, "o-1", GOOD);
            let observed = processor.observe(event(&[good(first), good(second), record.clone()])).await.unwrap();
            assert_eq!(observed.response, Ok(named(&[second])), "{record}");
            // A record that failed before it has a name of its own.
            let bad = order_record(kind, third, "o-2", BAD);
            let observed = processor.observe(event(&[bad, record.clone()])).await.unwrap();
            assert_eq!(observed.response, Ok(named(&[third])), "{record}");
        }
    }
}

#[tokio::test]
async fn where_no_record_can_be_named_the_function_fails_and_says_which_and_why() {
    for kind in KINDS {
        let [_, _, third] = positions(kind);
        let processor = processor(kind).await.unwrap();
        let of_the_field = format!("`{}.{}`", own(kind), position_field(kind));
        let of_the_record = format!("expected an object `{}`", own(kind));
        for record in nameless(kind) {
            let records = [record.clone(), order_record(kind, third, "o-3", GOOD)];
            let observed = processor.observe(event(&records)).await.unwrap();
            let error = observed.response.unwrap_err();
            assert!(error.contains("record 0 of the batch cannot be named"), "{record}: {error}");
            let reason = if record[own(kind)].is_object() { &of_the_field } else { &of_the_record };
            assert!(error.contains(reason), "{record}: {error}");
            assert_eq!(observed.done["RecordsHandled"], 0, "{record}");
            let [failure] = &observed.failures[..] else { panic!("{record}: {:#?}", observed.lines) };
            assert_eq!(failure["record.index"], 0, "{record}");
            assert_eq!(failure.get("record.sequence_number"), None, "{record}");
        }
    }
}

#[tokio::test]
async fn a_position_is_repeated_exactly_as_it_came() {
    for kind in KINDS {
        let processor = processor(kind).await.unwrap();
        for number in ["0", "007", &"9".repeat(128)] {
            let bad = order_record(kind, number, "o-1", BAD);
            assert_eq!(processor.response(event(&[bad])).await.unwrap(), named(&[number]), "{kind:?}");
        }
        // Escaped, it is the same text.
        let escaped = event(&[order_record(kind, "4711", "o-1", BAD)]).replace("\"4711\"", "\"\\u0034711\"");
        assert_eq!(processor.response(escaped).await.unwrap(), named(&["4711"]), "{kind:?}");
    }
}

#[tokio::test]
async fn thousands_of_records_are_handled_up_to_the_one_that_fails() {
    for kind in KINDS {
        let processor = processor(kind).await.unwrap();
        let number = |index: usize| (1_000_000 + index).to_string();
        let mut records: Vec<Value> = (0..5_000).map(|index| order_record(kind, &number(index), "o-1", GOOD)).collect();
        let observed = processor.observe(event(&records)).await.unwrap();
        assert_eq!((observed.response, &observed.done["RecordsHandled"]), (Ok(named(&[])), &json!(5_000)));
        records[4_990] = order_record(kind, &number(4_990), "o-1", BAD);
        let observed = processor.observe(event(&records)).await.unwrap();
        assert_eq!(observed.response, Ok(named(&[&number(4_990)])), "{kind:?}");
        assert_eq!(observed.done["RecordsHandled"], 4_990, "{kind:?}");
    }
}
