//! No payload and no key in any line of the real processors, at any level, however it is written.

use aws_edge::Clients;
use aws_edge::provision::{QueueSettings, create_queue};
use base64_simd::STANDARD;
use emulator::{Emulator, REGION};
use partial_batch::testkit;
use records::StreamKind;
use records::kpl::{SubRecord, aggregate};
use scenarios::{ClosedEndpoint, TestFunction, processor_with, quarantine_to, table_record};
use serde_json::{Value, json};

const KINDS: [StreamKind; 2] = [StreamKind::Kinesis, StreamKind::DynamoDb];

/// How a secret would look in a log: as it is, or within base64 wherever it begins in the bytes.
fn guises(secret: &str) -> Vec<String> {
    let shifted = |shift: usize| {
        let encoded = STANDARD.encode_to_string([&vec![0; shift], secret.as_bytes()].concat());
        // Characters that hold only bits of the secret.
        encoded[(shift * 8).div_ceil(6)..(shift + secret.len()) * 8 / 6].to_owned()
    };
    [secret.to_owned()].into_iter().chain((0..3).map(shifted)).collect()
}

const SECRET: &str = "SECRET-4111-1111";

/// Events of one record each that fails, full of secrets; and what is no batch.
fn secrets(kind: StreamKind) -> Vec<String> {
    let orders = [
        json!({"order_id": SECRET, "customer_id": "", "amount": 20, "currency": SECRET, "items": []}),
        json!({"order_id": SECRET, "customer_id": SECRET, "amount": SECRET, "items": SECRET}),
        json!({"order_id": "", "customer_id": SECRET, "amount": 20, "items": [], (SECRET): SECRET}),
        json!({(SECRET): SECRET}),
    ];
    let mut records: Vec<Value> = orders.iter().map(|order| table_record("1", "INSERT", order, &Value::Null)).collect();
    records.push(table_record("2", SECRET, &orders[0], &orders[1]));
    let mut events: Vec<String> =
        [SECRET, &json!({"Records": SECRET}).to_string(), &json!({(SECRET): 1}).to_string()].map(str::to_owned).into();
    if kind == StreamKind::Kinesis {
        let changes: Vec<String> = records.iter().map(Value::to_string).collect();
        let part = |data| SubRecord { partition_key: SECRET, explicit_hash_key: Some(SECRET), data };
        let data = orders.iter().map(Value::to_string).chain(changes).map(String::into_bytes).chain([
            SECRET.as_bytes().to_vec(),
            [b"\xff".as_slice(), SECRET.as_bytes()].concat(),
            json!(SECRET).to_string().into_bytes(),
            aggregate(&[part(SECRET.as_bytes())]),
            aggregate(&[SubRecord { explicit_hash_key: None, ..part(SECRET.as_bytes()) }]),
        ]);
        records = data.map(|data| testkit::kinesis_record("3", SECRET, data)).collect();
        let mut no_base64 = testkit::kinesis_record("4", SECRET, "");
        no_base64["kinesis"]["data"] = json!(format!("{SECRET}!"));
        let mut nameless = testkit::kinesis_record(SECRET, SECRET, SECRET);
        nameless["eventID"] = Value::Null;
        records.extend([no_base64, nameless]);
    }
    events.extend(records.into_iter().map(|record| testkit::event(vec![record])));
    events
}

/// Hands the events over and looks through all that was written.
async fn assert_silent(processor: &TestFunction, events: impl IntoIterator<Item = String>) {
    for event in events {
        let observed = processor.observe(event.clone()).await.unwrap();
        let said = observed.lines.iter().any(|line| line.get("error").is_some());
        assert!(said, "it has to be refused, and to be said: {event}: {:#?}", observed.lines);
    }
    processor.function.shutdown().await;
    for guise in guises(SECRET) {
        let leaked: Vec<String> = processor.lines().into_iter().filter(|line| line.contains(&guise)).collect();
        assert!(leaked.is_empty(), "{guise}: {leaked:#?}");
    }
}

fn at_trace(mut environment: Vec<(String, String)>) -> Vec<(String, String)> {
    environment.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
    environment
}

#[test]
fn a_secret_is_recognised_wherever_it_begins() {
    for before in ["", "a", "ab", "abc", "{\"a\":"] {
        let text = STANDARD.encode_to_string(format!("{before}{SECRET}{before}"));
        assert_eq!(guises(SECRET).iter().filter(|guise| text.contains(*guise)).count(), 1, "{before}: {text}");
    }
}

#[tokio::test]
async fn a_record_that_fails_is_logged_without_its_payload_and_key() {
    for kind in KINDS {
        for environment in [Vec::new(), at_trace(Vec::new())] {
            let processor = processor_with(kind, environment).await.unwrap();
            assert_silent(&processor, secrets(kind)).await;
        }
        let window = vec![("TUMBLING_WINDOW".to_owned(), "on".to_owned())];
        let processor = processor_with(kind, at_trace(window)).await.unwrap();
        let bounds = r#"{"window":{"start":"2026-01-05T10:00:00Z","end":"2026-01-05T10:02:00Z"},"#;
        let state = format!(r#""state":{{"{SECRET}":"{SECRET}","#);
        let events = secrets(kind).into_iter().map(|event| event.replacen('{', bounds, 1));
        let with_state = [format!(r#"{bounds}{state}"orders":"{SECRET}"}},"Records":[]}}"#)];
        assert_silent(&processor, events.chain(with_state)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantine_says_nothing_of_what_it_writes() {
    let emulator = Emulator::start().await.unwrap();
    let endpoints = emulator.endpoints();
    let clients = Clients::for_endpoints(&endpoints.kinesis, &endpoints.dynamodb, &endpoints.sqs, REGION);
    let sink = create_queue(&clients, "recovered", &QueueSettings::default()).await.unwrap();
    let closed = ClosedEndpoint::new().unwrap();
    for kind in KINDS {
        let processor = processor_with(kind, at_trace(quarantine_to(&endpoints.sqs, &sink.url))).await.unwrap();
        assert_silent(&processor, secrets(kind)).await;
        // What an SDK says of a request that failed. Each takes its retries, so a few have to do.
        let processor = processor_with(kind, at_trace(closed.environment().unwrap())).await.unwrap();
        assert_silent(&processor, secrets(kind).into_iter().skip(3).take(2)).await;
    }
    emulator.shutdown().await;
}
