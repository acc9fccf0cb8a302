//! The real hydrator behind the Lambda host, on the emulated services.

use aws_edge::Clients;
use aws_edge::produce::{NewRecord, Placed, put_item, put_records};
use aws_edge::provision::{Queue, QueueSettings, create_kinesis_stream, create_queue, create_table};
use aws_edge::queue::receive;
use emulator::{Emulator, REGION};
use records::{AttributeValue, Item, StreamArn, StreamKind};
use scenarios::{TestFunction, hydrator, kinesis_event, processor, sqs_event};
use serde_json::{Value, json};
use std::time::Duration;

struct Setting {
    emulator: Emulator,
    clients: Clients,
    sink: Queue,
    hydrator: TestFunction,
}

async fn setting() -> Setting {
    setting_with(&[]).await
}

async fn setting_with(variables: &[(&str, &str)]) -> Setting {
    let emulator = Emulator::start().await.unwrap();
    let endpoints = emulator.endpoints();
    let clients = Clients::for_endpoints(&endpoints.kinesis, &endpoints.dynamodb, &endpoints.sqs, REGION);
    let sink = create_queue(&clients, "recovered", &QueueSettings::default()).await.unwrap();
    let mut environment = endpoints.environment();
    environment.push(("SINK".to_owned(), sink.url.clone()));
    environment.push(("SINK_BATCH_MAX_BYTES".to_owned(), "262144".to_owned()));
    environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let hydrator = hydrator(environment).await.unwrap();
    Setting { emulator, clients, sink, hydrator }
}

impl Setting {
    async fn put(&self, stream: &StreamArn, data: &[&[u8]]) -> Vec<Placed> {
        let records: Vec<_> = data.iter().map(|data| NewRecord::new("key", *data)).collect();
        put_records(&self.clients, stream, &records).await.unwrap()
    }

    async fn recovered(&self) -> Vec<Value> {
        let mut found = Vec::new();
        loop {
            let messages = receive(&self.clients, &self.sink.url, 10, Duration::ZERO).await.unwrap();
            if messages.is_empty() {
                return found;
            }
            found.extend(messages.iter().map(|message| serde_json::from_str::<Value>(&message.body).unwrap()));
        }
    }
}

fn message(stream: &StreamArn, first: &Placed, last: &Placed, batch_size: usize) -> String {
    json!({
        "requestContext": {
            "requestId": "3f1c", "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:orders",
            "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": null},
        "version": "1.0", "timestamp": "2025-11-25T16:27:42.021Z",
        "KinesisBatchInfo": {
            "shardId": first.shard.as_str(),
            "startSequenceNumber": first.sequence_number, "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": "2025-11-25T16:27:01.000Z",
            "approximateArrivalOfLastRecord": "2025-11-25T16:27:01.000Z",
            "batchSize": batch_size, "streamArn": stream.as_str(),
        },
    })
    .to_string()
}

