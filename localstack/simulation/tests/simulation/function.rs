//! What the function of a scenario does, and what a raw response does.

use crate::{batches, given_up, run};

/// Three records of which the second fails once, with partial responses.
fn with(function: &str) -> String {
    format!(
        "[mapping]\nMaximumRetryAttempts = 1\nFunctionResponseTypes = [\"ReportBatchItemFailures\"]\n\
         [stream]\nrecords = 3\n[function]\n{function}\n[[failures]]\nrecord = 2\n"
    )
}

#[test]
fn first_stops_at_the_first_failure_and_all_goes_on() {
    let first = run(&with("reports = \"first\""));
    assert_eq!(batches(&first), [vec![1, 2, 3], vec![2, 3]]);
    assert_eq!(first.handled[&3], 1);

    let all = run(&with("reports = \"all\""));
    assert_eq!(batches(&all), [vec![1, 2, 3], vec![2, 3]]);
    assert_eq!((all.handled[&1], all.handled[&3]), (1, 2), "record 3 was handled behind the failure, and again");
}

#[test]
fn a_function_that_throws_hangs_or_crashes_fails_its_whole_batch() {
    for reports in ["throws", "times-out", "crashes"] {
        let outcome = run(&with(&format!("reports = \"{reports}\"\ntimeout_seconds = 7")));
        assert_eq!(batches(&outcome), [vec![1, 2, 3], vec![1, 2, 3]], "{reports}");
        let took_ms = outcome.invocations[0].ended_at_ms - outcome.invocations[0].at_ms;
        assert_eq!(took_ms, if reports == "times-out" { 7000 } else { 100 }, "{reports}");
    }
}

#[test]
fn a_raw_response_is_what_lambda_sees_whenever_a_record_would_fail() {
    let outcomes = [
        ("null", "handled"),
        ("{}", "handled"),
        ("[]", "handled"),
        (r#"{"batchItemFailures":[]}"#, "handled"),
        (r#"{"batchItemFailures":null}"#, "handled"),
        (r#"{"foo": 123}"#, "failed"),
        (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, "failed"),
        (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, "failed"),
        (r#"{"batchItemFailures":[{"itemIdentifier":"1"}]}"#, "failed"),
        ("not json", "failed"),
    ];
    for (response, expected) in outcomes {
        let outcome = run(&with(&format!("response = '{response}'")));
        assert_eq!(outcome.invocations[0].outcome, expected, "{response}");
        assert_eq!(outcome.invocations[0].response.as_deref(), Some(response));
    }
}

#[test]
fn a_record_fails_as_often_as_it_is_met_and_not_as_often_as_it_is_sent() {
    let text = "[mapping]\nMaximumRetryAttempts = 9\n[stream]\nrecords = 3\n[function]\nreports = \"throws\"\n\
                [[failures]]\nrecord = 1\ntimes = 2\n[[failures]]\nrecord = 3\ntimes = 1\n";
    let outcome = run(text);
    assert_eq!(outcome.invocations.len(), 4, "record 3 is not met while record 1 fails");
    assert_eq!(outcome.handled[&2], 2);
}

#[test]
fn time_goes_by_invocation_and_by_record() {
    let outcome = run("[stream]\nrecords = 5\n[function]\nduration_ms = 20\nper_record_ms = 3\n");
    assert_eq!(outcome.finished_at_ms, 35);
}

#[test]
fn a_destination_may_fail_for_a_while() {
    let text = "[mapping]\nBatchSize = 1\nMaximumRetryAttempts = 0\n[stream]\nrecords = 3\n[function]\nreports = \"throws\"\n\
                [destination]\nfails = 1\n[[failures]]\nrecord = 1\n[[failures]]\nrecord = 2\n";
    let outcome = run(text);
    assert_eq!(given_up(&outcome), [[1], [2]]);
    assert_eq!(outcome.json()["dropped"], serde_json::json!([1]));
    assert_eq!(outcome.json()["on_failure"].as_array().unwrap().len(), 1, "what was not taken is not there");
}

#[test]
fn a_function_that_takes_longer_than_its_time_out_has_failed() {
    let text = "[mapping]\nMaximumRetryAttempts = 0\n[stream]\nrecords = 40\n[function]\nper_record_ms = 1000\ntimeout_seconds = 30\n";
    let outcome = run(text);
    assert_eq!((outcome.invocations[0].outcome, outcome.finished_at_ms), ("failed", 30_000));
}
