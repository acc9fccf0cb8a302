//! Real hydrators that write objects, and those that come near their deadline.

use crate::hydrator_services::{BUCKET, Services, message, sequence_numbers, staying};
use aws_edge::AwsStreamReader;
use aws_edge::produce::put_item;
use aws_edge::provision::{create_table, list_shards};
use records::{AttributeValue, Item, SequenceNumber, StreamArn};
use recovery::{Position, StreamReader};
use scenarios::{sqs_event, sqs_event_of};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_one_object_however_often_its_message_comes() {
    let (services, stream) = Services::with_stream().await;
    let hydrator = services.hydrator(&format!("s3://{BUCKET}/dlq"), &[]).await;
    let placed = services.put(&stream, &[b"before", b"one", b"", b"\xff\0", b"after"]).await;
    let event = sqs_event(&[("m-1", &message(&stream, &placed[1], &placed[3], 3))]);
    let mut first = None;
    for _ in 0..2 {
        assert_eq!(hydrator.response(event.as_str()).await.unwrap(), staying(&[]));
        let objects = services.objects().await;
        assert_eq!(*first.get_or_insert_with(|| objects.clone()), objects);
    }
    let objects = first.unwrap();
    let (key, lines) = objects.first_key_value().unwrap();
    assert_eq!((objects.len(), lines.len()), (1, 3), "{objects:#?}");
    let (start, end) = (&placed[1].sequence_number, &placed[3].sequence_number);
    let range = format!("shardId-000000000000/{start}-{end}/orders");
    assert_eq!(*key, format!("dlq/kinesis/us-east-1/000000000000/stream-{}/{range}.jsonl", stream.name()));
    for (line, place) in lines.iter().zip(&placed[1..4]) {
        assert_eq!((&line["type"], &line["verdict"]), (&json!("record"), &json!("complete")));
        assert_eq!(line["event"]["kinesis"]["sequenceNumber"], json!(place.sequence_number));
    }
    services.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_an_object_of_its_own() {
    let (services, stream) = Services::with_stream().await;
    let hydrator = services.hydrator(&format!("s3://{BUCKET}"), &[]).await;
    let placed = services.put(&stream, &[b"one", b"two", b"three"]).await;
    if !services.is_emulated("trim records on request") {
        return;
    }
    let (shard, number) = (&placed[1].shard, &placed[1].sequence_number);
    services.emulator.trim_kinesis(stream.name(), shard, number).await.unwrap();
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[2], 3))]);
    assert_eq!(hydrator.response(event).await.unwrap(), staying(&[]));
    let objects = services.objects().await;
    let (losses, records): (Vec<_>, Vec<_>) = objects.iter().partition(|(key, _)| key.ends_with(".loss.jsonl"));
    assert_eq!((losses.len(), records.len()), (1, 1), "{objects:#?}");
    assert_eq!((&losses[0].1[0]["type"], &losses[0].1[0]["count"]), (&json!("loss"), &json!(2)));
    assert_eq!(sequence_numbers(records[0].1), [placed[2].sequence_number.as_str()]);
    services.emulator.shutdown().await;
}

/// A table of so many items, its stream, and the first and last position in it.
async fn table(services: &Services, items: usize) -> (StreamArn, [SequenceNumber; 2]) {
    const WRITERS: usize = 8;
    let stream = create_table(&services.clients, "orders", "order_id").await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let clients = services.clients.clone();
        writers.spawn(async move {
            for n in (writer..items).step_by(WRITERS) {
                let item = Item::from([("order_id".to_owned(), AttributeValue::S(format!("o-{n}")))]);
                put_item(&clients, "orders", &item).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let reader = AwsStreamReader::new(services.clients.clone());
    let shard = &list_shards(&services.clients, &stream).await.unwrap()[0];
    let mut iterator = reader.iterator(&stream, shard, &Position::TrimHorizon).await.unwrap();
    let mut numbers = Vec::new();
    while numbers.len() < items {
        let page = reader.page(&stream, &iterator, 1_000).await.unwrap();
        numbers.extend(page.records.iter().map(|record| record.sequence_number().clone()));
        iterator = page.next.unwrap();
    }
    (stream, [numbers[0].clone(), numbers[items - 1].clone()])
}

#[tokio::test(flavor = "multi_thread")]
async fn near_the_deadline_the_rest_goes_to_the_hydrators_own_queue_until_all_is_back() {
    const ITEMS: usize = 4_500;
    let services = Services::start().await;
    let (stream, [first, last]) = table(&services, ITEMS).await;
    let on_failure = services.queue("on-failure").await;
    // Of the six seconds three and three quarters are for reading: four pages of a thousand at most.
    let hydrator = services.hydrator(&format!("s3://{BUCKET}"), &[("READS_PER_SECOND", "1")]).await;
    let hydrator = hydrator.with_timeout(Duration::from_secs(6));
    let body = json!({
        "requestContext": {"condition": "RetryAttemptsExhausted"}, "version": "1.0",
        "DDBStreamBatchInfo": {
            "shardId": list_shards(&services.clients, &stream).await.unwrap()[0].as_str(),
            "startSequenceNumber": first, "endSequenceNumber": last,
            "batchSize": ITEMS, "streamArn": stream.as_str(),
        },
    });
    let mut waiting = vec![body.to_string()];
    let mut invocations = 0;
    while let Some(body) = waiting.pop() {
        invocations += 1;
        assert!(invocations <= 10, "each invocation gets a page at least");
        let event = sqs_event_of(&on_failure.arn, &[("m-1", &body)]);
        assert_eq!(hydrator.response(event).await.unwrap(), staying(&[]));
        let rest = services.messages(&on_failure).await;
        for message in rest {
            let body: Value = serde_json::from_str(&message.body).unwrap();
            let progress = &body["hydratorProgress"];
            assert_eq!(progress["startSequenceNumber"], json!(first));
            assert_eq!(progress["after"], body["DDBStreamBatchInfo"]["startSequenceNumber"]);
            assert_eq!(progress["lost"], 0);
            waiting.push(message.body);
        }
    }
    assert!(invocations > 1, "one invocation has no time for so many pages");
    hydrator.line_with("rest of the message handed on").await.unwrap();
    let objects = services.objects().await;
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for number in objects.values().flat_map(|lines| sequence_numbers(lines)) {
        *seen.entry(number).or_default() += 1;
    }
    assert_eq!(seen.len(), ITEMS, "every record is in an object");
    assert!(seen.values().all(|times| *times == 1), "and in one alone");
    services.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_sinks_each_has_all() {
    let (services, stream) = Services::with_stream().await;
    let queue = services.queue("recovered").await;
    let hydrator = services.hydrator(&format!("{},s3://{BUCKET}/dlq", queue.url), &[]).await;
    let placed = services.put(&stream, &[b"one", b"two", b"three"]).await;
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[2], 3))]);
    assert_eq!(hydrator.response(event).await.unwrap(), staying(&[]));
    let objects = services.objects().await;
    let (recovered, lines) = (services.bodies(&queue).await, objects.values().next().unwrap());
    assert_eq!((objects.len(), recovered.len()), (1, 3));
    assert_eq!(recovered, *lines);
    services.emulator.shutdown().await;
}
