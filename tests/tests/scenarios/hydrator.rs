//! The real hydrator behind the Lambda host, on the emulated services.

use crate::hydrator_services::{Services, message, message_of, staying};
use aws_edge::produce::{Placed, put_item};
use aws_edge::provision::{Queue, create_kinesis_stream, create_table, split_first_shard};
use records::{AttributeValue, Item, StreamArn, StreamKind};
use scenarios::{TestFunction, kinesis_event, processor, sqs_event};
use serde_json::{Value, json};

struct Setting {
    services: Services,
    sink: Queue,
    hydrator: TestFunction,
}

async fn setting() -> Setting {
    setting_with(&[]).await
}

async fn setting_with(variables: &[(&str, &str)]) -> Setting {
    let services = Services::start().await;
    let sink = services.queue("recovered").await;
    let hydrator = services.hydrator(&sink.url, variables).await;
    Setting { services, sink, hydrator }
}

impl Setting {
    async fn stream(&self, shards: u16) -> StreamArn {
        create_kinesis_stream(&self.services.clients, &self.services.stream_name(), shards).await.unwrap()
    }

    async fn put(&self, stream: &StreamArn, data: &[&[u8]]) -> Vec<Placed> {
        self.services.put(stream, data).await
    }

    async fn recovered(&self) -> Vec<Value> {
        self.services.bodies(&self.sink).await
    }