fn staying(ids: &[&str]) -> Value {
    json!({"batchItemFailures": ids.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_comes_back_whole_and_in_lambdas_shape() {
    let setting = setting().await;
    let stream = create_kinesis_stream(&setting.clients, "orders", 1).await.unwrap();
    let placed = setting.put(&stream, &[b"before", b"one", b"", b"\xff\0", b"after"]).await;
    let event = sqs_event(&[("m-1", &message(&stream, &placed[1], &placed[3], 3))]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&[]));
    let recovered = setting.recovered().await;
    let data: Vec<_> = recovered.iter().map(|record| record["event"]["kinesis"]["data"].as_str().unwrap()).collect();
    assert_eq!(data, ["b25l", "", "/wA="]);
    for (record, place) in recovered.iter().zip(&placed[1..4]) {
        assert_eq!((&record["type"], &record["verdict"]), (&json!("record"), &json!("complete")));
        assert_eq!(record["event"]["kinesis"]["sequenceNumber"], json!(place.sequence_number));
        assert_eq!(record["event"]["eventSourceARN"], stream.as_str());
        assert_eq!(record["failure"]["condition"], "RetryAttemptsExhausted");
    }
    // What comes back can be handed to a processor as it is.
    let events: Vec<Value> = recovered.into_iter().map(|record| record["event"].clone()).collect();
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    let response = processor.response(kinesis_event(&events)).await.unwrap();
    assert_eq!(response, staying(&[placed[1].sequence_number.as_str()]), "`one` is no order");
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_many_pages_comes_back_whole() {
    let setting = setting().await;
    let stream = create_kinesis_stream(&setting.clients, "orders", 1).await.unwrap();
    let mut placed = Vec::new();
    for call in 0..5 {
        let data: Vec<String> = (0..500).map(|n| format!("{call}-{n}")).collect();
        let data: Vec<&[u8]> = data.iter().map(String::as_bytes).collect();
        placed.extend(setting.put(&stream, &data).await);
    }
    // A batch of two, whose range holds 2,500 records: filters or parallel batches ran beside it.
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[2_499], 2))]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&[]));
    let recovered = setting.recovered().await;
    assert_eq!(recovered.len(), 2_500);
    assert!(recovered.iter().all(|record| record["verdict"] == "superset"));
    let certain = recovered.iter().filter(|record| record["certainty"] == "certain").count();
    assert_eq!(certain, 2, "the ends were in the batch, the others may have been");
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stream_has_trimmed_is_reported_lost() {
    let setting = setting().await;
    let stream = create_kinesis_stream(&setting.clients, "orders", 1).await.unwrap();
    let placed = setting.put(&stream, &[b"one", b"two", b"three", b"four"]).await;
    let (shard, second) = (&placed[1].shard, &placed[1].sequence_number);
    assert_eq!(setting.emulator.trim_kinesis("orders", shard, second).await.unwrap(), 2);
    let partial = message(&stream, &placed[0], &placed[2], 3);
    let expired = message(&stream, &placed[0], &placed[1], 2);
    let event = sqs_event(&[("m-1", &partial), ("m-2", &expired)]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&[]));
    let reports = setting.recovered().await;
    let losses: Vec<_> = reports.iter().filter(|report| report["type"] == "loss").collect();
    let mut verdicts: Vec<_> = losses.iter().map(|loss| loss["verdict"].as_str().unwrap()).collect();
    verdicts.sort_unstable();
    assert_eq!(verdicts, ["expired", "partial"]);
    for loss in losses {
        assert_eq!((&loss["count"], &loss["reason"]), (&json!(2), &json!("trimmed")));
        assert_eq!(loss["startSequenceNumber"], json!(placed[0].sequence_number));
    }
    let records: Vec<_> = reports.iter().filter(|report| report["type"] == "record").collect();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["event"]["kinesis"]["data"], "dGhyZWU=");
    setting.hydrator.line_with("records lost").await.unwrap();
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_on_failure_messages_stay_and_cost_no_other() {
    let setting = setting().await;
    let stream = create_kinesis_stream(&setting.clients, "orders", 1).await.unwrap();
    let placed = setting.put(&stream, &[b"one"]).await;
    let good = message(&stream, &placed[0], &placed[0], 1);
    let event = sqs_event(&[("a", "hello"), ("b", &good), ("c", "{}"), ("d", ""), ("e", r#"{"KinesisBatchInfo":{}}"#)]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&["a", "c", "d", "e"]));
    assert_eq!(setting.recovered().await.len(), 1);
    let line = setting.hydrator.line_with("$.KinesisBatchInfo.streamArn").await.unwrap();
    assert_eq!((&line["level"], &line["message.id"]), (&json!("ERROR"), &json!("e")));
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_no_batch_of_messages_fail_the_function() {
    let setting = setting().await;
    for event in ["{}", r#"{"Records":[{"body":"{}"}]}"#, r#"{"Records":[{"messageId":""}]}"#, "not json"] {
        setting.hydrator.error(event).await.unwrap();
    }
    setting.hydrator.line_with("has no `messageId`").await.unwrap();
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_a_message_keeps_its_message_and_says_so() {
    let setting = setting().await;
    let stream = create_kinesis_stream(&setting.clients, "orders", 1).await.unwrap();
    let placed = setting.put(&stream, &[b"one", &[b'x'; 300_000], b"three"]).await;
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[2], 3))]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&["m-1"]));
    assert_eq!(setting.recovered().await.len(), 2, "its neighbours are safe");
    let line = setting.hydrator.line_with("do not fit").await.unwrap();
    assert!(line["error"].as_str().unwrap().contains("262144 bytes"), "{line}");
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_never_reaches_the_log_however_curious_the_operator_is() {
    let curious = "trace,aws_smithy_runtime::client=trace,hyper=trace,lambda_runtime::layers=trace";
    let setting = setting_with(&[("LOG_LEVEL", curious)]).await;
    let stream = create_kinesis_stream(&setting.clients, "orders", 1).await.unwrap();
    let placed = setting.put(&stream, &[b"SECRET"]).await;
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[0], 1))]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&[]));
    setting.hydrator.line_with("message hydrated").await.unwrap();
    for secret in ["SECRET", "U0VDUkVU"] {
        let leaked: Vec<String> = setting.hydrator.lines().into_iter().filter(|line| line.contains(secret)).collect();
        assert!(leaked.is_empty(), "{leaked:#?}");
    }
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_is_not_the_ranges_own_is_no_loss() {
    let setting = setting().await;
    let stream = create_kinesis_stream(&setting.clients, "orders", 2).await.unwrap();
    let placed = setting.put(&stream, &[b"one"]).await;
    let other = if placed[0].shard.as_str().ends_with('0') { "shardId-000000000001" } else { "shardId-000000000000" };
    let body = message(&stream, &placed[0], &placed[0], 1).replace(placed[0].shard.as_str(), other);
    assert_eq!(setting.hydrator.response(sqs_event(&[("m-1", &body)])).await.unwrap(), staying(&["m-1"]));
    assert!(setting.recovered().await.is_empty(), "nothing is proven lost");
    setting.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_an_item_comes_back_with_its_images() {
    let setting = setting().await;
    let stream = create_table(&setting.clients, "orders", "order_id").await.unwrap();
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let item = |note: &str| Item::from([("order_id".to_owned(), text("o-1")), ("note".to_owned(), text(note))]);
    for note in ["first", "second"] {
        put_item(&setting.clients, "orders", &item(note)).await.unwrap();
    }
    // The positions are the stream's own: read them as the mapping does.
    let reader = aws_edge::AwsStreamReader::new(setting.clients.clone());
    let shards = aws_edge::provision::list_shards(&setting.clients, &stream).await.unwrap();
    let horizon = recovery::Position::TrimHorizon;
    let iterator = recovery::StreamReader::iterator(&reader, &stream, &shards[0], &horizon).await.unwrap();
    let page = recovery::StreamReader::page(&reader, &stream, &iterator, 10).await.unwrap();
    let number = |index: usize| page.records[index].sequence_number().to_string();
    let body = json!({
        "requestContext": {"condition": "RecordAgeExceeded"}, "version": "1.0",
        "DDBStreamBatchInfo": {
            "shardId": shards[0].as_str(), "startSequenceNumber": number(0), "endSequenceNumber": number(1),
            "batchSize": 2, "streamArn": stream.as_str(),
        },
    });
    let event = sqs_event(&[("m-1", &body.to_string())]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&[]));
    let recovered = setting.recovered().await;
    assert_eq!(recovered[1]["event"]["eventName"], "MODIFY");
    assert_eq!(recovered[1]["event"]["dynamodb"]["NewImage"]["note"]["S"], "second");
    assert_eq!(recovered[1]["event"]["dynamodb"]["OldImage"]["note"]["S"], "first");
    assert_eq!(recovered[1]["verdict"], "complete");
    setting.emulator.shutdown().await;
}
