//! Windows whose state is a sum.

use super::*;
use crate::{Change, Deadline, DynamoDb, Kinesis, RecordErrorKind, testkit};
use records::kpl::{SubRecord, aggregate};
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::Duration;

#[derive(Deserialize)]
struct Order {
    amount: i64,
}

/// Adds up amounts; refuses negative ones; panics in the adding of 13; notes what it closed with.
#[derive(Default)]
struct Sum {
    closed: Cell<Option<i64>>,
    refuses_to_close: bool,
}

impl TumblingWindow for Sum {
    type State = i64;
    type Contribution = i64;

    fn add(&self, state: &mut i64, amount: i64) {
        *state += amount;
        assert!(amount != 13, "a bug");
    }

    async fn close(&self, state: &i64, window: &Window) -> Result<(), RecordError> {
        assert_eq!((window.start.as_str(), window.shard_id.as_deref()), ("2026-01-01T00:00:00Z", Some("shardId-0")));
        if self.refuses_to_close {
            return Err(RecordError::retryable("the table is throttled"));
        }
        self.closed.set(Some(*state));
        Ok(())
    }
}

fn contribution(order: &Order) -> Result<i64, RecordError> {
    if order.amount < 0 { Err(RecordError::invalid("`amount` is negative")) } else { Ok(order.amount) }
}

impl Contribute<Order> for Sum {
    async fn contribution(&self, order: Order, _: RecordContext<'_>) -> Result<i64, RecordError> {
        contribution(&order)
    }
}

impl Contribute<Change<Order>> for Sum {
    async fn contribution(&self, change: Change<Order>, _: RecordContext<'_>) -> Result<i64, RecordError> {
        match change {
            Change::Insert { new } => contribution(&new),
            _ => Ok(0),
        }
    }
}

