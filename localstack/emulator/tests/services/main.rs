//! What the local stack relies on: the emulated services, through the functions the workspace uses them with.

#![expect(clippy::unwrap_used, reason = "a helper of tests may fail as a test does")]

mod s3;

use aws_edge::Clients;
use aws_edge::produce::{NewRecord, Placed, delete_item, put_item, put_records, update_item};
use aws_edge::provision::{
    Queue, QueueSettings, Redrive, create_kinesis_stream, create_queue, create_table, list_shards,
};
use aws_edge::queue::{MessageAttribute, MessageAttributes, MessageCounts, count, delete_batch, receive, send};
use emulator::{Emulator, REGION};
use records::{AttributeValue, Item, StreamArn, StreamKind};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

async fn start() -> (Emulator, Clients) {
    let emulator = Emulator::start().await.unwrap();
    let endpoints = emulator.endpoints();
    let clients = Clients::for_endpoints(&endpoints.kinesis, &endpoints.dynamodb, &endpoints.sqs, REGION);
    (emulator, clients)
}

async fn put(clients: &Clients, stream: &StreamArn, data: impl Into<Vec<u8>>) -> Placed {
    put_records(clients, stream, &[NewRecord::new("key", data)]).await.unwrap().remove(0)
}

async fn queue(clients: &Clients, name: &str, visibility: Duration, redrive: Option<Redrive>) -> Queue {
    let settings = QueueSettings { visibility_timeout: visibility, redrive, ..QueueSettings::default() };
    create_queue(clients, name, &settings).await.unwrap()
}

fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn records_get_the_shard_of_their_key_and_growing_numbers() {
    let (emulator, clients) = start().await;
    let stream = create_kinesis_stream(&clients, "orders", 4).await.unwrap();
    assert_eq!(stream.as_str(), "arn:aws:kinesis:us-east-1:000000000000:stream/orders");

    let shards = list_shards(&clients, &stream).await.unwrap();
    let names: Vec<_> = shards.iter().map(|shard| shard.as_str()).collect();
    let expected = ["shardId-000000000000", "shardId-000000000001", "shardId-000000000002", "shardId-000000000003"];
    assert_eq!(names, expected);

    let records: Vec<_> = (0..500).map(|n| NewRecord::new(format!("key-{}", n % 50), format!("{n}"))).collect();
    let placed = put_records(&clients, &stream, &records).await.unwrap();
    assert_eq!(placed.len(), 500);
    let mut by_key = BTreeMap::new();
    for (record, place) in records.iter().zip(&placed) {
        if let Some(before) = by_key.insert(&record.partition_key, place) {
            assert_eq!(before.shard, place.shard, "a key has one shard");
            assert!(before.sequence_number < place.sequence_number, "a key's records stay in order");
        }
    }
    let used: BTreeSet<_> = placed.iter().map(|place| &place.shard).collect();
    assert_eq!(used.len(), 4, "fifty keys reach every shard");

    let last = NewRecord { explicit_hash_key: Some(u128::MAX.to_string()), ..NewRecord::new("key", "x") };
    assert_eq!(put_records(&clients, &stream, &[last]).await.unwrap()[0].shard, shards[3]);
    emulator.shutdown().await;
}

#[tokio::test]
async fn empty_and_arbitrary_and_large_data_are_accepted_up_to_a_mebibyte() {
    let (emulator, clients) = start().await;
    let stream = create_kinesis_stream(&clients, "orders", 1).await.unwrap();
    put(&clients, &stream, "").await;
    put(&clients, &stream, (0..=255).collect::<Vec<u8>>()).await;
    put(&clients, &stream, vec![7; 150 * 1024]).await;
    put(&clients, &stream, vec![7; 1024 * 1024]).await;

    let full: Vec<_> = (0..34).map(|_| NewRecord::new("key", vec![7; 150 * 1024])).collect();
    let last = put_records(&clients, &stream, &full).await.unwrap().pop().unwrap();
    let error = put_records(&clients, &stream, &[NewRecord::new("key", vec![7; 1024 * 1024 + 1])]).await.unwrap_err();
    assert_eq!(error.to_string(), format!("failed to put records into `{stream}`"));

    let kept = emulator.trim_kinesis("orders", &last.shard, &last.sequence_number).await.unwrap();
    assert_eq!(kept, 38, "each accepted record is stored, and no other");
    emulator.shutdown().await;
}

