//! Messages from their texts to their ends, on a stream, a sink and surroundings in memory.

mod faulty;
mod hanging;
mod wide;

use super::*;
use crate::memory::{MemorySink, MemoryStream, MemorySurroundings};
use crate::{Account, LossReason, ReadErrorKind, SinkError, Verdict};
use records::EpochMillis;
use serde_json::{Value, json};
use tokio::time::Instant;

type Twins = Hydrator<MemoryStream, MemorySink, MemorySurroundings>;

const STREAM: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:orders";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:on-failure";

fn message(start: &str, end: &str, batch_size: u64) -> Value {
    json!({
        "requestContext": {"condition": "RetryAttemptsExhausted", "requestId": "r-1", "functionArn": FUNCTION},
        "KinesisBatchInfo": {
            "shardId": "shardId-0", "startSequenceNumber": start, "endSequenceNumber": end, "batchSize": batch_size,
            "streamArn": STREAM,
        },
    })
}

fn arrived(mut message: Value, moment: &str) -> Value {
    message["KinesisBatchInfo"]["approximateArrivalOfFirstRecord"] = json!(moment);
    message["KinesisBatchInfo"]["approximateArrivalOfLastRecord"] = json!(moment);
    message
}

/// Of records that expire long after the test.
fn lasting(message: Value) -> Value {
    arrived(message, "2999-01-01T00:00:00.000Z")
}

fn queue(bodies: &[&str]) -> Vec<QueueMessage> {
    let message = |(index, body): (usize, &&str)| QueueMessage {
        message_id: format!("m-{index}"),
        body: (*body).to_owned(),
        queue_arn: QUEUE.to_owned(),
    };
    bodies.iter().enumerate().map(message).collect()
}

fn settings() -> Settings {
    let bounds = Bounds { empty_pages: 20, empty_pages_at_tip: 3, restarts: 3, pages: 1_000 };
    Settings { bounds, ..Settings::default() }
}

fn hydrator(reader: MemoryStream) -> Twins {
    Hydrator::new(reader, MemorySink::default(), MemorySurroundings::default(), settings())
}

fn within(seconds: u64) -> TimeLimit {
    TimeLimit::until(Instant::now() + Duration::from_secs(seconds))
}

/// The one message's outcome.
async fn outcome(hydrator: &Twins, body: &Value) -> Outcome {
    let mut hydration = hydrator.hydrate(&queue(&[&body.to_string()]), within(600)).await;
    hydration.messages.remove(0).parts.remove(0).outcome
}

fn account(outcome: Outcome) -> Account {
    match outcome {
        Outcome::Done(account) => account,
        other => panic!("expected a message that is done, got {other:?}"),
    }
}

fn stays(outcome: Outcome) -> HydrateError {
    match outcome {
        Outcome::Stays(error) => error,
        other => panic!("expected a message that stays, got {other:?}"),
    }
}

