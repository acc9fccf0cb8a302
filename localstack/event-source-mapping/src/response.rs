//! What a function's response means: the table of the module docs, as pure functions.

use crate::{Batch, Settings, StreamRecord};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionResult {
    /// The function returned this body, which need not be JSON.
    Returned(Vec<u8>),
    /// The function threw, crashed or timed out.
    Failed,
    /// The function never ran: throttled, or an error in front of it.
    Undelivered,
}

impl FunctionResult {
    /// What a function returned, from text.
    #[must_use]
    pub fn returned(body: &str) -> Self {
        Self::Returned(body.as_bytes().to_vec())
    }

    /// The partial batch response that reports these identifiers.
    pub fn reporting<'a>(identifiers: impl IntoIterator<Item = &'a str>) -> Self {
        let failures: Vec<Value> =
            identifiers.into_iter().map(|id| serde_json::json!({ "itemIdentifier": id })).collect();
        Self::Returned(serde_json::json!({ "batchItemFailures": failures }).to_string().into_bytes())
    }
}

/// What an invocation did to its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All records are handled.
    Success,
    /// The records before this index are handled, those from it on are not.
    RetryFrom(usize),
    /// No record counts as handled.
    Failed,
    /// The function never saw the batch; nothing is charged.
    Undelivered,
}

/// Says what `result` means for `batch`.
#[must_use]
pub fn classify<R: StreamRecord>(result: &FunctionResult, settings: &Settings, batch: Batch<'_, R>) -> Verdict {
    let body = match result {
        FunctionResult::Undelivered => return Verdict::Undelivered,
        FunctionResult::Failed => return Verdict::Failed,
        // Documented: without ReportBatchItemFailures, what the function returns is ignored.
        FunctionResult::Returned(_) if !settings.reports_batch_item_failures() => return Verdict::Success,
        FunctionResult::Returned(body) => body,
    };
    match Report::parse(body) {
        Report::Nothing => Verdict::Success,
        Report::Unusable => Verdict::Failed,
        Report::Failures(identifiers) => {
            // Recorded: one identifier outside of the batch fails all of it, and the lowest of several counts.
            let positions: Option<Vec<usize>> = identifiers.iter().map(|id| batch.position_of(id)).collect();
            positions.and_then(|all| all.into_iter().min()).map_or(Verdict::Failed, Verdict::RetryFrom)
        }
    }
}

/// What a response body reports, before it is held against a batch. Streams and queues share it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// No failures.
    Nothing,
    /// These identifiers, at least one, none of them empty.
    Failures(Vec<String>),
    /// Nothing that can be understood: the whole batch failed.
    Unusable,
}

impl Report {
    /// Reads a body. Success is recorded for exactly `null`, `{}`, `[]` and a list that is empty or `null`; a misspelt
    /// key is recorded as failure. Inferred: further keys beside `batchItemFailures` are ignored, and one bad entry
    /// spoils a list.
    pub fn parse(body: &[u8]) -> Self {
        let list = match serde_json::from_slice(body) {
            Ok(Value::Null) => return Self::Nothing,
            Ok(Value::Array(list)) if list.is_empty() => return Self::Nothing,
            Ok(Value::Object(object)) if object.is_empty() => return Self::Nothing,
            Ok(Value::Object(mut object)) => object.remove("batchItemFailures"),
            _ => None,
        };
        match list {
            Some(Value::Null) => Self::Nothing,
            Some(Value::Array(list)) if list.is_empty() => Self::Nothing,
            Some(Value::Array(list)) => {
                list.into_iter().map(identifier).collect::<Option<_>>().map_or(Self::Unusable, Self::Failures)
            }
            _ => Self::Unusable,
        }
    }
}

/// The identifier of one entry, if it is a text with something in it.
fn identifier(mut entry: Value) -> Option<String> {
    match entry.get_mut("itemIdentifier").map(Value::take) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// The `state` of a response, as the function wrote it. A `null` is one.
pub(crate) fn window_state(body: &[u8]) -> Option<Box<str>> {
    #[derive(Deserialize)]
    struct Stateful<'a> {
        #[serde(borrow)]
        state: &'a RawValue,
    }
    serde_json::from_slice(body).ok().map(|Stateful { state }| state.get().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BareRecord;
    use records::{EpochMillis, SequenceNumber};

    fn settings(report: bool) -> Settings {
        let builder = Settings::builder("arn:aws:kinesis:us-east-1:111122223333:stream/orders", "orders");
        builder.report_batch_item_failures(report).build().unwrap()
    }

    /// Classifies a result for the batch 9, 10, 11, 0012.
    fn classified(result: &FunctionResult, report: bool) -> Verdict {
        let record = |number| BareRecord {
            sequence_number: SequenceNumber::parse(number).unwrap(),
            arrival: EpochMillis(0),
            payload_bytes: 1,
            key_hash: 0,
        };
        classify(result, &settings(report), Batch::from(&["9", "10", "11", "0012"].map(record)[..]))
    }

    fn check(body: &str, expected: Verdict) {
        let result = FunctionResult::returned(body);
        assert_eq!(classified(&result, true), expected, "{body}");
        assert_eq!(classified(&result, false), Verdict::Success, "{body} without ReportBatchItemFailures");
    }

    #[test]
    fn nothing_reported_is_success() {
        for body in ["null", "{}", "[]", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#, " {} "] {
            check(body, Verdict::Success);
        }
    }

    #[test]
    fn the_lowest_reported_number_counts_as_a_number() {
        check(r#"{"batchItemFailures":[{"itemIdentifier":"10"}]}"#, Verdict::RetryFrom(1));
        check(r#"{"batchItemFailures":[{"itemIdentifier":"11"},{"itemIdentifier":"10"}]}"#, Verdict::RetryFrom(1));
        check(r#"{"batchItemFailures":[{"itemIdentifier":"10"},{"itemIdentifier":"9"}]}"#, Verdict::RetryFrom(0));
        check(r#"{"batchItemFailures":[{"itemIdentifier":"0012"}]}"#, Verdict::RetryFrom(3));
        check(r#"{"more":1,"batchItemFailures":[{"itemIdentifier":"11","more":1}]}"#, Verdict::RetryFrom(2));
    }

    #[test]
    fn what_cannot_be_understood_fails_the_whole_batch() {
        for body in [
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":10}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"8"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"12"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"eleven"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"10"},{"itemIdentifier":"8"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"10"},{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"ItemIdentifier":"10"}]}"#,
            r#"{"batchItemFailures":[{}]}"#,
            r#"{"batchItemFailures":["10"]}"#,
            r#"{"batchItemFailures":{"itemIdentifier":"10"}}"#,
            r#"{"batchItemFailures":"10"}"#,
            r#"{"batchItemFailures":0}"#,
            r#"{"batchItemFailures":false}"#,
            r#"{"batchItemFailure":[{"itemIdentifier":"10"}]}"#,
            r#"{"BatchItemFailures":[]}"#,
            r#"{"statusCode":200}"#,
            r#"[{"itemIdentifier":"10"}]"#,
            r#""10""#,
            "0",
            "true",
            "",
            "not json",
        ] {
            check(body, Verdict::Failed);
        }
    }

    #[test]
    fn an_error_fails_the_batch_whatever_the_settings_and_an_undelivered_one_does_not() {
        for report in [true, false] {
            assert_eq!(classified(&FunctionResult::Failed, report), Verdict::Failed);
            assert_eq!(classified(&FunctionResult::Undelivered, report), Verdict::Undelivered);
        }
    }
}
