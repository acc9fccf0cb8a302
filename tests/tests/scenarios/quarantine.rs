//! Invalid records that go to a queue at once, with the real processors and the emulated SQS.

use aws_edge::Clients;
use aws_edge::provision::{Queue, QueueSettings, create_queue};
use aws_edge::queue::receive;
use emulator::{Emulator, REGION};
use partial_batch::testkit;
use records::StreamKind;
use scenarios::{
    ClosedEndpoint, Observed, SilentEndpoint, TestFunction, named, order, order_record, packed_orders, processor_with,
    quarantine_to,
};
use serde_json::{Value, json};
use std::time::Duration;

const KINDS: [StreamKind; 2] = [StreamKind::Kinesis, StreamKind::DynamoDb];

const GOOD: f64 = 20.0;
const BAD: f64 = -20.0;

struct Setting {
    emulator: Emulator,
    clients: Clients,
    sink: Queue,
    processor: TestFunction,
}

async fn setting(kind: StreamKind) -> Setting {
    setting_with(kind, &[]).await
}

async fn setting_with(kind: StreamKind, variables: &[(&str, &str)]) -> Setting {
    let emulator = Emulator::start().await.unwrap();
    let endpoints = emulator.endpoints();
    let clients = Clients::for_endpoints(&endpoints.kinesis, &endpoints.dynamodb, &endpoints.sqs, REGION);
    let sink = create_queue(&clients, "recovered", &QueueSettings::default()).await.unwrap();
    let mut environment = quarantine_to(&endpoints.sqs, &sink.url);
    environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let processor = processor_with(kind, environment).await.unwrap();
    Setting { emulator, clients, sink, processor }
}

impl Setting {
    /// The messages in the queue, as they are.
    async fn quarantined(&self) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let messages = receive(&self.clients, &self.sink.url, 10, Duration::ZERO).await.unwrap();
            if messages.is_empty() {
                return found;
            }
            found.extend(messages.into_iter().map(|message| message.body));
        }
    }
}

/// Good orders with the numbers 1 and 3 around a record.
fn around(kind: StreamKind, middle: Value) -> String {
    let good = |number| order_record(kind, number, "o-1", GOOD);
    testkit::event(vec![good("1"), middle, good("3")])
}

fn bad(kind: StreamKind) -> Value {
    order_record(kind, "2", "o-2", BAD)
}