/// What is in the sink: position or bounds, and a part of the body.
fn in_sink(sink: &MemorySink, pointer: &str) -> Vec<(String, Value)> {
    let entries = sink.entries().into_iter();
    let position = |id: &str| id.rsplit('/').next().map(str::to_owned).unwrap();
    let field = |body: &str| serde_json::from_str::<Value>(body).unwrap().pointer(pointer).cloned().unwrap_or_default();
    entries.map(|entry| (position(&entry.id), field(&entry.body))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, Value)> {
    expected.iter().map(|(position, value)| ((*position).to_owned(), json!(value))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_whole_range_is_in_the_sink_before_its_message_may_go() {
    let hydrator = hydrator(MemoryStream::with(&["1", "2", "3"]));
    let done = account(outcome(&hydrator, &message("1", "2", 2)).await);
    let expected = Account { verdict: Some(Verdict::Complete), delivered: 2, recovered: 2, lost: 0, candidates: 0 };
    assert_eq!(done, expected);
    assert_eq!(in_sink(&hydrator.sink, "/verdict"), pairs(&[("1", "complete"), ("2", "complete")]));
    assert_eq!(in_sink(&hydrator.sink, "/certainty"), pairs(&[("1", "certain"), ("2", "certain")]));
    assert_eq!(in_sink(&hydrator.sink, "/failure/requestId")[0].1, "r-1");
    assert_eq!(in_sink(&hydrator.sink, "/event/eventID")[1].1, "shardId-0:2");
}

#[tokio::test(start_paused = true)]
async fn between_the_ends_of_a_superset_records_are_candidates() {
    let hydrator = hydrator(MemoryStream::with(&["1", "2", "3"]));
    let done = account(outcome(&hydrator, &message("1", "3", 2)).await);
    assert_eq!((done.verdict, done.recovered, done.candidates), (Some(Verdict::Superset), 2, 1));
    let marks = [("1", "certain"), ("2", "candidate"), ("3", "certain")];
    assert_eq!(in_sink(&hydrator.sink, "/certainty"), pairs(&marks));
}

/// The twin's records all have the key `key`.
#[tokio::test(start_paused = true)]
async fn filters_tell_the_batch_from_what_lies_between_only_where_they_fit() {
    let numbers = ["1", "2", "3", "4"];
    let every_record = r#"{"partitionKey":["key"]}"#;
    let even = r#"{"sequenceNumber":["1","2","4"]}"#;
    for (patterns, batch_size, marks) in [
        (None, 3, ["certain", "candidate", "candidate", "certain"]),
        (Some(even), 3, ["certain", "certain", "candidate", "certain"]),
        (Some(even), 2, ["certain", "candidate", "candidate", "certain"]),
        (Some(every_record), 3, ["certain", "candidate", "candidate", "certain"]),
        (Some("no pattern"), 3, ["certain", "candidate", "candidate", "certain"]),
    ] {
        let surroundings = patterns.map_or_else(MemorySurroundings::default, |pattern| {
            MemorySurroundings::default().with_patterns(&[pattern])
        });
        let hydrator = Hydrator::new(MemoryStream::with(&numbers), MemorySink::default(), surroundings, settings());
        for _ in 0..2 {
            account(outcome(&hydrator, &message("1", "4", batch_size)).await);
        }
        let found: Vec<Value> = in_sink(&hydrator.sink, "/certainty").into_iter().map(|(_, mark)| mark).collect();
        assert_eq!(found, [marks, marks].concat(), "{patterns:?} and a batch of {batch_size}");
        assert_eq!(hydrator.surroundings.lookups(), [(FUNCTION.to_owned(), STREAM.to_owned())], "asked once");
    }
}

#[tokio::test(start_paused = true)]
async fn filters_that_are_given_are_not_looked_up() {
    let given = FilterCriteria::from_patterns([r#"{"sequenceNumber":["1","3"]}"#]).unwrap();
    let settings = Settings { filter_criteria: Some(given), ..settings() };
    let stream = MemoryStream::with(&["1", "2", "3", "4"]);
    let hydrator = Hydrator::new(stream, MemorySink::default(), MemorySurroundings::default(), settings);
    outcome(&hydrator, &message("1", "3", 2)).await;
    assert_eq!(in_sink(&hydrator.sink, "/certainty")[1].1, "candidate");
    assert!(hydrator.surroundings.lookups().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_is_reported_in_the_sink() {
    let hydrator = hydrator(MemoryStream::with(&["1", "2", "3", "4"]).trim(2));
    let done = account(outcome(&hydrator, &message("1", "3", 3)).await);
    let expected = Account { verdict: Some(Verdict::Partial), delivered: 3, recovered: 1, lost: 2, candidates: 0 };
    assert_eq!(done, expected);
    let report: Value = serde_json::from_str(&hydrator.sink.entries()[1].body).unwrap();
    assert_eq!((&report["type"], &report["count"], &report["reason"]), (&json!("loss"), &json!(2), &json!("trimmed")));
    assert_eq!((&report["startSequenceNumber"], &report["endSequenceNumber"]), (&json!("1"), &json!("3")));
    assert_eq!(report["message"]["KinesisBatchInfo"]["batchSize"], 3);
}

#[tokio::test(start_paused = true)]
async fn the_hint_that_nothing_is_left_proves_a_loss_only_past_the_retention() {
    let trimmed = || MemoryStream::with(&["1", "2"]).trim(2);
    let young = hydrator(trimmed());
    for body in [message("1", "2", 2), lasting(message("1", "2", 2))] {
        let error = stays(outcome(&young, &body).await);
        assert!(matches!(error, HydrateError::Unproven { .. }), "{error}");
    }
    assert!(young.sink.entries().is_empty());
    let old = hydrator(trimmed());
    let done = account(outcome(&old, &arrived(message("1", "2", 2), "2020-01-01T00:00:00.000Z")).await);
    assert_eq!((done.verdict, done.delivered, done.lost), (Some(Verdict::Expired), 2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_made_again_has_lost_what_arrived_before() {
    let foreign = || MemoryStream::with(&["1"]).failing(ReadErrorKind::ForeignPosition);
    let body = arrived(message("1", "1", 1), "2026-01-01T00:00:00.000Z");
    // Not known, and created before the record arrived: it is another shard's position, or a mistake.
    for stream in [foreign(), foreign().created(EpochMillis(1_700_000_000_000))] {
        let hydrator = hydrator(stream);
        let error = stays(outcome(&hydrator, &body).await);
        assert!(matches!(&error, HydrateError::WrongShard { .. }), "{error}");
        assert!(hydrator.sink.entries().is_empty());
    }
    let hydrator = hydrator(foreign().created(EpochMillis(1_800_000_000_000)));
    assert_eq!(account(outcome(&hydrator, &body).await).lost, 1);
    assert_eq!(in_sink(&hydrator.sink, "/reason"), [("1-1".to_owned(), json!(LossReason::Recreated))]);
}

#[tokio::test(start_paused = true)]
async fn a_record_too_large_for_the_sink_keeps_its_message_and_nothing_else() {
    let reader = MemoryStream::with(&["1", "2", "3", "4"]).trim(1);
    let hydrator = Hydrator::new(reader, MemorySink::refusing("/3"), MemorySurroundings::default(), settings());
    let error = stays(outcome(&hydrator, &message("1", "4", 4)).await);
    assert!(matches!(error, HydrateError::Sink(SinkError::TooLarge { .. })), "{error}");
    let positions: Vec<String> = in_sink(&hydrator.sink, "/type").into_iter().map(|(position, _)| position).collect();
    assert_eq!(positions, ["2", "4", "1-2"], "the loss is reported too");
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_fails_keeps_the_message() {
    let sink = MemorySink::failing();
    let hydrator = Hydrator::new(MemoryStream::with(&["1"]), sink, MemorySurroundings::default(), settings());
    assert!(matches!(stays(outcome(&hydrator, &message("1", "1", 1)).await), HydrateError::Sink(_)));
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_shard_are_read_together_and_equal_ones_once() {
    let hydrator = hydrator(MemoryStream::with(&["1", "2", "3", "4", "5"]));
    let mut other_function = message("2", "3", 2);
    other_function["requestContext"]["functionArn"] = json!(format!("{FUNCTION}-2"));
    let bodies =
        [message("4", "4", 1), message("2", "3", 2), message("2", "3", 2), other_function, json!("no message")];
    let bodies = bodies.map(|body| body.to_string());
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    let hydration = hydrator.hydrate(&queue(&bodies), within(60)).await;
    assert_eq!(hydrator.reader.calls(), (1, 1));
    let done: Vec<bool> = hydration.messages.iter().map(Hydrated::is_done).collect();
    assert_eq!(done, [true, true, true, true, false]);
    assert!(matches!(hydration.messages[2].parts[0].outcome, Outcome::Duplicate));
    let written = in_sink(&hydrator.sink, "/failure/functionArn");
    let of = |function: &str| written.iter().filter(|(_, arn)| arn == function).map(|(at, _)| at.as_str()).collect();
    let (first, second): (Vec<&str>, Vec<&str>) = (of(FUNCTION), of(&format!("{FUNCTION}-2")));
    assert_eq!((first, second), (vec!["2", "3", "4"], vec!["2", "3"]), "each function has its own");
    let totals = hydration.totals[&Some(STREAM.to_owned())];
    assert_eq!((totals.messages, totals.delivered, totals.recovered, totals.reads), (4, 5, 5, 1));
    assert_eq!(hydration.totals[&None].failed_messages, 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_the_first_to_expire_comes_first() {
    let body = |shard: &str, arrival: Option<&str>| {
        let mut body = message("1", "1", 1);
        body["KinesisBatchInfo"]["shardId"] = json!(shard);
        arrival.map_or(body.clone(), |arrival| arrived(body, arrival)).to_string()
    };
    let bodies = [
        body("late", Some("2026-01-02T00:00:00.000Z")),
        body("early", Some("2026-01-01T00:00:00.000Z")),
        body("unknown", None),
    ];
    let hydrator = hydrator(MemoryStream::with(&["1"]));
    let hydration = hydrator.hydrate(&queue(&bodies.each_ref().map(String::as_str)), within(60)).await;
    let shards: Vec<Value> = in_sink(&hydrator.sink, "/source/shardId").into_iter().map(|(_, shard)| shard).collect();
    assert_eq!(shards, ["unknown", "early", "late"]);
    assert_eq!(hydration.totals[&Some(STREAM.to_owned())].seconds_until_expiry, Some(0.0), "they are long past");
}

#[tokio::test(start_paused = true)]
async fn reads_leave_the_mapping_its_share() {
    let hydrator = hydrator(MemoryStream::with(&["1", "2", "3", "4", "5"]).page_size(1));
    let started = Instant::now();
    assert_eq!(account(outcome(&hydrator, &lasting(message("1", "5", 5))).await).recovered, 5);
    assert_eq!(started.elapsed(), Duration::from_secs(2), "five reads, two a second");
}

#[tokio::test(start_paused = true)]
async fn near_the_deadline_the_rest_is_handed_on_and_completes() {
    let stream = MemoryStream::with(&["1", "2", "3", "4", "5", "6"]).page_size(1);
    let hydrator = hydrator(stream);
    // Time for three reads, at 0, 0.5 and 1 s.
    let limit = TimeLimit { read_until: Instant::now() + Duration::from_millis(1_200), ..within(600) };
    let hydration = hydrator.hydrate(&queue(&[&lasting(message("1", "6", 6)).to_string()]), limit).await;
    assert!(hydration.messages[0].is_done());
    let Outcome::HandedOn(part) = &hydration.messages[0].parts[0].outcome else { panic!("{hydration:?}") };
    assert_eq!((part.verdict, part.delivered, part.recovered), (None, 3, 3));
    assert_eq!(in_sink(&hydrator.sink, "/verdict"), ["1", "2", "3"].map(|at| (at.to_owned(), Value::Null)));
    let [rest] = &hydrator.surroundings.sent()[..] else { panic!("one message for the rest") };
    let rest: Value = serde_json::from_str(rest).unwrap();
    assert_eq!(
        (&rest["KinesisBatchInfo"]["startSequenceNumber"], &rest["hydratorProgress"]["found"]),
        (&json!("3"), &json!(3))
    );
    let done = account(outcome(&hydrator, &rest).await);
    let expected = Account { verdict: Some(Verdict::Complete), delivered: 3, recovered: 3, lost: 0, candidates: 0 };
    assert_eq!(done, expected, "together they are the whole batch, and none is written twice");
    let positions: Vec<String> = in_sink(&hydrator.sink, "/type").into_iter().map(|(position, _)| position).collect();
    assert_eq!(positions, ["1", "2", "3", "4", "5", "6"]);
}

/// Takes half a second for each write.
struct SlowSink(MemorySink);

impl crate::Sink for SlowSink {
    async fn write(&self, entries: &[crate::SinkEntry]) -> Result<(), SinkError> {
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.0.write(entries).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_to_write_is_handed_on_as_well() {
    let numbers: Vec<String> = (1..=350).map(|n| n.to_string()).collect();
    let stream = MemoryStream::with(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
    let hydrator = Hydrator::new(stream, SlowSink(MemorySink::default()), MemorySurroundings::default(), settings());
    // A hundred a write: after two of them the time is over.
    let limit = TimeLimit { read_until: Instant::now() + Duration::from_millis(800), ..within(600) };
    let hydration = hydrator.hydrate(&queue(&[&lasting(message("1", "350", 350)).to_string()]), limit).await;
    let Outcome::HandedOn(part) = &hydration.messages[0].parts[0].outcome else { panic!("{hydration:?}") };
    assert_eq!((part.delivered, part.recovered), (200, 200));
    let [rest] = &hydrator.surroundings.sent()[..] else { panic!("one message for the rest") };
    let mut hydration = hydrator.hydrate(&queue(&[rest]), within(600)).await;
    let done = account(hydration.messages.remove(0).parts.remove(0).outcome);
    assert_eq!((done.verdict, done.delivered, done.recovered), (Some(Verdict::Complete), 150, 150));
    assert_eq!(hydrator.sink.0.entries().len(), 350, "none twice");
}

#[tokio::test(start_paused = true)]
async fn what_is_trimmed_before_the_rest_is_read_is_lost_and_counted_once() {
    let numbers = ["1", "2", "3", "4", "5", "6"];
    let hydrator = hydrator(MemoryStream::with(&numbers).trim(5));
    let mut rest = message("3", "6", 6);
    rest["hydratorProgress"] = json!({"after": "3", "startSequenceNumber": "1", "found": 2, "accounted": 3, "lost": 1});
    let done = account(outcome(&hydrator, &rest).await);
    assert_eq!((done.verdict, done.delivered, done.recovered, done.lost), (Some(Verdict::Partial), 3, 1, 2));
    assert_eq!(in_sink(&hydrator.sink, "/count")[1], ("3-6".to_owned(), json!(2)));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_handed_on_stays() {
    let surroundings = MemorySurroundings::default().refusing_to_send();
    let stream = MemoryStream::with(&["1", "2", "3"]).page_size(1);
    let hydrator = Hydrator::new(stream, MemorySink::default(), surroundings, settings());
    let limit = TimeLimit { read_until: Instant::now() + Duration::from_millis(700), ..within(600) };
    let hydration = hydrator.hydrate(&queue(&[&message("1", "3", 3).to_string()]), limit).await;
    assert!(matches!(hydration.messages[0].parts[0].outcome, Outcome::Stays(HydrateError::HandOn(_))));
    // And what was never begun.
    let limit = TimeLimit { read_until: Instant::now(), ..within(600) };
    let hydration = hydrator.hydrate(&queue(&[&message("1", "3", 3).to_string()]), limit).await;
    assert!(matches!(hydration.messages[0].parts[0].outcome, Outcome::Stays(HydrateError::Deadline)));
}

#[tokio::test(start_paused = true)]
async fn a_range_that_is_too_large_to_wait_for_its_verdict_is_written_on_the_way() {
    let numbers: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let stream = MemoryStream::with(&numbers).payload_bytes(100).page_size(10);
    let settings = Settings { held_bytes_max: 2_500, reads_per_second: 1_000, ..settings() };
    let hydrator = Hydrator::new(stream, MemorySink::default(), MemorySurroundings::default(), settings);
    let done = account(outcome(&hydrator, &message("1", "100", 2)).await);
    assert_eq!((done.verdict, done.recovered, done.candidates), (Some(Verdict::Superset), 2, 98));
    let verdicts = in_sink(&hydrator.sink, "/verdict");
    assert_eq!(verdicts.len(), 100);
    assert!(verdicts[0].1.is_null() && verdicts[99].1 == "superset", "{verdicts:?}");
    assert_eq!(in_sink(&hydrator.sink, "/certainty")[0].1, "certain", "an end is one whatever comes");
}

#[tokio::test(start_paused = true)]
async fn records_of_ten_mebibytes_come_back() {
    let stream = MemoryStream::with(&["1", "2", "3"]).payload_bytes(10 * 1024 * 1024).page_size(1);
    let hydrator = hydrator(stream);
    let done = account(outcome(&hydrator, &lasting(message("1", "2", 2))).await);
    assert_eq!((done.verdict, done.recovered), (Some(Verdict::Complete), 2));
    let bodies: Vec<usize> = hydrator.sink.entries().iter().map(|entry| entry.body.len()).collect();
    assert!(bodies.len() == 2 && bodies.iter().all(|bytes| *bytes > 13_981_000), "in base64: {bodies:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_brings_its_payload_needs_no_stream() {
    let payload = |numbers: &[&str]| {
        let record = |number: &&str| {
            json!({"kinesis": {"sequenceNumber": number, "partitionKey": "k-1", "data": "eA==",
                "approximateArrivalTimestamp": 1_767_225_600.5}, "eventSource": "aws:kinesis", "odd": 1.50})
        };
        json!({"Records": numbers.iter().map(record).collect::<Vec<_>>()})
    };
    let with = |payload: Value| {
        let mut body = message("1", "2", 2);
        body["payload"] = payload;
        body
    };
    let hydrator = hydrator(MemoryStream::with(&["1", "2"]).failing(ReadErrorKind::Gone));
    for body in [with(payload(&["1", "2"])), with(json!(payload(&["1", "2"]).to_string()))] {
        let done = account(outcome(&hydrator, &body).await);
        assert_eq!((done.verdict, done.recovered), (Some(Verdict::Complete), 2));
    }
    assert_eq!(hydrator.reader.calls(), (0, 0));
    assert_eq!(in_sink(&hydrator.sink, "/event")[1].1, payload(&["2"])["Records"][0], "exactly as it came");
    assert_eq!(in_sink(&hydrator.sink, "/source/key")[1].1, "k-1");
    assert_eq!(in_sink(&hydrator.sink, "/source/arrival")[1].1, 1_767_225_600.5);
    // A payload that is not the batch proves nothing: the stream is read.
    for wrong in [payload(&["1"]), payload(&["1", "3"]), json!("no event"), json!({"Records": [{}, {}]})] {
        let done = account(outcome(&hydrator, &with(wrong)).await);
        assert_eq!((done.verdict, done.lost), (Some(Verdict::Expired), 2));
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_a_notification_names_is_the_message() {
    let notification = |keys: &[&str]| {
        let record = |key: &&str| {
            json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": "failed"}, "object": {"key": key, "size": 10}}})
        };
        json!({"Records": keys.iter().map(record).collect::<Vec<_>>()})
    };
    let surroundings = MemorySurroundings::default()
        .with_object("failed", "a b", &message("1", "1", 1).to_string())
        .with_object("failed", "c", "no message");
    let hydrator = Hydrator::new(MemoryStream::with(&["1"]), MemorySink::default(), surroundings, settings());
    assert_eq!(account(outcome(&hydrator, &notification(&["a+b"])).await).recovered, 1);
    let bodies = [notification(&["a+b", "missing"]).to_string(), notification(&["c"]).to_string()];
    let hydration = hydrator.hydrate(&queue(&bodies.each_ref().map(String::as_str)), within(60)).await;
    let errors: Vec<String> = hydration
        .messages
        .iter()
        .flat_map(|message| &message.parts)
        .filter_map(|part| match &part.outcome {
            Outcome::Stays(error) => Some(error.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(errors.len(), 2, "one object of two keeps its message: {errors:?}");
    assert!(
        errors[0].contains("`missing`") && errors[1].contains("object `c` of bucket `failed`: expected"),
        "{errors:?}"
    );
}
