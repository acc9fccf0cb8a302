//! The emulated services that a hydrator works on, and the messages that it is given.

use aws_edge::produce::{NewRecord, Placed, put_records};
use aws_edge::provision::{Queue, QueueSettings, create_bucket, create_kinesis_stream, create_queue, list_objects};
use aws_edge::queue::{ReceivedMessage, delete_batch, receive};
use aws_edge::{AwsSurroundings, Clients};
use emulator::{Emulator, REGION};
use jiff::Timestamp;
use records::StreamArn;
use recovery::{ObjectRef, Surroundings};
use scenarios::{TestFunction, hydrator};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// The bucket that every hydrator here may write to.
pub(crate) const BUCKET: &str = "archive";

/// What the emulated SQS takes in one message, and in one batch of them.
const SQS_MESSAGE_BYTES_MAX: &str = "262144";

/// Where another Kinesis is, as the SDK's own variable says: the scenarios then run on it, with the rest emulated.
const OTHER_KINESIS: &str = "AWS_ENDPOINT_URL_KINESIS";

pub(crate) struct Services {
    pub emulator: Emulator,
    pub clients: Clients,
    kinesis: String,
}

impl Services {
    /// Everything, with nothing in it but an empty bucket.
    pub async fn start() -> Self {
        let emulator = Emulator::start().await.unwrap();
        let endpoints = emulator.endpoints();
        let kinesis = std::env::var(OTHER_KINESIS).unwrap_or_else(|_| endpoints.kinesis.clone());
        let clients = Clients::for_endpoints(&kinesis, &endpoints.dynamodb, &endpoints.sqs, REGION);
        let clients = clients.with_s3(&endpoints.s3);
        create_bucket(&clients, BUCKET).await.unwrap();
        Self { emulator, clients, kinesis }
    }

    /// Whether the streams are the emulator's, which alone does `what` is asked for. Says so where they are not.
    pub fn is_emulated(&self, what: &str) -> bool {
        let is_emulated = self.kinesis == self.emulator.endpoints().kinesis;
        if !is_emulated {
            eprintln!("skipped: {} does not {what}", self.kinesis);
        }
        is_emulated
    }

    /// A name that no stream has: another Kinesis outlives the test.
    pub fn stream_name(&self) -> String {
        static STREAMS: AtomicU32 = AtomicU32::new(0);
        format!("orders-{}-{}", std::process::id(), STREAMS.fetch_add(1, Relaxed))
    }

    /// The same, with a stream of one shard.
    pub async fn with_stream() -> (Self, StreamArn) {
        let services = Self::start().await;
        let stream = create_kinesis_stream(&services.clients, &services.stream_name(), 1).await.unwrap();
        (services, stream)
    }

    /// A hydrator with this sink, whose reads never wait; the last of two variables of one name holds.
    pub async fn hydrator(&self, sink: &str, variables: &[(&str, &str)]) -> TestFunction {
        let usual = [("SINK", sink), ("SINK_BATCH_MAX_BYTES", SQS_MESSAGE_BYTES_MAX), ("READS_PER_SECOND", "1000")];
        let variables = usual.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let kinesis = (OTHER_KINESIS.to_owned(), self.kinesis.clone());
        let mut environment = self.emulator.endpoints().environment();
        environment.push(kinesis);
        hydrator([environment, variables.collect()].concat()).await.unwrap()
    }

    pub async fn queue(&self, name: &str) -> Queue {
        create_queue(&self.clients, name, &QueueSettings::default()).await.unwrap()
    }

    /// Puts records of one key.
    pub async fn put(&self, stream: &StreamArn, data: &[&[u8]]) -> Vec<Placed> {
        let records: Vec<_> = data.iter().map(|data| NewRecord::new("key", *data)).collect();
        put_records(&self.clients, stream, &records).await.unwrap()
    }

    /// Takes all messages out of a queue.
    pub async fn messages(&self, queue: &Queue) -> Vec<ReceivedMessage> {
        let mut found = Vec::new();
        loop {
            let messages = receive(&self.clients, &queue.url, 10, Duration::ZERO).await.unwrap();
            if messages.is_empty() {
                return found;
            }
            let handles: Vec<_> = messages.iter().map(|message| message.receipt_handle.as_str()).collect();
            assert_eq!(delete_batch(&self.clients, &queue.url, &handles).await.unwrap(), []);
            found.extend(messages);
        }
    }

    /// What the messages of a queue say, taken out.
    pub async fn bodies(&self, queue: &Queue) -> Vec<Value> {
        let messages = self.messages(queue).await;
        messages.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
    }

    /// The text of an object in the bucket.
    pub async fn object(&self, key: &str) -> String {
        let object = ObjectRef { bucket: BUCKET.to_owned(), key: key.to_owned(), version_id: None, size_bytes: None };
        AwsSurroundings::new(&self.clients).object(&object).await.unwrap()
    }

    /// The lines of every object in the bucket, by key.
    pub async fn objects(&self) -> BTreeMap<String, Vec<Value>> {
        let mut objects = BTreeMap::new();
        for key in list_objects(&self.clients, BUCKET).await.unwrap() {
            let text = self.object(&key).await;
            assert!(text.ends_with('\n'), "the last line of {key} is one as well");
            objects.insert(key, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect());
        }
        objects
    }
}

/// What Lambda says of a batch that it gave up just now.
pub(crate) fn message(stream: &StreamArn, first: &Placed, last: &Placed, batch_size: usize) -> String {
    let now = Timestamp::now().to_string();
    message_of(stream, first, last, batch_size, &now)
}

/// What Lambda says of a batch that arrived at that time.
pub(crate) fn message_of(
    stream: &StreamArn,
    first: &Placed,
    last: &Placed,
    batch_size: usize,
    arrived: &str,
) -> String {
    json!({
        "requestContext": {
            "requestId": "3f1c", "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:orders",
            "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": null},
        "version": "1.0", "timestamp": arrived,
        "KinesisBatchInfo": {
            "shardId": first.shard.as_str(),
            "startSequenceNumber": first.sequence_number, "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": arrived, "approximateArrivalOfLastRecord": arrived,
            "batchSize": batch_size, "streamArn": stream.as_str(),
        },
    })
    .to_string()
}

/// The response that keeps these messages on their queue.
pub(crate) fn staying(ids: &[&str]) -> Value {
    json!({"batchItemFailures": ids.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()})
}

/// The positions of recovered records.
pub(crate) fn sequence_numbers(recovered: &[Value]) -> Vec<&str> {
    recovered.iter().map(|record| record["source"]["sequenceNumber"].as_str().unwrap()).collect()
}
