//! Prints what the crate's docs claim: `cargo bench -p emulator`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for the person who runs it")]

use aws_edge::Clients;
use aws_edge::produce::{NewRecord, put_item, put_records};
use aws_edge::provision::{QueueSettings, create_kinesis_stream, create_queue, create_table};
use aws_edge::queue::{MessageAttributes, delete_batch, receive, send};
use emulator::{Emulator, REGION};
use futures_util::{StreamExt, TryStreamExt, stream};
use records::{AttributeValue, Item};
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() {
    let emulator = Emulator::start().await.unwrap();
    let endpoints = emulator.endpoints();
    let clients = Clients::for_endpoints(&endpoints.kinesis, &endpoints.dynamodb, &endpoints.sqs, REGION);
    let stream = create_kinesis_stream(&clients, "orders", 4).await.unwrap();
    create_table(&clients, "orders", "id").await.unwrap();
    let queue = create_queue(&clients, "failures", &QueueSettings::default()).await.unwrap();

    let started = Instant::now();
    for call in 0..44 {
        let records: Vec<_> = (0..500).map(|n| NewRecord::new(format!("key-{call}-{n}"), vec![b'x'; 500])).collect();
        put_records(&clients, &stream, &records).await.unwrap();
    }
    println!("22,000 kinesis records of 500 bytes: {:?}", started.elapsed());

    let started = Instant::now();
    let items = (0..2000).map(|n| {
        Item::from([
            ("id".to_owned(), AttributeValue::S(n.to_string())),
            ("payload".to_owned(), AttributeValue::S("x".repeat(400))),
        ])
    });
    let puts = items.map(|item| {
        let clients = &clients;
        async move { put_item(clients, "orders", &item).await }
    });
    stream::iter(puts).buffer_unordered(8).try_collect::<()>().await.unwrap();
    println!("2,000 dynamodb items, 8 at once: {:?}", started.elapsed());

    let started = Instant::now();
    let none = MessageAttributes::new();
    let sends = (0..2000).map(|_| send(&clients, &queue.url, "x".repeat(700), &none));
    stream::iter(sends).buffer_unordered(8).try_for_each(async |_| Ok(())).await.unwrap();
    println!("2,000 sqs messages sent one by one, 8 at once: {:?}", started.elapsed());

    let started = Instant::now();
    let mut deleted = 0;
    while deleted < 2000 {
        let messages = receive(&clients, &queue.url, 10, Duration::from_secs(1)).await.unwrap();
        let handles: Vec<_> = messages.iter().map(|message| message.receipt_handle.as_str()).collect();
        assert_eq!(delete_batch(&clients, &queue.url, &handles).await.unwrap(), []);
        deleted += handles.len();
    }
    println!("2,000 sqs messages received and deleted by ten: {:?}", started.elapsed());
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap());
    emulator.shutdown().await;
}
