//! What the real processors write: one line per invocation with its metrics, one per failing record, and no payload.

use partial_batch::testkit;
use records::StreamKind;
use scenarios::{ClosedEndpoint, Observed, named, order_record, processor, processor_with};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const KINDS: [StreamKind; 2] = [StreamKind::Kinesis, StreamKind::DynamoDb];

const GOOD: f64 = 20.0;
const BAD: f64 = -20.0;

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// A record that the stream took so long ago.
fn aged(kind: StreamKind, number: &str, amount: f64, age: Duration) -> Value {
    let mut record = order_record(kind, number, number, amount);
    let arrival = now() - age;
    match kind {
        StreamKind::Kinesis => record["kinesis"]["approximateArrivalTimestamp"] = json!(arrival.as_secs_f64()),
        StreamKind::DynamoDb => record["dynamodb"]["ApproximateCreationDateTime"] = json!(arrival.as_secs()),
    }
    record
}

/// The metrics of a line, each with its unit, as CloudWatch reads them; the line is held against the specification.
fn metrics(line: &Value) -> BTreeMap<&str, (&Value, &str)> {
    let age_ms = i128::from(line["_aws"]["Timestamp"].as_u64().unwrap()) - now().as_millis() as i128;
    assert!(age_ms.abs() < 60_000, "a timestamp is now, in milliseconds: {line}");
    let [directive] = &line["_aws"]["CloudWatchMetrics"].as_array().unwrap()[..] else { panic!("{line}") };
    assert_eq!(directive["Namespace"], "StreamRecovery");
    assert_eq!(directive["Dimensions"], json!([["FunctionName", "EventSource"]]));
    let mut found = BTreeMap::new();
    for metric in directive["Metrics"].as_array().unwrap() {
        let (name, unit) = (metric["Name"].as_str().unwrap(), metric["Unit"].as_str().unwrap());
        let value = &line[name];
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        assert!((1..=100).contains(&values.len()) && values.iter().all(Value::is_number), "{name}: {value}");
        assert!(found.insert(name, (value, unit)).is_none(), "{name} is declared twice");
    }
    found
}

#[tokio::test]
async fn an_invocation_is_one_line_and_a_failing_record_is_another() {
    for kind in KINDS {
        let processor = processor(kind).await.unwrap();
        let record = |number: &str, amount| order_record(kind, number, number, amount);
        let mut expected = 0;
        for (amounts, failing) in [(&[GOOD, GOOD, GOOD][..], 0), (&[GOOD, BAD, BAD], 1), (&[], 0)] {
            let numbers = ["1", "2", "3"];
            let records = amounts.iter().zip(numbers).map(|(amount, number)| record(number, *amount)).collect();
            let observed = processor.observe(testkit::event(records)).await.unwrap();
            assert_eq!(
                (observed.failures.len(), observed.lines.len()),
                (failing, failing + 1),
                "{:#?}",
                observed.lines
            );
            assert_eq!(observed.lines.last(), Some(&observed.done), "the line of the invocation is its last");
            expected += failing + 1;
        }
        // An event that is no batch has a line that says why, and the line of each invocation.
        let observed = processor.observe("{}").await.unwrap();
        let messages: Vec<&Value> = observed.lines.iter().map(|line| &line["message"]).collect();
        assert_eq!(messages, ["batch failed", "batch done"]);
        processor.function.shutdown().await;
        let lines: Vec<Value> = processor.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), expected + 2, "nothing else is written: {lines:#?}");
    }
}

#[tokio::test]
async fn records_that_fail_side_by_side_have_a_line_each() {
    for kind in KINDS {
        let sink = ClosedEndpoint::new().unwrap();
        let mut environment = sink.environment().unwrap();
        environment.push(("CONCURRENCY".to_owned(), "4".to_owned()));
        let processor = processor_with(kind, environment).await.unwrap();
        let record = |(number, amount): (&str, f64)| order_record(kind, number, number, amount);
        let records = [("1", GOOD), ("2", BAD), ("3", BAD), ("4", GOOD), ("5", BAD)].map(record);
        let observed = processor.observe(testkit::event(records.into())).await.unwrap();
        assert_eq!(observed.response, Ok(named(&["2"])));
        let numbers: Vec<&Value> = observed.failures.iter().map(|line| &line["record.sequence_number"]).collect();
        assert_eq!(numbers, ["2", "3", "5"], "in the order of the batch");
        assert_eq!((&observed.done["RecordsFailed"], &observed.done["RecordsHandled"]), (&json!(3), &json!(2)));
    }
}

#[tokio::test]
async fn metrics_of_a_consumer_go_by_its_stream() {
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    let mut record = order_record(StreamKind::Kinesis, "1", "1", GOOD);
    record["eventSourceARN"] = json!(format!("{}/consumer/app:1789808973", testkit::STREAM_ARN));
    let observed = processor.observe(testkit::event(vec![record])).await.unwrap();
    assert_eq!(observed.done["EventSource"], testkit::STREAM_ARN);
}