#[tokio::test]
async fn trimming_forgets_up_to_and_including_the_number() {
    let (emulator, clients) = start().await;
    let stream = create_kinesis_stream(&clients, "orders", 2).await.unwrap();
    let records: Vec<_> = (0..10).map(|n| NewRecord::new("key", format!("{n}"))).collect();
    let placed = put_records(&clients, &stream, &records).await.unwrap();
    let shard = &placed[0].shard;
    let other = list_shards(&clients, &stream).await.unwrap().into_iter().find(|name| name != shard).unwrap();

    let trim = async |shard, index: usize| {
        emulator.trim_kinesis("orders", shard, &placed[index].sequence_number).await.unwrap()
    };
    assert_eq!(trim(&other, 9).await, 0, "the other shard's records are its own");
    assert_eq!(trim(shard, 3).await, 4);
    assert_eq!(trim(shard, 3).await, 0);
    assert_eq!(trim(shard, 9).await, 6);

    let foreign = records::ShardId::parse("shardId-00000001573689847184-864758bb").unwrap();
    assert!(emulator.trim_kinesis("orders", &foreign, &placed[0].sequence_number).await.is_err());
    emulator.shutdown().await;
}

#[tokio::test]
async fn items_of_all_ten_types_are_put_updated_and_deleted() {
    let (emulator, clients) = start().await;
    let stream = create_table(&clients, "orders", "id").await.unwrap();
    assert_eq!((stream.kind(), stream.name()), (StreamKind::DynamoDb, "orders"));
    assert_eq!(list_shards(&clients, &stream).await.unwrap().len(), 1);

    let all = item([
        ("id", text("1")),
        ("n", AttributeValue::N("12345678901234567890123456789012345678".to_owned())),
        ("b", AttributeValue::B(vec![0, 255])),
        ("bool", AttributeValue::Bool(true)),
        ("null", AttributeValue::Null(true)),
        ("m", AttributeValue::M(item([("deep", AttributeValue::M(Item::new()))]))),
        ("l", AttributeValue::L(vec![text("x"), AttributeValue::N("1".to_owned())])),
        ("ss", AttributeValue::StringSet(vec!["a".to_owned(), "b".to_owned()])),
        ("ns", AttributeValue::NumberSet(vec!["1".to_owned(), "2.5".to_owned()])),
        ("bs", AttributeValue::BinarySet(vec![vec![1], vec![2]])),
    ]);
    put_item(&clients, "orders", &all).await.unwrap();
    let key = item([("id", text("1"))]);
    // `status` is one of DynamoDB's reserved words.
    update_item(&clients, "orders", &key, &item([("status", text("paid")), ("n", text("2"))])).await.unwrap();
    delete_item(&clients, "orders", &key).await.unwrap();
    let error = put_item(&clients, "orders", &item([("other", text("1"))])).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to put an item into `orders`");
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_message_arrives_with_its_attributes_and_stays_hidden_until_deleted() {
    let (emulator, clients) = start().await;
    let queue = queue(&clients, "failures", Duration::from_secs(30), None).await;
    assert_eq!(queue.url, format!("{}/000000000000/failures", emulator.endpoints().sqs));
    assert_eq!(queue.arn, "arn:aws:sqs:us-east-1:000000000000:failures");

    let attributes = MessageAttributes::from([
        ("kind".to_owned(), MessageAttribute::String("é".to_owned())),
        ("size".to_owned(), MessageAttribute::Number("12".to_owned())),
        ("key".to_owned(), MessageAttribute::Binary(vec![0, 255])),
    ]);
    let id = send(&clients, &queue.url, "hello", &attributes).await.unwrap();
    let received = receive(&clients, &queue.url, 10, Duration::from_secs(1)).await.unwrap().remove(0);
    assert_eq!((&received.message_id, received.body.as_str(), received.receive_count), (&id, "hello", 1));
    assert_eq!(received.md5_of_body, "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(received.attributes, attributes);
    assert!(received.sent_at.0 > 0);

    assert_eq!(count(&clients, &queue.url).await.unwrap(), MessageCounts { in_flight: 1, ..Default::default() });
    assert_eq!(receive(&clients, &queue.url, 10, Duration::ZERO).await.unwrap(), []);
    assert_eq!(delete_batch(&clients, &queue.url, &[&received.receipt_handle]).await.unwrap(), []);
    assert_eq!(count(&clients, &queue.url).await.unwrap(), MessageCounts::default());
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_long_poll_ends_when_a_message_comes() {
    let (emulator, clients) = start().await;
    let queue = queue(&clients, "failures", Duration::from_secs(30), None).await;
    let started = Instant::now();
    let none = MessageAttributes::new();
    let (received, sent) = tokio::join!(receive(&clients, &queue.url, 10, Duration::from_secs(20)), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        send(&clients, &queue.url, "late", &none).await
    });
    assert_eq!(received.unwrap()[0].message_id, sent.unwrap());
    assert!(started.elapsed() < Duration::from_secs(5));
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue() {
    let (emulator, clients) = start().await;
    let dead = queue(&clients, "dead", Duration::from_secs(30), None).await;
    let redrive = Redrive { dead_letter_arn: dead.arn.clone(), max_receive_count: 2 };
    let source = queue(&clients, "source", Duration::from_secs(1), Some(redrive)).await;
    let id = send(&clients, &source.url, "poison", &MessageAttributes::new()).await.unwrap();

    for receive_count in 1..=2 {
        let messages = receive(&clients, &source.url, 10, Duration::from_secs(5)).await.unwrap();
        assert_eq!((messages[0].receive_count, messages.len()), (receive_count, 1));
    }
    assert_eq!(receive(&clients, &source.url, 10, Duration::from_secs(2)).await.unwrap(), []);
    let redriven = receive(&clients, &dead.url, 10, Duration::from_secs(5)).await.unwrap();
    assert_eq!((&redriven[0].message_id, redriven[0].body.as_str()), (&id, "poison"));
    assert_eq!(count(&clients, &source.url).await.unwrap(), MessageCounts::default());
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_body_of_a_quarter_mebibyte_is_the_largest() {
    let (emulator, clients) = start().await;
    let queue = queue(&clients, "failures", Duration::from_secs(30), None).await;
    let send = async |bytes| send(&clients, &queue.url, "x".repeat(bytes), &MessageAttributes::new()).await;
    send(262_144).await.unwrap();
    let error = send(262_145).await.unwrap_err();
    assert_eq!(error.to_string(), format!("failed to send a message to `{}`", queue.url));
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    emulator.shutdown().await;
}

#[tokio::test]
async fn failures_name_operation_and_object_and_carry_the_code() {
    let (emulator, clients) = start().await;
    let url = format!("{}/000000000000/missing", emulator.endpoints().sqs);
    let error = receive(&clients, &url, 10, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.to_string(), format!("failed to receive messages from `{url}`"));
    assert_eq!(error.code(), Some("AWS.SimpleQueueService.NonExistentQueue"));

    create_kinesis_stream(&clients, "orders", 1).await.unwrap();
    let error = create_kinesis_stream(&clients, "orders", 1).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to create kinesis stream `orders`");
    emulator.shutdown().await;
}

#[tokio::test]
async fn two_emulators_share_nothing_and_shutdown_frees_their_ports() {
    let ((one, clients), (two, others)) = tokio::join!(start(), start());
    create_kinesis_stream(&clients, "orders", 1).await.unwrap();
    create_kinesis_stream(&others, "orders", 2).await.unwrap();
    create_table(&clients, "orders", "id").await.unwrap();
    queue(&clients, "orders", Duration::from_secs(30), None).await;
    queue(&others, "orders", Duration::from_secs(30), None).await;
    let ports = |emulator: &Emulator| {
        let endpoints = emulator.endpoints();
        [&endpoints.kinesis, &endpoints.dynamodb, &endpoints.sqs, &endpoints.s3].map(|url| url.replace("http://", ""))
    };
    let (freed, busy) = (ports(&one), ports(&two));
    // A poll under way must not hold the shutdown up.
    let url = format!("{}/000000000000/orders", one.endpoints().sqs);
    let poll = tokio::spawn(async move { receive(&clients, &url, 10, Duration::from_secs(20)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;

    let started = Instant::now();
    one.shutdown().await;
    assert!(started.elapsed() < Duration::from_secs(2), "the shutdown took {:?}", started.elapsed());
    for address in &freed {
        TcpListener::bind(address).await.unwrap_or_else(|error| panic!("{address} is not free: {error}"));
    }
    for address in &busy {
        assert!(TcpListener::bind(address).await.is_err(), "{address} was freed with another emulator's");
    }
    poll.abort();
    drop(two);
}

/// What the library does not let a test do in its own process: it would have to set environment variables.
#[tokio::test]
async fn clients_find_the_services_by_the_environment_variables() {
    let emulator = Emulator::start().await.unwrap();
    let child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_child_with_the_environment_of_the_emulator"])
        .env(IN_A_CHILD, "yes")
        .envs(emulator.endpoints().environment())
        .output()
        .await
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
    emulator.shutdown().await;
}

/// Set for the child only: the test below has nothing to do in a run of its own.
const IN_A_CHILD: &str = "EMULATOR_TEST_IN_A_CHILD";

#[tokio::test]
async fn in_a_child_with_the_environment_of_the_emulator() {
    if std::env::var_os(IN_A_CHILD).is_none() {
        return;
    }
    let clients = Clients::from_env().await;
    let stream = create_kinesis_stream(&clients, "orders", 1).await.unwrap();
    put(&clients, &stream, "x").await;
    let stream = create_table(&clients, "orders", "id").await.unwrap();
    assert_eq!(list_shards(&clients, &stream).await.unwrap().len(), 1);
    let queue = queue(&clients, "failures", Duration::from_secs(30), None).await;
    send(&clients, &queue.url, "x", &MessageAttributes::new()).await.unwrap();
}
