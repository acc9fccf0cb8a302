//! The outcome as data and as text.

use crate::run;
use serde_json::json;
use simulation::Scenario;

#[test]
fn the_json_has_the_shape_that_is_documented() {
    let json = run("walkthrough-4").json();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "checkpoints",
            "dropped",
            "filtered",
            "finished",
            "finished_at_ms",
            "handled",
            "invocations",
            "iterator_age_ms_max",
            "metrics",
            "on_failure",
            "passed_over",
            "splits",
            "trimmed",
            "unread",
            "waits"
        ]
    );
    assert_eq!(
        json["invocations"][0],
        json!({"at_ms": 0, "ended_at_ms": 100, "shard": "shardId-000000000000", "slot": 0, "records": [1, 2, 3],
            "attempt": 1, "outcome": "partial",
            "response": format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"49590338271490256608559692538361571095921575{:012}"}}]}}"#, 2)})
    );
    assert_eq!(json["handled"], json!({"1": 1}));
    assert_eq!(json["on_failure"][0]["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(json["checkpoints"][0], json!({"at_ms": 100, "shard": "shardId-000000000000", "record": 1}));
    assert_eq!(json["metrics"]["OnFailureDestinationDeliveredEventCount"], 2);
}

#[test]
fn the_same_seed_does_the_same_and_another_seed_waits_otherwise() {
    let with = |seed: u64| {
        let text = format!("{}\n[simulation]\nseed = {seed}\n", simulation::example("walkthrough-1").unwrap().text);
        run(&text)
    };
    assert_eq!(with(1), with(1));
    assert_ne!(with(1).finished_at_ms, with(2).finished_at_ms);
}

#[test]
fn retries_without_end_stop_when_the_stream_trims_the_records() {
    let outcome = run("endless");
    assert!(outcome.finished);
    assert_eq!(outcome.json()["trimmed"].as_array().unwrap().len(), 30, "those behind the bad one are lost with it");
    assert!(outcome.finished_at_ms >= 24 * 3_600_000);
    assert_eq!(outcome.messages.len(), 0);
}

#[test]
fn a_run_that_is_stopped_says_what_is_open() {
    let text = format!("{}\n[simulation]\nuntil_seconds = 60\n", simulation::example("endless").unwrap().text);
    let outcome = run(&text);
    assert!(!outcome.finished);
    assert_eq!((outcome.open(), outcome.finished_at_ms), (30, 60_000));
    assert!(outcome.summary().contains("NOT drained"), "{}", outcome.summary());
}

#[test]
fn what_the_filters_drop_is_never_invoked_with() {
    let outcome = run("filter");
    assert_eq!(crate::batches(&outcome), [[2, 4]]);
    assert_eq!(outcome.json()["filtered"], json!([1, 3]));
}

#[test]
fn children_begin_when_their_parents_are_finished() {
    let outcome = run("reshard");
    let span = |shard: usize| {
        let of_shard = outcome.invocations.iter().filter(|entry| entry.shard == shard);
        (of_shard.clone().map(|entry| entry.at_ms).min(), of_shard.map(|entry| entry.ended_at_ms).max())
    };
    let parent_ends = span(0).1.unwrap();
    assert!(span(1).0.unwrap() >= parent_ends && span(2).0.unwrap() >= parent_ends);
    assert!(span(3).0.unwrap() >= span(1).1.max(span(2).1).unwrap());
    assert_eq!(outcome.shards[3].parents, [1, 2]);
    assert_eq!(outcome.open(), 0);
}

#[test]
fn a_bucket_gets_the_event_as_a_text_under_its_key() {
    let json = run("table").json();
    let object = &json["on_failure"][0];
    assert!(object["key"].as_str().unwrap().starts_with("aws/lambda/"));
    assert!(object["body"]["payload"].as_str().unwrap().starts_with(r#"{"Records":[{"eventID":"#));
    assert!(object["body"]["DDBStreamBatchInfo"].is_object());
}

#[test]
fn the_walk_says_what_happened_in_order() {
    let walk = run("walkthrough-4-bisect").walk(true);
    let expected = "     0.000 s  invokes with 1-3 -> partial: 1 handled\n     0.100 s  checkpoint 1\n";
    assert!(walk.starts_with(expected), "{walk}");
    assert!(walk.lines().all(|line| line.len() <= 80), "{walk}");
    for line in [
        "splits into 1 and 1",
        "tells the destination of 2: RetryAttemptsExhausted",
        "invokes with 2, attempt 2 -> failed, reports 2",
    ] {
        assert!(walk.contains(line), "{line}: {walk}");
    }
    let long = run("endless");
    assert!(long.walk(false).lines().count() <= 61 && long.walk(true).lines().count() > 1000);
    assert!(long.walk(false).contains("lines left out; --all shows them"));
}

#[test]
fn the_timeline_ties_pieces_to_their_batch_and_messages_to_their_invocation() {
    let scenario = Scenario::parse(simulation::example("walkthrough-2").unwrap().text).unwrap();
    let timeline = scenario.run().timeline(&scenario, "two");
    let follows: Vec<_> = timeline.invocations.iter().map(|entry| entry.follows).collect();
    assert_eq!(follows, [None, Some(0), Some(1), Some(1), Some(3), Some(3), Some(0)]);
    assert_eq!(timeline.splits.iter().map(|split| split.invocation).collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!(timeline.messages[0].invocation, Some(5));
    assert_eq!(timeline.records[4].fate, timeline::Fate::DeadLettered);
    assert_eq!(timeline.title, "simulate: two");
}

#[test]
fn a_report_that_nobody_reads_loses_its_record_and_the_outcome_says_so() {
    let outcome = run("[stream]\nrecords = 3\n[[failures]]\nrecord = 2\ntimes = \"always\"\n");
    assert_eq!(outcome.invocations[0].outcome, "handled", "there is no ReportBatchItemFailures");
    assert_eq!(outcome.json()["passed_over"], json!([2, 3]));
    assert!(outcome.summary().contains("acknowledged, NOT handled   2 (2-3)"), "{}", outcome.summary());
}

#[test]
fn a_response_without_a_state_is_shown_as_the_failure_that_it_is() {
    let text = "[mapping]\nTumblingWindowInSeconds = 10\n[stream]\nrecords = 4\n[function]\nresponse = \"{}\"\n\
                [[failures]]\nrecord = 2\n";
    let outcome = run(text);
    assert_eq!((outcome.invocations[0].outcome, outcome.invocations[1].outcome), ("failed", "handled"));
}

#[test]
fn what_was_trimmed_before_it_was_read_is_lost_and_says_so() {
    let outcome = run("[stream]\nrecords = 3\nage_seconds = 90000\n");
    assert_eq!((outcome.json()["trimmed"].clone(), outcome.json()["unread"].clone()), (json!([1, 2, 3]), json!([])));
    assert!(outcome.finished && outcome.summary().contains("trimmed before it was read"), "{}", outcome.summary());
}

#[test]
fn the_end_of_a_window_is_a_part_of_the_run() {
    let outcome = run("window");
    assert_eq!(outcome.finished_at_ms, outcome.invocations.last().unwrap().ended_at_ms);
}

#[test]
fn a_shard_may_be_split_until_nothing_is_left_of_it() {
    let split = |n: i32| format!("[[stream.reshards]]\nat_seconds = 1\nsplit = {}\n", 2 * n);
    let splits: String = (0..70).map(split).collect();
    let outcome = run(&format!("[stream]\nrecords = 3\n{splits}"));
    assert_eq!(outcome.open(), 0);
}
