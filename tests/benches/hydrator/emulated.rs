//! The emulator in a process of its own, with its streams filled there.

use aws_edge::Clients;
use aws_edge::produce::{NewRecord, put_records};
use aws_edge::provision::create_kinesis_stream;
use emulator::{Emulator, REGION};
use jiff::Timestamp;
use records::{SequenceNumber, ShardId, StreamArn};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The argument that makes this program the emulator.
pub(crate) const SERVE: &str = "serve-emulator";

/// Bytes in each record of the stream of large ones.
pub(crate) const LARGE_BYTES: usize = 1_000;

const LARGE_RECORDS: usize = 10_000;
const SMALL_RECORDS: usize = 100_000;
const SMALL_BYTES: usize = 20;

/// A stream of one shard.
pub(crate) struct Filled {
    pub arn: StreamArn,
    pub shard: ShardId,
    /// Of its records, in order.
    pub numbers: Vec<SequenceNumber>,
}

/// The other process, which ends with this value.
pub(crate) struct Emulated {
    kinesis: String,
    pub large: Filled,
    pub small: Filled,
    child: Child,
    /// Closed, it ends the child.
    stdin: Option<ChildStdin>,
}

impl Emulated {
    pub fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.arg(SERVE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let stdin = child.stdin.take();
        let kinesis = said["kinesis"].as_str().unwrap().to_owned();
        Self { kinesis, large: Filled::read(&said["large"]), small: Filled::read(&said["small"]), child, stdin }
    }

    pub fn clients(&self) -> Clients {
        Clients::for_endpoints(&self.kinesis, &self.kinesis, &self.kinesis, REGION)
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.wait();
    }
}

/// Runs the emulator until standard input ends.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
pub(crate) async fn serve() {
    let emulator = Emulator::start().await.unwrap();
    let endpoints = emulator.endpoints();
    let clients = Clients::for_endpoints(&endpoints.kinesis, &endpoints.dynamodb, &endpoints.sqs, REGION);
    let large = fill(&clients, "large", LARGE_RECORDS, LARGE_BYTES).await;
    let small = fill(&clients, "small", SMALL_RECORDS, SMALL_BYTES).await;
    println!("{}", json!({"kinesis": endpoints.kinesis, "large": large, "small": small}));
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    emulator.shutdown().await;
}

async fn fill(clients: &Clients, name: &str, records: usize, bytes: usize) -> Value {
    const AT_ONCE: usize = 500;
    let stream = create_kinesis_stream(clients, name, 1).await.unwrap();
    let mut placed = Vec::new();
    while placed.len() < records {
        let record = |n: usize| NewRecord::new(format!("key-{}", n % 100), vec![b'x'; bytes]);
        let new: Vec<_> = (placed.len()..records.min(placed.len() + AT_ONCE)).map(record).collect();
        placed.extend(put_records(clients, &stream, &new).await.unwrap());
    }
    let numbers: Vec<_> = placed.iter().map(|place| place.sequence_number.as_str()).collect();
    json!({"arn": stream.as_str(), "shard": placed[0].shard.as_str(), "numbers": numbers})
}

impl Filled {
    fn read(said: &Value) -> Self {
        let text = |name: &str| said[name].as_str().unwrap();
        let numbers = said["numbers"].as_array().unwrap().iter();
        Self {
            arn: StreamArn::parse(text("arn")).unwrap(),
            shard: ShardId::parse(text("shard")).unwrap(),
            numbers: numbers.map(|number| SequenceNumber::parse(number.as_str().unwrap()).unwrap()).collect(),
        }
    }

    /// What Lambda says of a batch that it gave up just now: first and last of its records, and how many it had.
    pub fn message(&self, first: usize, last: usize, batch_size: usize) -> String {
        let now = Timestamp::now().to_string();
        json!({
            "requestContext": {"condition": "RetryAttemptsExhausted"}, "version": "1.0", "timestamp": now,
            "KinesisBatchInfo": {
                "shardId": self.shard.as_str(), "streamArn": self.arn.as_str(), "batchSize": batch_size,
                "startSequenceNumber": self.numbers[first], "endSequenceNumber": self.numbers[last],
                "approximateArrivalOfFirstRecord": now, "approximateArrivalOfLastRecord": now,
            },
        })
        .to_string()
    }
}