    async fn end(self) {
        self.services.emulator.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_comes_back_whole_and_in_lambdas_shape() {
    let setting = setting().await;
    let stream = setting.stream(1).await;
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
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_many_pages_comes_back_whole() {
    let setting = setting().await;
    let stream = setting.stream(1).await;
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
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shards_of_a_reshard_are_read_by_themselves_and_a_closed_one_to_its_end() {
    let setting = setting().await;
    if !setting.services.is_emulated("keep the parent of a reshard") {
        return;
    }
    let stream = setting.stream(1).await;
    let parent = setting.put(&stream, &[b"one", b"two"]).await;
    split_first_shard(&setting.services.clients, stream.name()).await.unwrap();
    let child = setting.put(&stream, &[b"three", b"four"]).await;
    assert_ne!(parent[0].shard, child[0].shard, "records of the key are in another shard now");
    // Its batch had a record more than the closed shard has: that one is lost, and nobody waits for it.
    let end = Placed { sequence_number: child[1].sequence_number.clone(), ..parent[1].clone() };
    let bodies = [message(&stream, &parent[0], &end, 3), message(&stream, &child[0], &child[1], 2)];
    let event = sqs_event(&[("m-1", &bodies[0]), ("m-2", &bodies[1])]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&[]));
    let (losses, records): (Vec<_>, Vec<_>) =
        setting.recovered().await.into_iter().partition(|entry| entry["type"] == "loss");
    let shards = |shard: &str| records.iter().filter(|record| record["source"]["shardId"] == shard).count();
    assert_eq!((shards(parent[0].shard.as_str()), shards(child[0].shard.as_str())), (2, 2), "{records:#?}");
    assert_eq!((losses.len(), &losses[0]["count"]), (1, &json!(1)));
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stream_has_trimmed_is_reported_lost() {
    let setting = setting().await;
    let stream = setting.stream(1).await;
    let placed = setting.put(&stream, &[b"one", b"two", b"three", b"four"]).await;
    if !setting.services.is_emulated("trim records on request") {
        return;
    }
    let (shard, second) = (&placed[1].shard, &placed[1].sequence_number);
    assert_eq!(setting.services.emulator.trim_kinesis(stream.name(), shard, second).await.unwrap(), 2);
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
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_on_failure_messages_stay_and_cost_no_other() {
    let setting = setting().await;
    let stream = setting.stream(1).await;
    let placed = setting.put(&stream, &[b"one"]).await;
    let good = message(&stream, &placed[0], &placed[0], 1);
    let event = sqs_event(&[("a", "hello"), ("b", &good), ("c", "{}"), ("d", ""), ("e", r#"{"KinesisBatchInfo":{}}"#)]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&["a", "c", "d", "e"]));
    assert_eq!(setting.recovered().await.len(), 1);
    let line = setting.hydrator.line_with("$.KinesisBatchInfo.streamArn").await.unwrap();
    assert_eq!((&line["level"], &line["message.id"]), (&json!("ERROR"), &json!("e")));
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_no_batch_of_messages_fail_the_function() {
    let setting = setting().await;
    for event in ["{}", r#"{"Records":[{"body":"{}"}]}"#, r#"{"Records":[{"messageId":""}]}"#, "not json"] {
        setting.hydrator.error(event).await.unwrap();
    }
    setting.hydrator.line_with("has no `messageId`").await.unwrap();
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_a_message_keeps_its_message_and_says_so() {
    let setting = setting().await;
    let stream = setting.stream(1).await;
    let placed = setting.put(&stream, &[b"one", &[b'x'; 300_000], b"three"]).await;
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[2], 3))]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&["m-1"]));
    assert_eq!(setting.recovered().await.len(), 2, "its neighbours are safe");
    let line = setting.hydrator.line_with("do not fit").await.unwrap();
    assert!(line["error"].as_str().unwrap().contains("262144 bytes"), "{line}");
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_never_reaches_the_log_however_curious_the_operator_is() {
    let curious = "trace,aws_smithy_runtime::client=trace,hyper=trace,lambda_runtime::layers=trace";
    let setting = setting_with(&[("LOG_LEVEL", curious)]).await;
    let stream = setting.stream(1).await;
    let placed = setting.put(&stream, &[b"SECRET"]).await;
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[0], 1))]);
    assert_eq!(setting.hydrator.response(event).await.unwrap(), staying(&[]));
    setting.hydrator.line_with("message hydrated").await.unwrap();
    for secret in ["SECRET", "U0VDUkVU"] {
        let leaked: Vec<String> = setting.hydrator.lines().into_iter().filter(|line| line.contains(secret)).collect();
        assert!(leaked.is_empty(), "{leaked:#?}");
    }
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_is_not_the_ranges_own_is_no_loss() {
    let setting = setting().await;
    let stream = setting.stream(2).await;
    let placed = setting.put(&stream, &[b"one"]).await;
    let other = if placed[0].shard.as_str().ends_with('0') { "shardId-000000000001" } else { "shardId-000000000000" };
    let body = message(&stream, &placed[0], &placed[0], 1).replace(placed[0].shard.as_str(), other);
    assert_eq!(setting.hydrator.response(sqs_event(&[("m-1", &body)])).await.unwrap(), staying(&["m-1"]));
    assert!(setting.recovered().await.is_empty(), "nothing is proven lost");
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_made_after_the_records_arrived_has_none_of_them() {
    let setting = setting().await;
    if !setting.services.is_emulated("refuse the position of another shard") {
        return;
    }
    let stream = setting.stream(2).await;
    let placed = setting.put(&stream, &[b"one"]).await;
    let other = if placed[0].shard.as_str().ends_with('0') { "shardId-000000000001" } else { "shardId-000000000000" };
    let body = message_of(&stream, &placed[0], &placed[0], 1, "2025-11-25T16:27:01.000Z");
    let body = body.replace(placed[0].shard.as_str(), other);
    assert_eq!(setting.hydrator.response(sqs_event(&[("m-1", &body)])).await.unwrap(), staying(&[]));
    let reports = setting.recovered().await;
    assert_eq!((reports.len(), &reports[0]["type"], &reports[0]["reason"]), (1, &json!("loss"), &json!("recreated")));
    setting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_an_item_comes_back_with_its_images() {
    let setting = setting().await;
    let stream = create_table(&setting.services.clients, "orders", "order_id").await.unwrap();
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let item = |note: &str| Item::from([("order_id".to_owned(), text("o-1")), ("note".to_owned(), text(note))]);
    for note in ["first", "second"] {
        put_item(&setting.services.clients, "orders", &item(note)).await.unwrap();
    }
    // The positions are the stream's own: read them as the mapping does.
    let reader = aws_edge::AwsStreamReader::new(setting.services.clients.clone());
    let shards = aws_edge::provision::list_shards(&setting.services.clients, &stream).await.unwrap();
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
    setting.end().await;
}
