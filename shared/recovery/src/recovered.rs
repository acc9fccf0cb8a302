//! What goes into the sink: recovered records and loss reports.

use crate::{Failure, Loss, LossReason, OnFailureMessage, SinkEntry, Verdict};
use records::{EpochMillis, ShardRange, StreamRecord};
use serde::Serialize;
use serde_json::value::RawValue;

/// Version of the JSON below. It changes when a reader has to.
pub const SCHEMA_VERSION: &str = "1.0";

/// One record back with its payload, self-contained.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecoveredRecord {
    schema_version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    source: Source,
    failure: FailureContext,
    verdict: Verdict,
    certainty: Certainty,
    /// The record exactly as Lambda would deliver it: wrap it into `{"Records":[...]}` to replay it.
    event: Box<RawValue>,
}

/// Whether a record is one of those that Lambda gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Certainty {
    /// It is.
    Certain,
    /// It lies in the range, which holds other records too: it may have been handled.
    Candidate,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    stream_arn: String,
    shard_id: String,
    sequence_number: String,
    /// Seconds since the Unix epoch.
    arrival: Option<EpochMillis>,
    key: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureContext {
    condition: Option<String>,
    function_arn: Option<String>,
    request_id: Option<String>,
    approximate_invoke_count: Option<u64>,
    function_error: Option<String>,
}

impl From<&Failure> for FailureContext {
    fn from(failure: &Failure) -> Self {
        Self {
            condition: failure.condition.clone(),
            function_arn: failure.function_arn.clone(),
            request_id: failure.request_id.clone(),
            approximate_invoke_count: failure.approximate_invoke_count,
            function_error: failure.function_error.clone(),
        }
    }
}

impl RecoveredRecord {
    /// Builds the recovered record of `record`, found in the range of `message`.
    ///
    /// # Errors
    ///
    /// When the record cannot be written as JSON.
    pub fn new(
        message: &OnFailureMessage,
        verdict: Verdict,
        record: &StreamRecord,
        invoke_identity_arn: Option<&str>,
    ) -> Result<Self, serde_json::Error> {
        let range = &message.range;
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            kind: "record",
            source: Source {
                stream_arn: range.stream().to_string(),
                shard_id: range.shard().to_string(),
                sequence_number: record.sequence_number().to_string(),
                arrival: record.arrival(),
                key: record.key(),
            },
            failure: (&message.failure).into(),
            verdict,
            certainty: certainty(range, verdict, record),
            event: record.delivered(range.stream(), range.shard(), invoke_identity_arn)?,
        })
    }

    /// The entry for the sink.
    ///
    /// # Errors
    ///
    /// When the record cannot be written as JSON.
    pub fn entry(&self) -> Result<SinkEntry, serde_json::Error> {
        let Source { stream_arn, shard_id, sequence_number, .. } = &self.source;
        Ok(SinkEntry { id: format!("{stream_arn}/{shard_id}/{sequence_number}"), body: message_body(self)? })
    }
}

/// JSON in the characters that SQS takes: it refuses U+FFFE and U+FFFF, which JSON can spell otherwise.
fn message_body(message: &impl Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(message)?;
    let refused = ['\u{fffe}', '\u{ffff}'];
    Ok(if json.contains(refused) { json.replace(refused[0], "\\ufffe").replace(refused[1], "\\uffff") } else { json })
}

/// The ends of a range were in the failed batch; what lies between was for certain only when nothing else is there.
fn certainty(range: &ShardRange, verdict: Verdict, record: &StreamRecord) -> Certainty {
    let position = record.sequence_number();
    let is_end = position == range.start() || position == range.end();
    if verdict == Verdict::Complete || is_end { Certainty::Certain } else { Certainty::Candidate }
}

/// What of a range cannot be read any more, by position: the record of a loss.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LossReport {
    schema_version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    stream_arn: String,
    shard_id: String,
    start_sequence_number: String,
    end_sequence_number: String,
    count: u64,
    reason: LossReason,
    failure: FailureContext,
    verdict: Verdict,
    /// The on-failure message as it came.
    message: Box<RawValue>,
}

impl LossReport {
    /// Builds the report of `loss`, with the on-failure message's own text.
    ///
    /// # Errors
    ///
    /// When `body` is no JSON, which a parsed message's never is.
    pub fn new(
        message: &OnFailureMessage,
        body: &str,
        verdict: Verdict,
        loss: &Loss,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            kind: "loss",
            stream_arn: message.range.stream().to_string(),
            shard_id: message.range.shard().to_string(),
            start_sequence_number: loss.start.to_string(),
            end_sequence_number: loss.end.to_string(),
            count: loss.count,
            reason: loss.reason,
            failure: (&message.failure).into(),
            verdict,
            message: serde_json::from_str(body)?,
        })
    }

    /// The entry for the sink.
    ///
    /// # Errors
    ///
    /// When the report cannot be written as JSON.
    pub fn entry(&self) -> Result<SinkEntry, serde_json::Error> {
        let Self { stream_arn, shard_id, start_sequence_number, end_sequence_number, .. } = self;
        let id = format!("{stream_arn}/{shard_id}/loss/{start_sequence_number}-{end_sequence_number}");
        Ok(SinkEntry { id, body: message_body(self)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_sqs_refuses_are_spelt_otherwise() {
        let text = "a\u{fffe}\u{ffff}\u{1f980}\u{7f}";
        let body = message_body(&text).unwrap();
        assert_eq!(body, "\"a\\ufffe\\uffff\u{1f980}\u{7f}\"");
        assert_eq!(serde_json::from_str::<String>(&body).unwrap(), text);
    }
}
