//! The response forms that were recorded on AWS, from a real process behind the Lambda host to the mapping's verdict.
//!
//! The processors of this workspace never answer in most of these forms; a fork's might.

use event_source_mapping::{BareRecord, Batch, FunctionResult, Settings, Verdict, classify};
use lambda_host::{Function, FunctionConfig, Outcome};
use lambda_runtime::{LambdaEvent, service_fn};
use records::{EpochMillis, SequenceNumber};
use serde_json::Value;
use serde_json::value::RawValue;

/// What the child process answers; it is set for the child only.
const ANSWER: &str = "SCENARIO_ANSWER";

/// Three records of a shard.
const BATCH: [&str; 3] = ["100", "101", "102"];

/// Not a claim of its own: this is the `bootstrap` that the test below runs, as a process of its own.
#[tokio::test]
async fn bootstrap() {
    let Ok(answer) = std::env::var(ANSWER) else { return };
    let answer = RawValue::from_string(answer).unwrap();
    let handler = service_fn(move |_: LambdaEvent<Value>| {
        let answer = answer.clone();
        async move { Ok::<_, lambda_runtime::Error>(answer) }
    });
    lambda_runtime::run(handler).await.unwrap();
}

async fn verdict_on(answer: &str) -> Verdict {
    let mut config = FunctionConfig::new("any-processor", std::env::current_exe().unwrap());
    config.arguments = ["--exact", "recorded_forms::bootstrap", "--nocapture"].map(str::to_owned).to_vec();
    config.environment = vec![(ANSWER.to_owned(), answer.to_owned())];
    let function = Function::new(config);
    let outcome = function.invoke(r#"{"Records":[]}"#).await.unwrap().outcome;
    function.shutdown().await;
    let result = match outcome {
        Outcome::Response(body) => FunctionResult::Returned(body.to_vec()),
        Outcome::FunctionError(_) => FunctionResult::Failed,
    };
    let arn = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";
    let settings = Settings::builder(arn, "any-processor").report_batch_item_failures(true).build().unwrap();
    let batch = BATCH.map(|number| BareRecord {
        sequence_number: SequenceNumber::parse(number).unwrap(),
        arrival: EpochMillis(0),
        payload_bytes: 1,
        key_hash: 0,
    });
    classify(&result, &settings, Batch::from(&batch[..]))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_form_means_what_it_meant_on_aws() {
    let forms = [
        ("null", Verdict::Success),
        ("{}", Verdict::Success),
        ("[]", Verdict::Success),
        (r#"{"batchItemFailures":[]}"#, Verdict::Success),
        (r#"{"batchItemFailures":null}"#, Verdict::Success),
        (r#"{"batchItemFailures":[{"itemIdentifier":"100"}]}"#, Verdict::RetryFrom(0)),
        (r#"{"batchItemFailures":[{"itemIdentifier":"102"},{"itemIdentifier":"101"}]}"#, Verdict::RetryFrom(1)),
        (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, Verdict::Failed),
        (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, Verdict::Failed),
        (r#"{"batchItemFailures":[{"itemIdentifier":101}]}"#, Verdict::Failed),
        (r#"{"batchItemFailures":[{"itemIdentifier":"999"}]}"#, Verdict::Failed),
        (r#"{"batchItemFailures":[{"itemIdentifer":"101"}]}"#, Verdict::Failed),
        (r#"{"batchItemFailure":[{"itemIdentifier":"101"}]}"#, Verdict::Failed),
    ];
    for (form, expected) in forms {
        assert_eq!(verdict_on(form).await, expected, "{form}");
    }
}