/// The record in the middle comes again, since it is not safe.
#[track_caller]
fn assert_comes_again(observed: &Observed, kind: &str) {
    assert_eq!(observed.response, Ok(named(&["2"])), "{:#?}", observed.lines);
    let [failure] = &observed.failures[..] else { panic!("expected one failing record: {:#?}", observed.lines) };
    assert_eq!((&failure["message"], &failure["error.kind"]), (&json!("record failed"), &json!(kind)), "{failure}");
    let names = ["RecordsHandled", "RecordsFailed", "RecordsInvalid", "RecordsQuarantined"];
    let counts = names.map(|name| &observed.done[name]);
    assert_eq!(counts, [&json!(1), &json!(1), &json!(1), &json!(0)], "{}", observed.done);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_record_arrives_in_the_envelope_and_its_batch_goes_on() {
    for kind in KINDS {
        let setting = setting(kind).await;
        let observed = setting.processor.observe(around(kind, bad(kind))).await.unwrap();
        assert_eq!(observed.response, Ok(named(&[])), "{:#?}", observed.lines);
        let names = ["RecordsHandled", "RecordsFailed", "RecordsInvalid", "RecordsQuarantined", "BatchSuccessRate"];
        let counts = names.map(|name| observed.done[name].as_f64().unwrap());
        assert_eq!(counts, [2.0, 0.0, 1.0, 1.0, 100.0], "{}", observed.done);
        let [line] = &observed.failures[..] else { panic!("{:#?}", observed.lines) };
        assert_eq!((&line["message"], &line["record.sequence_number"]), (&json!("record quarantined"), &json!("2")));
        let [message] = &setting.quarantined().await[..] else { panic!("expected one message") };
        let (arn, shard, arrival, key) = match kind {
            StreamKind::Kinesis => (testkit::STREAM_ARN, json!("shardId-000000000006"), json!(1_767_225_600.5), "o-2"),
            StreamKind::DynamoDb => {
                (testkit::TABLE_STREAM_ARN, Value::Null, json!(1_767_225_600.0), r#"{"order_id":{"S":"o-2"}}"#)
            }
        };
        let mut message: Value = serde_json::from_str(message).unwrap();
        assert_eq!(message["source"]["arrival"].as_f64(), arrival.as_f64(), "{message}");
        message["source"]["arrival"].take();
        let expected = json!({
            "schemaVersion": "1.0", "type": "record", "verdict": "complete", "certainty": "certain",
            "source": {"streamArn": arn, "shardId": shard, "sequenceNumber": "2", "arrival": null, "key": key},
            "failure": {
                "condition": "QuarantinedByProcessor", "reason": "`amount` is not positive",
                "functionArn": setting.processor.function.config().arn(), "requestId": observed.request_id,
                "approximateInvokeCount": null, "functionError": null,
            },
            "event": bad(kind),
        });
        assert_eq!(message, expected);
        setting.emulator.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_invalid_record_of_a_batch_arrives_letter_by_letter() {
    let setting = setting(StreamKind::Kinesis).await;
    // As no serializer writes it: white space, escapes, the order of the fields, digits, and a field that nobody knows.
    let odd = r#"{ "eventSourceARN":"arn:aws:kinesis:us-east-1:111122223333:stream/orders","kinesis" : {"sequenceNumber":"0002",
        "data":"\u0065\u00330=", "partitionKey":"\u006f-2 🦀","approximateArrivalTimestamp":1545084650.98700 }, "x":[1.50,1e2,-0]}"#;
    let without_data = r#"{"kinesis":{"sequenceNumber":"3"}}"#;
    let good = order_record(StreamKind::Kinesis, "1", "o-1", GOOD);
    let event = format!(r#"{{"Records":[{odd} ,{good},{without_data}]}}"#);
    let observed = setting.processor.observe(event).await.unwrap();
    assert_eq!((observed.response, &observed.done["RecordsQuarantined"]), (Ok(named(&[])), &json!(2)));
    let messages = setting.quarantined().await;
    assert_eq!(messages.len(), 2, "{messages:#?}");
    for record in [odd, without_data] {
        let whole = format!(r#""event":{record}"#);
        assert_eq!(messages.iter().filter(|message| message.contains(&whole)).count(), 1, "{record}: {messages:#?}");
    }
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_aggregate_only_the_bad_part_goes() {
    let setting = setting(StreamKind::Kinesis).await;
    let packed = packed_orders(&[("o-1", GOOD), ("o-2", BAD), ("o-3", GOOD)]);
    let event = around(StreamKind::Kinesis, testkit::kinesis_record("2", "packed", packed));
    let observed = setting.processor.observe(event).await.unwrap();
    assert_eq!((observed.response, &observed.done["RecordsHandled"]), (Ok(named(&[])), &json!(4)));
    let [message] = &setting.quarantined().await[..] else { panic!("expected one message") };
    let message: Value = serde_json::from_str(message).unwrap();
    let source = &message["source"];
    assert_eq!((&source["sequenceNumber"], &source["subSequenceNumber"]), (&json!("2"), &json!(1)));
    assert_eq!(source["key"], "o-2");
    // What Lambda would have delivered, had the order been put by itself.
    let alone = testkit::kinesis_record("2", "o-2", order("o-2", BAD).to_string());
    assert_eq!(message["event"], alone);
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_go_to_the_queue_comes_again() {
    // The queue takes more than this sink is told to.
    let setting = setting_with(StreamKind::Kinesis, &[("SINK_BATCH_MAX_BYTES", "4096")]).await;
    let large = testkit::kinesis_record("2", "o-2", "x".repeat(3_000));
    let observed = setting.processor.observe(around(StreamKind::Kinesis, large)).await.unwrap();
    assert_comes_again(&observed, "retryable");
    assert!(observed.failures[0]["error"].as_str().unwrap().contains("4096 bytes"), "{}", observed.failures[0]);
    // A record without a number could not be told from another in the queue.
    let mut nameless = bad(StreamKind::Kinesis);
    nameless["kinesis"]["sequenceNumber"] = Value::Null;
    let response = setting.processor.response(around(StreamKind::Kinesis, nameless)).await.unwrap();
    assert_eq!(response, named(&["1"]));
    assert!(setting.quarantined().await.is_empty());
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_safe_in_the_queue_is_not_written_again_when_it_comes_again() {
    for kind in KINDS {
        let setting = setting(kind).await;
        // A record without a number names the one before it, which is in quarantine already.
        let mut nameless = order_record(kind, "3", "o-3", GOOD);
        nameless.as_object_mut().unwrap().retain(|name, _| name.starts_with("event"));
        let event = testkit::event(vec![bad(kind), nameless]);
        for remembered in [0, 1, 1] {
            let observed = setting.processor.observe(event.clone()).await.unwrap();
            assert_eq!(observed.response, Ok(named(&["2"])), "{:#?}", observed.lines);
            assert_eq!(observed.done["RecordsRemembered"], remembered, "{}", observed.done);
            assert_eq!(observed.done["RecordsQuarantined"], 1 - remembered, "{}", observed.done);
        }
        assert_eq!(setting.quarantined().await.len(), 1);
        setting.emulator.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_goes_on_without_what_is_in_quarantine() {
    for kind in KINDS {
        let setting = setting_with(kind, &[("TUMBLING_WINDOW", "on")]).await;
        let window = r#"{"window":{"start":"2026-01-05T10:00:00Z","end":"2026-01-05T10:02:00Z"},"#;
        let event = around(kind, bad(kind)).replacen('{', window, 1);
        let response = setting.processor.response(event).await.unwrap();
        let state = json!({"orders": 2, "amounts": {"XXX": "40.0"}});
        assert_eq!(response, json!({"state": state, "batchItemFailures": []}));
        assert_eq!(setting.quarantined().await.len(), 1);
        setting.emulator.shutdown().await;
    }
}

#[tokio::test]
async fn a_sink_that_cannot_be_reached_makes_the_record_retryable() {
    for kind in KINDS {
        let sink = ClosedEndpoint::new().unwrap();
        let processor = processor_with(kind, sink.environment().unwrap()).await.unwrap();
        let observed = processor.observe(around(kind, bad(kind))).await.unwrap();
        assert_comes_again(&observed, "retryable");
        let error = observed.failures[0]["error"].as_str().unwrap();
        assert!(error.contains("failed to quarantine") && error.contains("`amount` is not positive"), "{error}");
        let good = order_record(kind, "2", "o-2", GOOD);
        let again = processor.observe(around(kind, good)).await.unwrap();
        assert_eq!((again.response, again.pid), (Ok(named(&[])), observed.pid));
    }
}

/// A processor with a sink that never answers: it is left well before the deadline, and costs no process.
async fn with_a_silent_sink(kind: StreamKind) {
    let sink = SilentEndpoint::start().await.unwrap();
    let processor = processor_with(kind, sink.environment()).await.unwrap().with_timeout(Duration::from_secs(3));
    let observed = processor.observe(around(kind, bad(kind))).await.unwrap();
    assert_comes_again(&observed, "retryable");
    let error = observed.failures[0]["error"].as_str().unwrap();
    for said in ["failed to quarantine", "`amount` is not positive", "the sink did not answer within 12"] {
        assert!(error.contains(said), "{error}");
    }
    // Half of the time less the margin, though nothing else took any.
    assert!((1_000..2_000).contains(&observed.duration.as_millis()), "{:?}", observed.duration);
    assert!(sink.connections() > 0, "it was silent, not absent");
    let good = order_record(kind, "2", "o-2", GOOD);
    let again = processor.observe(around(kind, good)).await.unwrap();
    assert_eq!((again.response, again.pid), (Ok(named(&[])), observed.pid), "the process lives on");
    // However long a function may run, a sink has no more than five seconds.
    let processor = processor.with_timeout(Duration::from_secs(60));
    let patient = processor.observe(testkit::event(vec![bad(kind)])).await.unwrap();
    assert!((4_900..8_000).contains(&patient.duration.as_millis()), "{:?}", patient.duration);
}

#[tokio::test]
async fn a_sink_that_never_answers_does_not_look_like_a_slow_record() {
    tokio::join!(with_a_silent_sink(StreamKind::Kinesis), with_a_silent_sink(StreamKind::DynamoDb));
}

#[tokio::test]
async fn nothing_is_connected_before_the_first_invalid_record_of_a_quarantine() {
    for kind in KINDS {
        let sink = SilentEndpoint::start().await.unwrap();
        let good = order_record(kind, "2", "o-2", GOOD);
        // Without ON_INVALID, an invalid record is only retried, wherever SINK points to.
        for on_invalid in [None, Some("retry")] {
            let mut environment = sink.environment();
            environment.retain(|(name, _)| name != "ON_INVALID");
            environment.extend(on_invalid.map(|way| ("ON_INVALID".to_owned(), way.to_owned())));
            let processor = processor_with(kind, environment).await.unwrap();
            assert_eq!(processor.response(around(kind, good.clone())).await.unwrap(), named(&[]));
            let observed = processor.observe(around(kind, bad(kind))).await.unwrap();
            assert_comes_again(&observed, "invalid");
        }
        // With it, good records and events that are no batch need no sink.
        let processor = processor_with(kind, sink.environment()).await.unwrap();
        let processor = processor.with_timeout(Duration::from_secs(2));
        assert_eq!(processor.response(around(kind, good.clone())).await.unwrap(), named(&[]));
        processor.error("{}").await.unwrap();
        assert_eq!(sink.connections(), 0);
        // The listener does count.
        processor.response(around(kind, bad(kind))).await.unwrap();
        assert!(sink.connections() > 0);
    }
}