#[tokio::test]
async fn the_metrics_say_what_happened() {
    for kind in KINDS {
        let processor = processor(kind).await.unwrap();
        let (function, stream) = match kind {
            StreamKind::Kinesis => ("kinesis-processor", testkit::STREAM_ARN),
            StreamKind::DynamoDb => ("dynamodb-processor", testkit::TABLE_STREAM_ARN),
        };
        let record = |(number, amount, age): (&str, f64, u64)| aged(kind, number, amount, Duration::from_secs(age));
        for (records, [handled, failed, invalid], rate) in [
            (&[("1", GOOD, 900), ("2", GOOD, 600), ("3", GOOD, 300)][..], [3, 0, 0], 100.0),
            (&[("1", GOOD, 900), ("2", BAD, 600), ("3", GOOD, 500), ("4", BAD, 300)], [1, 1, 1], 25.0),
            (&[("1", BAD, 300)], [0, 1, 1], 0.0),
        ] {
            let event = testkit::event(records.iter().copied().map(record).collect());
            let Observed { done, duration, .. } = processor.observe(event).await.unwrap();
            let metrics = metrics(&done);
            let count = |name: &str| {
                let (value, unit) = metrics[name];
                assert_eq!(unit, "Count", "{name}");
                value.as_u64().unwrap()
            };
            assert_eq!((count("RecordsHandled"), count("RecordsFailed")), (handled, failed), "{done}");
            assert_eq!((count("RecordsInvalid"), count("RecordsQuarantined")), (invalid, 0), "{done}");
            assert_eq!(count("RecordsRemembered"), 0, "{done}");
            let (success_rate, unit) = metrics["BatchSuccessRate"];
            assert_eq!((success_rate.as_f64(), unit), (Some(rate), "Percent"), "{done}");
            // The last record's age, whatever became of it. A table's stream knows whole seconds.
            let (age, unit) = metrics["IteratorAge"];
            let age = age.as_f64().unwrap();
            assert!((299_990.0..330_000.0).contains(&age) && unit == "Milliseconds", "{done}");
            let (latencies, unit) = metrics["ProcessingLatency"];
            let latencies: Vec<f64> =
                latencies.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
            assert_eq!((latencies.len() as u64, unit), (handled + failed, "Milliseconds"), "{done}");
            let duration_ms = duration.as_secs_f64() * 1000.0;
            assert!(
                latencies.iter().all(|value| *value >= 0.0) && latencies.iter().sum::<f64>() <= duration_ms,
                "{done}"
            );
            assert!(done["duration_ms"].as_f64().is_some_and(|value| value > 0.0 && value <= duration_ms), "{done}");
            assert_eq!((&done["FunctionName"], &done["EventSource"]), (&json!(function), &json!(stream)));
            assert_eq!((&done["batch.records"], metrics.len()), (&json!(records.len()), 8), "{done}");
        }
    }
}

#[tokio::test]
async fn what_is_not_known_of_a_batch_is_no_metric_of_it() {
    for kind in KINDS {
        let processor = processor(kind).await.unwrap();
        for event in [r#"{"Records":[]}"#, "{}"] {
            let observed = processor.observe(event).await.unwrap();
            let metrics = metrics(&observed.done);
            for (name, (value, _)) in &metrics {
                assert_eq!(**value, json!(0), "{name}: {}", observed.done);
            }
            assert!(!metrics.contains_key("BatchSuccessRate") && !metrics.contains_key("IteratorAge"), "{metrics:?}");
            assert!(metrics.contains_key("RecordsHandled"), "an alarm on its absence would ring: {metrics:?}");
            assert_eq!(observed.done["EventSource"], "unknown");
        }
        // Thousands of records are at most a hundred values.
        let records = (0..3_000).map(|number: u32| order_record(kind, &number.to_string(), "o-1", GOOD)).collect();
        let observed = processor.observe(testkit::event(records)).await.unwrap();
        let (latencies, _) = metrics(&observed.done)["ProcessingLatency"];
        assert!(latencies.as_array().unwrap().len() > 90, "{latencies}");
    }
}

#[tokio::test]
async fn every_line_of_an_invocation_has_its_trace_id_and_no_others() {
    for kind in KINDS {
        let processor = processor(kind).await.unwrap();
        let event = testkit::event(vec![order_record(kind, "1", "o-1", BAD)]);
        let mut traces = Vec::new();
        for event in [event.as_str(), &event, "{}"] {
            let observed = processor.observe(event).await.unwrap();
            let lines = &observed.lines;
            assert_eq!(lines.len(), 2, "{lines:#?}");
            let trace = observed.done["faas.trace_id"].as_str().unwrap().to_owned();
            assert!(lines.iter().all(|line| line["faas.trace_id"] == trace.as_str()), "{lines:#?}");
            assert!(lines.iter().all(|line| line["faas.invocation_id"] == observed.request_id.as_str()), "{lines:#?}");
            // As the host makes it: the root holds the second in which the invocation began.
            let root = trace.strip_prefix("Root=1-").and_then(|rest| rest.split_once('-')).unwrap().0;
            let began = u64::from_str_radix(root, 16).unwrap();
            assert!(began.abs_diff(now().as_secs()) < 60 && trace.contains(";Parent="), "{trace}");
            traces.push(trace);
        }
        traces.sort_unstable();
        traces.dedup();
        assert_eq!(traces.len(), 3, "each invocation has its own");
    }
}

#[tokio::test]
async fn the_line_of_an_invocation_is_printed_whatever_the_level_of_the_logs() {
    for kind in KINDS {
        for level in ["error", "off"] {
            let environment = vec![("LOG_LEVEL".to_owned(), level.to_owned())];
            let processor = processor_with(kind, environment).await.unwrap();
            let event = testkit::event(vec![order_record(kind, "1", "o-1", BAD)]);
            let observed = processor.observe(event).await.unwrap();
            assert_eq!(observed.lines.len(), 1, "{level}: {:#?}", observed.lines);
            assert_eq!(metrics(&observed.done)["RecordsFailed"].0, &json!(1), "{level}");
            let failed = processor.observe("{}").await.unwrap();
            assert_eq!(failed.lines.len(), if level == "error" { 2 } else { 1 }, "{level}: {:#?}", failed.lines);
        }
    }
}
