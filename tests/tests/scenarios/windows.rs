//! Tumbling windows with the real processors: the state goes in with the event and comes out with the response.

use partial_batch::testkit;
use records::StreamKind;
use scenarios::{
    Observed, TestFunction, named, order, order_record, packed_orders, processor, processor_with, table_record,
};
use serde_json::{Value, json};

const KINDS: [StreamKind; 2] = [StreamKind::Kinesis, StreamKind::DynamoDb];

async fn windowed(kind: StreamKind) -> TestFunction {
    processor_with(kind, vec![("TUMBLING_WINDOW".to_owned(), "on".to_owned())]).await.unwrap()
}

/// An order without items, of which only the amount has to be right.
fn in_currency(kind: StreamKind, number: &str, amount: Value, currency: &str) -> Value {
    let mut order = order("o-1", 0.0);
    (order["amount"], order["currency"], order["items"]) = (amount, json!(currency), json!([]));
    match kind {
        StreamKind::Kinesis => testkit::kinesis_record(number, "customer-1", order.to_string()),
        StreamKind::DynamoDb => table_record(number, "INSERT", &order, &Value::Null),
    }
}

/// An event as Lambda sends it for a mapping with a tumbling window.
fn in_window(records: &[Value], state: &Value, is_final: bool) -> String {
    json!({
        "Records": records,
        "window": {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T10:02:00Z"},
        "state": state,
        "shardId": "shardId-000000000006",
        "eventSourceARN": testkit::STREAM_ARN,
        "isFinalInvokeForWindow": is_final,
        "isWindowTerminatedEarly": false,
    })
    .to_string()
}

/// What a response has to be, and the state in it as Lambda hands it on.
#[track_caller]
fn state_of(observed: &Observed, failing: &[&str], orders: u64, amounts: &Value) -> Value {
    let response = observed.response.clone().unwrap();
    assert_eq!(response["batchItemFailures"], named(failing)["batchItemFailures"], "{:#?}", observed.lines);
    assert_eq!(response["state"], json!({"orders": orders, "amounts": amounts}));
    assert_eq!(response.as_object().unwrap().len(), 2, "{response}");
    response["state"].clone()
}

fn closed(observed: &Observed) -> Vec<&Value> {
    observed.lines.iter().filter(|line| line["message"] == "window closed").collect()
}

#[tokio::test]
async fn a_window_adds_up_over_its_invocations_whatever_fails_in_between() {
    for kind in KINDS {
        let processor = windowed(kind).await;
        let record = |number, amount, currency| in_currency(kind, number, amount, currency);

        let records = [record("1", json!(1.10), "EUR"), record("2", json!(2.20), "EUR")];
        let observed = processor.observe(in_window(&records, &json!({}), false)).await.unwrap();
        let state = state_of(&observed, &[], 2, &json!({"EUR": "3.3"}));

        // A bad order in the middle: the state holds what was before it, and not what is behind.
        let rest = [record("4", json!(-1), "EUR"), record("5", json!(0.70), "EUR")];
        let records = [&[record("3", json!(5.50), "USD")], &rest[..]].concat();
        let observed = processor.observe(in_window(&records, &state, false)).await.unwrap();
        let state = state_of(&observed, &["4"], 3, &json!({"EUR": "3.3", "USD": "5.5"}));
        assert_eq!(observed.done["RecordsFailed"], 1);

        // It comes again with the rest, fails again, and adds nothing; even where it would be the window's last.
        for is_final in [false, true] {
            let observed = processor.observe(in_window(&rest, &state, is_final)).await.unwrap();
            state_of(&observed, &["4"], 3, &json!({"EUR": "3.3", "USD": "5.5"}));
            assert!(closed(&observed).is_empty(), "a window with an open record is not over");
        }

        // Lambda has given it up: what was behind it is added, once.
        let observed = processor.observe(in_window(&rest[1..], &state, false)).await.unwrap();
        let state = state_of(&observed, &[], 4, &json!({"EUR": "4.0", "USD": "5.5"}));
        assert!(closed(&observed).is_empty(), "it is not over yet");

        // The last invocation often has no record.
        let observed = processor.observe(in_window(&[], &state, true)).await.unwrap();
        state_of(&observed, &[], 4, &json!({"EUR": "4.0", "USD": "5.5"}));
        let [line] = closed(&observed)[..] else { panic!("closed once: {:#?}", observed.lines) };
        assert_eq!((&line["orders"], &line["shard.id"]), (&json!(4), &json!("shardId-000000000006")));
        assert_eq!(
            (&line["window.start"], &line["window.end"]),
            (&json!("2026-01-05T10:00:00Z"), &json!("2026-01-05T10:02:00Z"))
        );

        // The next window knows nothing of it.
        let observed = processor.observe(in_window(&[record("6", json!(9), "EUR")], &json!({}), false)).await.unwrap();
        state_of(&observed, &[], 1, &json!({"EUR": "9"}));
    }
}

#[tokio::test]
async fn the_last_invocation_may_have_records_and_adds_them_before_the_window_is_closed() {
    for kind in KINDS {
        let processor = windowed(kind).await;
        // A state may have gone through something that made numbers of its texts.
        let state = json!({"orders": 1, "amounts": {"EUR": 1.25}});
        let record = in_currency(kind, "1", json!(0.25), "EUR");
        let observed = processor.observe(in_window(&[record], &state, true)).await.unwrap();
        state_of(&observed, &[], 2, &json!({"EUR": "1.50"}));
        let [line] = closed(&observed)[..] else { panic!("closed once: {:#?}", observed.lines) };
        assert_eq!(line["orders"], 2, "{line}");
    }
}

#[tokio::test]
async fn only_new_orders_are_added() {
    let (new, old) = (order("o-1", 20.0), order("o-1", 20.0));
    let records = [
        table_record("1", "INSERT", &new, &Value::Null),
        table_record("2", "MODIFY", &new, &old),
        table_record("3", "REMOVE", &Value::Null, &old),
    ];
    let observed = windowed(StreamKind::DynamoDb).await.observe(in_window(&records, &json!({}), false)).await.unwrap();
    state_of(&observed, &[], 1, &json!({"XXX": "20.0"}));
    // The same changes, as the table puts them on a Kinesis stream.
    let on_kinesis = records.map(|record| {
        testkit::kinesis_record(record["dynamodb"]["SequenceNumber"].as_str().unwrap(), "o-1", record.to_string())
    });
    let observed =
        windowed(StreamKind::Kinesis).await.observe(in_window(&on_kinesis, &json!({}), false)).await.unwrap();
    state_of(&observed, &[], 1, &json!({"XXX": "20.0"}));
}

#[tokio::test]
async fn the_same_event_again_gives_the_same_state_in_the_same_process() {
    // Were records remembered, they would be missing from the second state.
    for kind in KINDS {
        let processor = windowed(kind).await;
        let amounts = [json!(1), json!(2), json!(-3), json!(4)];
        let numbers = ["1", "2", "3", "4"];
        let records: Vec<Value> =
            numbers.into_iter().zip(amounts).map(|(number, amount)| in_currency(kind, number, amount, "EUR")).collect();
        for _ in 0..3 {
            let observed = processor.observe(in_window(&records, &json!({}), false)).await.unwrap();
            state_of(&observed, &["3"], 2, &json!({"EUR": "3"}));
            assert_eq!((&observed.done["RecordsHandled"], &observed.done["RecordsRemembered"]), (&json!(2), &json!(0)));
        }
    }
}

#[tokio::test]
async fn of_an_aggregate_that_comes_again_nothing_is_in_the_state() {
    let processor = windowed(StreamKind::Kinesis).await;
    let plain = |number| order_record(StreamKind::Kinesis, number, "o-1", 20.0);
    let event = |amount| {
        let packed = packed_orders(&[("o-1", 20.0), ("o-2", amount), ("o-3", 20.0)]);
        let packed = testkit::kinesis_record("2", "packed", packed);
        in_window(&[plain("1"), packed, plain("3")], &json!({}), false)
    };
    let observed = processor.observe(event(-20.0)).await.unwrap();
    state_of(&observed, &["2"], 1, &json!({"XXX": "20.0"}));
    // Once it can be read, each of its parts counts.
    state_of(&processor.observe(event(20.0)).await.unwrap(), &[], 5, &json!({"XXX": "100.0"}));
}

#[tokio::test]
async fn an_event_without_a_window_is_a_function_error_that_says_what_is_missing() {
    for kind in KINDS {
        let processor = windowed(kind).await;
        let record = order_record(kind, "1", "o-1", 20.0);
        let error = processor.error(testkit::event(vec![record.clone()])).await.unwrap();
        assert!(error.contains("it has no `window`") && error.contains("TumblingWindowInSeconds"), "{error}");
        processor.line_with("it has no `window`").await.unwrap();
        // Nor is a state overlooked that is none of this function's: what it held would be lost.
        let error =
            processor.error(in_window(std::slice::from_ref(&record), &json!({"count": 7}), false)).await.unwrap();
        assert!(error.contains("the state of the tumbling window does not fit its type"), "{error}");
        let observed = processor.observe(in_window(&[record], &Value::Null, false)).await.unwrap();
        state_of(&observed, &[], 1, &json!({"XXX": "20.0"}));
    }
}

#[tokio::test]
async fn windows_are_off_unless_asked_for() {
    for kind in KINDS {
        let processor = processor(kind).await.unwrap();
        let records = [order_record(kind, "1", "o-1", 20.0), order_record(kind, "2", "o-1", -20.0)];
        for is_final in [false, true] {
            let state = json!({"orders": 1, "amounts": {}});
            let observed = processor.observe(in_window(&records[..1], &state, is_final)).await.unwrap();
            assert_eq!(observed.response, Ok(named(&[])), "a response without a state");
            assert!(closed(&observed).is_empty());
            let response = processor.response(in_window(&records, &state, is_final)).await.unwrap();
            assert_eq!(response, named(&["2"]));
        }
    }
}
