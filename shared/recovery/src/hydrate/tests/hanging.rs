//! What hangs or fails does not take the time of others, and proves nothing.

use super::*;
use crate::faults::Faulty;
use crate::{ObjectRef, Page, Position, ReadError, ServiceError, ShardIterator};
use records::ShardId;
use std::future::pending;

/// What has a name that ends with `hangs` never answers, and what ends with `fails` answers an error.
struct ByName<T>(T);

impl StreamReader for ByName<MemoryStream> {
    async fn iterator(&self, stream: &StreamArn, shard: &ShardId, at: &Position) -> Result<ShardIterator, ReadError> {
        match shard.as_str() {
            "hangs" => Ok(ShardIterator("hangs".to_owned())),
            _ => self.0.iterator(stream, shard, at).await,
        }
    }

    async fn page(&self, stream: &StreamArn, iterator: &ShardIterator, limit: u32) -> Result<Page, ReadError> {
        if iterator.0 == "hangs" {
            pending::<()>().await;
        }
        self.0.page(stream, iterator, limit).await
    }

    async fn summary(&self, stream: &StreamArn) -> Result<StreamSummary, ReadError> {
        if stream.as_str().ends_with("hangs") {
            pending::<()>().await;
        }
        if stream.as_str().ends_with("fails") {
            return Err(ReadError { kind: ReadErrorKind::Other, message: "AccessDenied".to_owned() });
        }
        self.0.summary(stream).await
    }
}

impl Surroundings for ByName<MemorySurroundings> {
    async fn object(&self, object: &ObjectRef) -> Result<String, ServiceError> {
        if object.key.ends_with("hangs") {
            pending::<()>().await;
        }
        self.0.object(object).await
    }

    async fn filter_patterns(&self, function: &str, stream: &StreamArn) -> Result<Option<Vec<String>>, ServiceError> {
        if function.ends_with("hangs") {
            pending::<()>().await;
        }
        self.0.filter_patterns(function, stream).await
    }

    async fn send(&self, queue_arn: &str, body: &str) -> Result<(), ServiceError> {
        self.0.send(queue_arn, body).await
    }
}

fn of_stream(name: &str, mut message: Value) -> Value {
    message["KinesisBatchInfo"]["streamArn"] = json!(format!("arn:aws:kinesis:us-east-1:111122223333:stream/{name}"));
    message
}

/// The outcomes of messages with half a minute for their reading, on a stream whose pages hold one record.
async fn outcomes(numbers: &[&str], bodies: &[Value]) -> Vec<Outcome> {
    let reader = ByName(MemoryStream::with(numbers).page_size(1));
    let surroundings = ByName(MemorySurroundings::default());
    // As over a network: what is written is not there at once.
    let hydrator = Hydrator::new(reader, Faulty::new(MemorySink::default()), surroundings, settings());
    outcomes_of(&hydrator, bodies, 30).await
}

async fn outcomes_of<R: StreamReader, S: RangeSink, A: Surroundings>(
    hydrator: &Hydrator<R, S, A>,
    bodies: &[Value],
    read_seconds: u64,
) -> Vec<Outcome> {
    let bodies: Vec<String> = bodies.iter().map(Value::to_string).collect();
    let limit = TimeLimit { read_until: Instant::now() + Duration::from_secs(read_seconds), ..within(600) };
    let queue = queue(&bodies.iter().map(String::as_str).collect::<Vec<_>>());
    let messages = hydrator.hydrate(&queue, limit).await.messages;
    messages.into_iter().flat_map(|message| message.parts).map(|part| part.outcome).collect()
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_hangs_takes_no_time_of_another() {
    let numbers = ["1", "2", "3", "4", "5"];
    let mut hanging = message("1", "5", 5);
    hanging["KinesisBatchInfo"]["shardId"] = json!("hangs");
    let [hung, other] = &outcomes(&numbers, &[hanging, message("1", "5", 5)]).await[..] else { panic!("two") };
    assert!(matches!(hung, Outcome::Stays(HydrateError::Deadline)), "{hung:?}");
    assert!(matches!(other, Outcome::Done(Account { recovered: 5, .. })), "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_hangs_leaves_the_streams_half_of_the_time() {
    let notification = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "failed"}, "object": {"key": "hangs", "size": 10}}}]});
    let [hung, other] = &outcomes(&["1", "2"], &[notification, message("1", "2", 2)]).await[..] else { panic!("two") };
    assert!(matches!(hung, Outcome::Stays(HydrateError::Deadline)), "{hung:?}");
    assert!(matches!(other, Outcome::Done(_)), "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn a_summary_that_hangs_keeps_neither_its_stream_nor_another() {
    let bodies = [of_stream("hangs", message("1", "2", 2)), message("1", "2", 2)];
    let outcomes = outcomes(&["1", "2"], &bodies).await;
    assert!(matches!(outcomes[..], [Outcome::Done(_), Outcome::Done(_)]), "{outcomes:?}");
}

/// Its records stay candidates.
#[tokio::test(start_paused = true)]
async fn filters_that_hang_keep_neither_their_range_nor_another_of_the_shard() {
    let mut hanging = message("1", "3", 2);
    hanging["requestContext"]["functionArn"] = json!(format!("{FUNCTION}-hangs"));
    let outcomes = outcomes(&["1", "2", "3", "4", "5"], &[hanging, message("4", "5", 2)]).await;
    let [Outcome::Done(first), Outcome::Done(second)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((first.recovered, first.candidates), (2, 1));
    assert_eq!((second.recovered, second.candidates), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn where_the_retention_is_not_known_nothing_is_proven_lost() {
    let reader = ByName(MemoryStream::with(&["1", "2"]).trim(2));
    let hydrator = Hydrator::new(reader, MemorySink::default(), MemorySurroundings::default(), settings());
    let body = arrived(message("1", "2", 2), "2020-01-01T00:00:00.000Z");
    let bodies = ["orders", "fails", "hangs"].map(|stream| of_stream(stream, body.clone()));
    let outcomes = outcomes_of(&hydrator, &bodies, 30).await;
    assert!(
        matches!(outcomes[0], Outcome::Done(Account { lost: 2, .. })),
        "past what it is known to keep: {outcomes:?}"
    );
    for outcome in &outcomes[1..] {
        assert!(matches!(outcome, Outcome::Stays(HydrateError::Unproven { .. })), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_stays_throttled_does_not_cost_what_was_read() {
    let mut reader = Faulty::new(MemoryStream::with(&["1", "2", "3", "4", "5", "6", "7", "8"]).page_size(2));
    // After the iterator and three pages.
    reader.reads = (4..1_000).map(|call| (call, ReadErrorKind::Throttled)).collect();
    let hydrator = Hydrator::new(reader, MemorySink::default(), MemorySurroundings::default(), settings());
    // Long enough to give up asking before the time is over.
    let outcomes = outcomes_of(&hydrator, &[lasting(message("1", "8", 8))], 300).await;
    assert!(matches!(outcomes[..], [Outcome::HandedOn(Account { recovered: 6, .. })]), "{outcomes:?}");
    assert_eq!((hydrator.sink.entries().len(), hydrator.surroundings.sent().len()), (6, 1));
}
