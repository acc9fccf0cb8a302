//! Real hydrators that write to queues, of what comes to them in every wrapping.

use crate::hydrator_services::{BUCKET, Services, message, sequence_numbers, staying};
use aws_edge::S3Sink;
use aws_edge::produce::{NewRecord, put_records};
use aws_edge::provision::create_fifo_queue;
use aws_edge::queue::MessageAttribute;
use records::StreamArn;
use recovery::{RangeName, RangeSink, RangeWriter, SinkEntry};
use scenarios::sqs_event;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_the_queue_waits_in_the_bucket_and_the_queue_points_at_it() {
    let (services, stream) = Services::with_stream().await;
    let queue = services.queue("recovered").await;
    let hydrator = services.hydrator(&queue.url, &[("CLAIM_CHECK", &format!("s3://{BUCKET}/large"))]).await;
    let large: Vec<u8> = (0..400_000_usize).map(|n| (n * n / 7 % 256) as u8).collect();
    let placed = services.put(&stream, &[b"one", &large, b"three"]).await;
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[2], 3))]);
    assert_eq!(hydrator.response(event).await.unwrap(), staying(&[]));
    let messages = services.messages(&queue).await;
    assert_eq!(messages.len(), 3);
    let pointers: Vec<_> = messages.iter().filter(|message| message.body.starts_with('[')).collect();
    let [pointer] = pointers[..] else { panic!("expected one pointer: {messages:#?}") };
    let body: Value = serde_json::from_str(&pointer.body).unwrap();
    assert_eq!(body[0], "software.amazon.payloadoffloading.PayloadS3Pointer");
    assert_eq!(body[1]["s3BucketName"], BUCKET);
    let key = body[1]["s3Key"].as_str().unwrap();
    assert!(key.starts_with("large/"), "{key}");
    let record = services.object(key).await;
    assert_eq!(pointer.attributes["ExtendedPayloadSize"], MessageAttribute::Number(record.len().to_string()));
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["source"]["sequenceNumber"], json!(placed[1].sequence_number));
    let data = base64_simd::STANDARD.decode_to_vec(record["event"]["kinesis"]["data"].as_str().unwrap()).unwrap();
    assert!(data == large, "it comes back to the byte");
    services.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_lie_close_cost_one_read_and_add_up() {
    let (services, stream) = Services::with_stream().await;
    let hydrator = services.hydrator(&services.queue("recovered").await.url, &[]).await;
    let placed = services.put(&stream, &[&b"x"[..]; 100]).await;
    let bodies: Vec<_> = placed.iter().step_by(10).map(|place| message(&stream, place, place, 1)).collect();
    let ids: Vec<_> = (0..bodies.len()).map(|n| format!("m-{n}")).collect();
    let messages: Vec<_> = ids.iter().zip(&bodies).map(|(id, body)| (id.as_str(), body.as_str())).collect();
    assert_eq!(hydrator.response(sqs_event(&messages)).await.unwrap(), staying(&[]));
    let line = hydrator.line_with("hydration done").await.unwrap();
    let metric = |name: &str| line[name].as_f64().unwrap_or_else(|| panic!("no {name} in {line}"));
    assert_eq!((metric("Messages"), metric("StreamReads"), metric("StreamThrottles")), (10.0, 1.0, 0.0));
    assert_eq!((metric("RecordsDelivered"), metric("RecordsRecovered"), metric("RecordsLost")), (10.0, 10.0, 0.0));
    assert_eq!((metric("MessagesFailed"), metric("RecordsCandidates")), (0.0, 0.0));
    assert!((86_000.0..=86_400.0).contains(&metric("SecondsUntilExpiry")), "{line}");
    services.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifo_queue_keeps_each_keys_order_and_takes_nothing_twice() {
    let (services, stream) = Services::with_stream().await;
    let queue = create_fifo_queue(&services.clients, "recovered.fifo").await.unwrap();
    let hydrator = services.hydrator(&queue.url, &[]).await;
    let records: Vec<_> = (0..40).map(|n| NewRecord::new(format!("key-{}", n % 3), format!("{n}"))).collect();
    let placed = put_records(&services.clients, &stream, &records).await.unwrap();
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[39], 40))]);
    for _ in 0..2 {
        assert_eq!(hydrator.response(event.as_str()).await.unwrap(), staying(&[]));
    }
    let recovered = services.bodies(&queue).await;
    assert_eq!(recovered.len(), 40, "the second delivery adds nothing");
    for key in ["key-0", "key-1", "key-2"] {
        let of_key: Vec<_> = recovered.iter().filter(|record| record["source"]["key"] == key).cloned().collect();
        let expected = records.iter().zip(&placed).filter(|(record, _)| record.partition_key == key);
        let expected: Vec<_> = expected.map(|(_, place)| place.sequence_number.as_str()).collect();
        assert_eq!(sequence_numbers(&of_key), expected);
    }
    services.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_may_be_wrapped_or_bring_its_records_along_in_an_object() {
    let (services, stream) = Services::with_stream().await;
    let queue = services.queue("recovered").await;
    let hydrator = services.hydrator(&queue.url, &[]).await;
    let placed = services.put(&stream, &[b"by a topic", b"by a pipe", b"by an object"]).await;
    let topic = json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:111122223333:t",
        "Message": message(&stream, &placed[0], &placed[0], 1)});
    let mut pipe: Value = serde_json::from_str(&message(&stream, &placed[1], &placed[1], 1)).unwrap();
    pipe["context"] = json!({"partnerResourceArn": "arn:aws:pipes:us-east-1:111122223333:pipe/orders",
        "condition": "RetryAttemptsExhausted"});
    pipe.as_object_mut().unwrap().remove("requestContext");

    // The stream of the third is no more: its record is where its message is.
    let gone = StreamArn::parse(&stream.as_str().replace(stream.name(), "gone")).unwrap();
    let mut kept: Value = serde_json::from_str(&message(&gone, &placed[2], &placed[2], 1)).unwrap();
    let record = scenarios::kinesis_record(placed[2].sequence_number.as_str(), "Ynk=");
    kept["payload"] = json!(json!({"Records": [record]}).to_string());
    let destination = S3Sink::new(&services.clients, format!("s3://{BUCKET}").parse().unwrap());
    let mut object = destination.open(&RangeName::new("aws/lambda/failed"));
    let (id, group) = (String::new(), String::new());
    object.write(&[SinkEntry { id, group, body: kept.to_string() }]).await.unwrap();
    object.close().await.unwrap();
    let notification = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": BUCKET}, "object": {"key": "aws/lambda/failed.jsonl"}}}]});

    let event =
        sqs_event(&[("topic", &topic.to_string()), ("pipe", &pipe.to_string()), ("s3", &notification.to_string())]);
    assert_eq!(hydrator.response(event).await.unwrap(), staying(&[]));
    let recovered = services.bodies(&queue).await;
    let mut numbers = sequence_numbers(&recovered);
    numbers.sort_unstable();
    assert_eq!(numbers, placed.iter().map(|place| place.sequence_number.as_str()).collect::<Vec<_>>());
    let brought_along = recovered.iter().find(|record| record["source"]["streamArn"] == gone.as_str()).unwrap();
    assert_eq!((&brought_along["event"], &brought_along["verdict"]), (&record, &json!("complete")));
    services.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mappings_filters_tell_the_batchs_records_from_those_between_them() {
    let (services, stream) = Services::with_stream().await;
    let queue = services.queue("recovered").await;
    let criteria = json!({"Filters": [{"Pattern": json!({"data": {"keep": [true]}}).to_string()}]}).to_string();
    let hydrator = services.hydrator(&queue.url, &[("FILTER_CRITERIA", &criteria)]).await;
    let (keep, drop): (&[u8], &[u8]) = (br#"{"keep":true}"#, br#"{"keep":false}"#);
    let placed = services.put(&stream, &[keep, drop, keep, b"no json", keep]).await;
    let event = sqs_event(&[("m-1", &message(&stream, &placed[0], &placed[4], 3))]);
    assert_eq!(hydrator.response(event).await.unwrap(), staying(&[]));
    let recovered = services.bodies(&queue).await;
    assert!(recovered.iter().all(|record| record["verdict"] == "superset"), "{recovered:#?}");
    let marks: Vec<_> = recovered.iter().map(|record| record["certainty"].as_str().unwrap()).collect();
    assert_eq!(marks, ["certain", "candidate", "certain", "candidate", "certain"]);
    services.emulator.shutdown().await;
}