/// The event of a window with these amounts, which has a state already.
fn event(amounts: &[i64], state: &Value, is_final: bool) -> String {
    let records = amounts.iter().map(|amount| ("k", format!(r#"{{"amount":{amount}}}"#)));
    in_window(&testkit::kinesis_event(records), state, is_final)
}

fn in_window(event: &str, state: &Value, is_final: bool) -> String {
    let mut event: Value = serde_json::from_str(event).unwrap();
    event["window"] = json!({"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:02:00Z"});
    event["state"] = state.clone();
    event["shardId"] = json!("shardId-0");
    event["isFinalInvokeForWindow"] = json!(is_final);
    event["isWindowTerminatedEarly"] = json!(false);
    event.to_string()
}

async fn process(window: Sum, event: &str) -> (BatchReport<WindowResponse>, Option<i64>) {
    let engine = WindowEngine::new(Kinesis::json::<Order>(), window);
    let deadline = Deadline::after(Duration::from_secs(60), Duration::ZERO);
    let report = engine.process(event.as_bytes(), &InvocationContext::until(deadline)).await;
    (report, engine.window.closed.get())
}

async fn check(amounts: &[i64], state: Value, is_final: bool, response: &str, closed: Option<i64>) {
    let (report, closed_with) = process(Sum::default(), &event(amounts, &state, is_final)).await;
    assert_eq!(serde_json::to_string(&report.response.unwrap()).unwrap(), response);
    assert_eq!(closed_with, closed);
}

#[tokio::test]
async fn the_state_goes_in_and_out() {
    check(&[1, 2], json!({}), false, r#"{"state":3,"batchItemFailures":[]}"#, None).await;
    check(&[3], json!(3), false, r#"{"state":6,"batchItemFailures":[]}"#, None).await;
    check(&[], Value::Null, false, r#"{"state":0,"batchItemFailures":[]}"#, None).await;
}

#[tokio::test]
async fn the_last_invocation_closes_the_window_with_its_own_records_added() {
    check(&[4], json!(6), true, r#"{"state":10,"batchItemFailures":[]}"#, Some(10)).await;
    check(&[], json!(6), true, r#"{"state":6,"batchItemFailures":[]}"#, Some(6)).await;
}

#[tokio::test]
async fn a_window_that_lambda_ends_early_is_closed_as_well() {
    let early = r#""isWindowTerminatedEarly":true"#;
    let event = event(&[4], &json!(6), false).replace(r#""isWindowTerminatedEarly":false"#, early);
    let (report, closed) = process(Sum::default(), &event).await;
    assert_eq!((report.response.is_ok(), closed), (true, Some(10)));
}

#[tokio::test]
async fn a_partial_response_carries_the_state_before_its_checkpoint() {
    let second = r#"{"state":1,"batchItemFailures":[{"itemIdentifier":"2"}]}"#;
    check(&[1, -1, 5], json!({}), false, second, None).await;
    check(&[1, -1, 5], json!({}), true, second, None).await;
}

#[tokio::test]
async fn a_record_that_comes_again_for_one_without_a_name_is_not_in_the_state() {
    let mut event: Value = serde_json::from_str(&event(&[1, 10, 100], &json!({}), false)).unwrap();
    event["Records"][2]["kinesis"]["sequenceNumber"] = Value::Null;
    let (report, _) = process(Sum::default(), &event.to_string()).await;
    let response = serde_json::to_string(&report.response.unwrap()).unwrap();
    assert_eq!(response, r#"{"state":1,"batchItemFailures":[{"itemIdentifier":"2"}]}"#);
}

#[tokio::test]
async fn of_an_aggregate_that_comes_again_nothing_is_in_the_state() {
    let amounts = [10, -1, 20].map(|amount| format!(r#"{{"amount":{amount}}}"#));
    let part = |json| SubRecord { partition_key: "k", explicit_hash_key: None, data: json };
    let packed = aggregate(&amounts.each_ref().map(|amount| part(amount.as_bytes())));
    let records = [("k", br#"{"amount":1}"#.to_vec()), ("k", packed), ("k", br#"{"amount":2}"#.to_vec())];
    let event = in_window(&testkit::kinesis_event(records), &json!({}), false);
    let (report, _) = process(Sum::default(), &event).await;
    let response = serde_json::to_string(&report.response.unwrap()).unwrap();
    assert_eq!(response, r#"{"state":1,"batchItemFailures":[{"itemIdentifier":"2"}]}"#);
}

#[tokio::test]
async fn a_window_that_cannot_be_closed_comes_again_whole() {
    let window = Sum { refuses_to_close: true, ..Sum::default() };
    let (report, _) = process(window, &event(&[1], &json!(5), true)).await;
    assert_eq!(report.response.unwrap_err().to_string(), "failed to close the tumbling window: the table is throttled");
}

#[tokio::test]
async fn what_is_wrong_with_a_window_is_a_function_error_that_says_so() {
    let error = async |event: &str| process(Sum::default(), event).await.0.response.unwrap_err().to_string();
    let no_window = error(&testkit::kinesis_event([("k", "{}")])).await;
    assert!(no_window.contains("it has no `window`") && no_window.contains("TumblingWindowInSeconds"), "{no_window}");
    let state = error(&event(&[1], &json!("SECRET"), false)).await;
    assert!(state.contains("does not fit its type") && !state.contains("SECRET"), "{state}");
    let panicked = error(&event(&[13], &json!({}), false)).await;
    assert_eq!(panicked, "the state of the tumbling window could not be added to: the adding panicked");
    let no_batch = error("{}").await;
    assert!(no_batch.contains("expected a JSON event"), "{no_batch}");
    let odd =
        event(&[1], &json!({}), false).replace(r#""isFinalInvokeForWindow":false"#, r#""isFinalInvokeForWindow":1"#);
    assert!(error(&odd).await.contains("a field of the window has another type"));
}

/// A state that is as long as the sum says.
struct Long;

impl TumblingWindow for Long {
    type State = String;
    type Contribution = i64;

    fn add(&self, state: &mut String, amount: i64) {
        state.extend(std::iter::repeat_n('x', usize::try_from(amount).unwrap()));
    }

    async fn close(&self, _: &String, _: &Window) -> Result<(), RecordError> {
        Ok(())
    }
}

impl Contribute<Order> for Long {
    async fn contribution(&self, order: Order, _: RecordContext<'_>) -> Result<i64, RecordError> {
        Ok(order.amount)
    }
}

#[tokio::test]
async fn a_state_above_the_bound_is_handed_back_and_one_that_no_response_holds_is_an_error() {
    let engine = WindowEngine::new(Kinesis::json::<Order>(), Long);
    let deadline = Deadline::after(Duration::from_secs(60), Duration::ZERO);
    let process = async |amount: i64| {
        let event = event(&[amount], &json!({}), false);
        engine.process(event.as_bytes(), &InvocationContext::until(deadline)).await.response
    };
    let above = process(2_000_000).await.unwrap();
    assert_eq!(above.state.get().len(), 2_000_002, "Lambda ends the window early");
    let error = process(7_000_000).await.unwrap_err().to_string();
    assert!(error.contains("has 7000002 bytes: expected at most 1048576"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_close_that_takes_too_long_is_stopped_before_the_deadline() {
    struct Slow;
    impl TumblingWindow for Slow {
        type State = i64;
        type Contribution = ();
        fn add(&self, _: &mut i64, (): ()) {}
        async fn close(&self, _: &i64, _: &Window) -> Result<(), RecordError> {
            std::future::pending().await
        }
    }
    impl Contribute<Order> for Slow {
        async fn contribution(&self, _: Order, _: RecordContext<'_>) -> Result<(), RecordError> {
            Ok(())
        }
    }
    let engine = WindowEngine::new(Kinesis::json::<Order>(), Slow);
    let deadline = Deadline::after(Duration::from_secs(10), Duration::from_secs(1));
    let started = tokio::time::Instant::now();
    let event = event(&[1], &json!({}), true);
    let report = engine.process(event.as_bytes(), &InvocationContext::until(deadline)).await;
    assert!(
        matches!(report.response, Err(BatchError::Close(error)) if error.kind() == RecordErrorKind::DeadlineExceeded)
    );
    assert_eq!(started.elapsed().as_secs(), 9);
}

#[tokio::test]
async fn windows_work_on_a_tables_stream_too() {
    let image = |amount: &str| json!({"amount": {"N": amount}});
    let keys = json!({"id": {"S": "a"}});
    let changes = [
        ("INSERT", keys.clone(), image("5"), Value::Null),
        ("REMOVE", keys.clone(), Value::Null, image("5")),
        ("INSERT", keys, image("-7"), Value::Null),
    ];
    let event = in_window(&testkit::dynamodb_event(&changes), &json!(1), false);
    let engine = WindowEngine::new(DynamoDb::<Order>::new(), Sum::default());
    let deadline = Deadline::after(Duration::from_secs(60), Duration::ZERO);
    let report = engine.process(event.as_bytes(), &InvocationContext::until(deadline)).await;
    let response = serde_json::to_string(&report.response.unwrap()).unwrap();
    assert_eq!(response, r#"{"state":6,"batchItemFailures":[{"itemIdentifier":"3"}]}"#);
}
