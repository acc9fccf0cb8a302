//! What goes into the sink: recovered records and loss reports.
//!
//! A record gets there in two ways: the hydrator reads it back after Lambda gave it up, or a processor quarantines it at
//! once. Both write the same envelope, so that one reader, and one replay, does for both.

use crate::hydrate::PayloadRecord;
use crate::{Failure, Loss, LossReason, OnFailureMessage, SinkEntry, Verdict};
use records::{EpochMillis, StreamRecord};
use serde::Serialize;
use serde_json::value::RawValue;

/// Version of the JSON below. It changes when a reader has to.
pub const SCHEMA_VERSION: &str = "1.0";

/// The `failure.condition` of a record that a processor quarantined. The hydrator's conditions are Lambda's own words.
pub const QUARANTINED_BY_PROCESSOR: &str = "QuarantinedByProcessor";

/// One record back with its payload, self-contained.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecoveredRecord {
    schema_version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    source: Source,
    failure: FailureContext,
    /// `None` where the record was written before its range was read to its end.
    verdict: Option<Verdict>,
    certainty: Certainty,
    /// The record exactly as Lambda would deliver it, or did: wrap it into `{"Records":[...]}` to replay it.
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
    /// `None` where the event does not name the shard, as those of DynamoDB do not.
    shard_id: Option<String>,
    sequence_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_sequence_number: Option<u64>,
    /// Seconds since the Unix epoch.
    arrival: Option<EpochMillis>,
    key: String,
}

impl Source {
    fn new(message: &OnFailureMessage, sequence_number: &str, arrival: Option<EpochMillis>, key: String) -> Self {
        Self {
            stream_arn: message.range.stream().to_string(),
            shard_id: Some(message.range.shard().to_string()),
            sequence_number: sequence_number.to_owned(),
            sub_sequence_number: None,
            arrival,
            key,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureContext {
    condition: Option<String>,
    function_arn: Option<String>,
    request_id: Option<String>,
    approximate_invoke_count: Option<u64>,
    function_error: Option<String>,
    /// The processor's own words on a record that it quarantined.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A record that a processor quarantines, with what it knows of it.
#[derive(Debug)]
pub struct QuarantinedRecord<'a> {
    /// The stream, as the event names it.
    pub stream_arn: &'a str,
    /// The shard; `None` where the event does not name it, as those of DynamoDB do not.
    pub shard_id: Option<&'a str>,
    /// Position in the shard, as the event has it.
    pub sequence_number: &'a str,
    /// Position in the aggregate, counted from 0, of what the Kinesis Producer Library packed into a record.
    pub sub_sequence_number: Option<u64>,
    /// When the stream took the record.
    pub arrival: Option<EpochMillis>,
    /// What orders the record: the partition key, or the item's key as typed JSON.
    pub key: &'a str,
    /// The function, with its version or alias where it was invoked with one.
    pub function_arn: &'a str,
    /// The invocation that gave the record up.
    pub request_id: &'a str,
    /// Why: the handler's error, which quotes nothing of the payload.
    pub reason: &'a str,
    /// The record exactly as Lambda delivered it; of a sub-record, what Lambda would have delivered had it been put alone.
    pub event: Box<RawValue>,
}

impl From<&Failure> for FailureContext {
    fn from(failure: &Failure) -> Self {
        Self {
            condition: failure.condition.clone(),
            function_arn: failure.function_arn.clone(),
            request_id: failure.request_id.clone(),
            approximate_invoke_count: failure.approximate_invoke_count,
            function_error: failure.function_error.clone(),
            reason: None,
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
        verdict: Option<Verdict>,
        certainty: Certainty,
        record: &StreamRecord,
        invoke_identity_arn: Option<&str>,
    ) -> Result<Self, serde_json::Error> {
        let (number, range) = (record.sequence_number().as_str(), &message.range);
        let event = record.delivered(range.stream(), range.shard(), invoke_identity_arn)?;
        let source = Source::new(message, number, record.arrival(), record.key());
        Ok(Self::given_up(message, verdict, certainty, source, event))
    }

    /// Builds the recovered record of one that the message itself holds.
    pub(crate) fn of_payload(
        message: &OnFailureMessage,
        verdict: Verdict,
        certainty: Certainty,
        record: &PayloadRecord<'_>,
    ) -> Self {
        let source = Source::new(message, record.sequence_number.as_str(), record.arrival, record.key.clone());
        Self::given_up(message, Some(verdict), certainty, source, record.event.to_owned())
    }

    fn given_up(
        message: &OnFailureMessage,
        verdict: Option<Verdict>,
        certainty: Certainty,
        source: Source,
        event: Box<RawValue>,
    ) -> Self {
        let failure = (&message.failure).into();
        Self { schema_version: SCHEMA_VERSION, kind: "record", source, failure, verdict, certainty, event }
    }

    /// Builds the recovered record of one that a processor quarantines. There was no range to read and nothing to prove:
    /// it is complete, and for certain one that failed.
    #[must_use]
    pub fn quarantined(record: QuarantinedRecord<'_>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            kind: "record",
            source: Source {
                stream_arn: record.stream_arn.to_owned(),
                shard_id: record.shard_id.map(str::to_owned),
                sequence_number: record.sequence_number.to_owned(),
                sub_sequence_number: record.sub_sequence_number,
                arrival: record.arrival,
                key: record.key.to_owned(),
            },
            failure: FailureContext {
                condition: Some(QUARANTINED_BY_PROCESSOR.to_owned()),
                function_arn: Some(record.function_arn.to_owned()),
                request_id: Some(record.request_id.to_owned()),
                approximate_invoke_count: None,
                function_error: None,
                reason: Some(record.reason.to_owned()),
            },
            verdict: Some(Verdict::Complete),
            certainty: Certainty::Certain,
            event: record.event,
        }
    }

    /// The entry for the sink. Its id is the same whenever the same record is written.
    ///
    /// # Errors
    ///
    /// When the record cannot be written as JSON.
    pub fn entry(&self) -> Result<SinkEntry, serde_json::Error> {
        let Source { stream_arn, shard_id, sequence_number, sub_sequence_number, .. } = &self.source;
        let shard = shard_id.as_deref().unwrap_or(UNKNOWN_SHARD);
        let mut id = format!("{stream_arn}/{shard}/{sequence_number}");
        if let Some(sub_sequence_number) = sub_sequence_number {
            id = format!("{id}/{sub_sequence_number}");
        }
        Ok(SinkEntry { id, group: format!("{stream_arn}/{}", self.source.key), body: message_body(self)? })
    }
}

/// Stands for the shard in the ids of records whose event does not name it. No shard is called so.
const UNKNOWN_SHARD: &str = "unknown";

/// JSON in the characters that SQS takes: it refuses U+FFFE and U+FFFF, which JSON can spell otherwise.
fn message_body(message: &impl Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(message)?;
    let refused = ['\u{fffe}', '\u{ffff}'];
    Ok(if json.contains(refused) { json.replace(refused[0], "\\ufffe").replace(refused[1], "\\uffff") } else { json })
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
    #[must_use]
    pub fn new(message: &OnFailureMessage, verdict: Verdict, loss: &Loss) -> Self {
        Self {
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
            message: message.text.clone(),
        }
    }

    /// The entry for the sink.
    ///
    /// # Errors
    ///
    /// When the report cannot be written as JSON.
    pub fn entry(&self) -> Result<SinkEntry, serde_json::Error> {
        let Self { stream_arn, shard_id, start_sequence_number, end_sequence_number, .. } = self;
        let id = format!("{stream_arn}/{shard_id}/loss/{start_sequence_number}-{end_sequence_number}");
        Ok(SinkEntry { id, group: format!("{stream_arn}/{shard_id}/loss"), body: message_body(self)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;
    use serde_json::{Value, json};

    const MESSAGE: &str = concat!(
        r#"{"requestContext":{"requestId":"r-1","functionArn":"arn:aws:lambda:us-east-1:111122223333:function:orders","#,
        r#""condition":"RetryAttemptsExhausted","approximateInvokeCount":3},"KinesisBatchInfo":{"shardId":"shardId-0","#,
        r#""startSequenceNumber":"5","endSequenceNumber":"9","batchSize":2,"#,
        r#""streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders"}}"#
    );

    fn quarantined(event: &str) -> QuarantinedRecord<'static> {
        QuarantinedRecord {
            stream_arn: "arn:aws:kinesis:us-east-1:111122223333:stream/orders",
            shard_id: Some("shardId-0"),
            sequence_number: "7",
            sub_sequence_number: None,
            arrival: Some(EpochMillis(1_767_225_600_500)),
            key: "c-1",
            function_arn: "arn:aws:lambda:us-east-1:111122223333:function:orders",
            request_id: "r-1",
            reason: "`amount` is not positive",
            event: RawValue::from_string(event.to_owned()).unwrap(),
        }
    }

    fn entry(record: QuarantinedRecord<'_>) -> (String, Value) {
        let entry = RecoveredRecord::quarantined(record).entry().unwrap();
        (entry.id, serde_json::from_str(&entry.body).unwrap())
    }

    #[test]
    fn what_the_hydrator_writes_stays_as_it_is_to_the_byte() {
        let message = OnFailureMessage::parse(MESSAGE).unwrap();
        let role = Some("arn:aws:iam::111122223333:role/orders");
        let record = RecoveredRecord::new(
            &message,
            Some(Verdict::Superset),
            Certainty::Candidate,
            &memory::records(&["7"])[0],
            role,
        )
        .unwrap();
        let expected = concat!(
            r#"{"schemaVersion":"1.0","type":"record","source":{"#,
            r#""streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders","shardId":"shardId-0","#,
            r#""sequenceNumber":"7","arrival":1767225600,"key":"key"},"failure":{"condition":"RetryAttemptsExhausted","#,
            r#""functionArn":"arn:aws:lambda:us-east-1:111122223333:function:orders","requestId":"r-1","#,
            r#""approximateInvokeCount":3,"functionError":null},"verdict":"superset","certainty":"candidate","#,
            r#""event":{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"key","sequenceNumber":"7","#,
            r#""data":"eA==","approximateArrivalTimestamp":1767225600},"eventSource":"aws:kinesis","#,
            r#""eventVersion":"1.0","eventID":"shardId-0:7","eventName":"aws:kinesis:record","#,
            r#""invokeIdentityArn":"arn:aws:iam::111122223333:role/orders","awsRegion":"us-east-1","#,
            r#""eventSourceARN":"arn:aws:kinesis:us-east-1:111122223333:stream/orders"}}"#
        );
        let id = "arn:aws:kinesis:us-east-1:111122223333:stream/orders/shardId-0/7".to_owned();
        let group = "arn:aws:kinesis:us-east-1:111122223333:stream/orders/key".to_owned();
        assert_eq!(record.entry().unwrap(), SinkEntry { id, group, body: expected.to_owned() });

        let (start, end) = (message.range.start().clone(), message.range.end().clone());
        let loss = Loss { start, end, count: 3, reason: LossReason::Trimmed };
        let report = LossReport::new(&message, Verdict::Partial, &loss);
        let expected = concat!(
            r#"{"schemaVersion":"1.0","type":"loss","#,
            r#""streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders","shardId":"shardId-0","#,
            r#""startSequenceNumber":"5","endSequenceNumber":"9","count":3,"reason":"trimmed","failure":{"#,
            r#""condition":"RetryAttemptsExhausted","#,
            r#""functionArn":"arn:aws:lambda:us-east-1:111122223333:function:orders","requestId":"r-1","#,
            r#""approximateInvokeCount":3,"functionError":null},"verdict":"partial","message":"#
        );
        assert_eq!(report.entry().unwrap().body, format!("{expected}{MESSAGE}}}"));
    }

    #[test]
    fn a_quarantined_record_is_a_recovered_record_with_a_reason() {
        let event = r#"{"kinesis":{"data":"eA==" },"eventID":"shardId-0:7"}"#;
        let entry = RecoveredRecord::quarantined(quarantined(event)).entry().unwrap();
        let expected = concat!(
            r#"{"schemaVersion":"1.0","type":"record","source":{"#,
            r#""streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders","shardId":"shardId-0","#,
            r#""sequenceNumber":"7","arrival":1767225600.5,"key":"c-1"},"failure":{"#,
            r#""condition":"QuarantinedByProcessor","#,
            r#""functionArn":"arn:aws:lambda:us-east-1:111122223333:function:orders","requestId":"r-1","#,
            r#""approximateInvokeCount":null,"functionError":null,"reason":"`amount` is not positive"},"#,
            r#""verdict":"complete","certainty":"certain","event":"#
        );
        assert_eq!(entry.id, "arn:aws:kinesis:us-east-1:111122223333:stream/orders/shardId-0/7");
        assert_eq!(entry.body, format!("{expected}{event}}}"), "the event is copied to the byte");
    }

    #[test]
    fn what_an_aggregate_holds_is_told_apart() {
        let (id, body) = entry(QuarantinedRecord { sub_sequence_number: Some(0), ..quarantined("{}") });
        assert_eq!(id, "arn:aws:kinesis:us-east-1:111122223333:stream/orders/shardId-0/7/0");
        assert_eq!(body["source"]["subSequenceNumber"], json!(0));
        let (_, body) = entry(quarantined("{}"));
        assert_eq!(body["source"].get("subSequenceNumber"), None);
    }

    #[test]
    fn a_shard_that_the_event_does_not_name_is_null_and_the_id_still_stands() {
        let unnamed = || QuarantinedRecord { shard_id: None, arrival: None, ..quarantined("{}") };
        let (id, body) = entry(unnamed());
        assert_eq!(body["source"]["shardId"], Value::Null);
        assert_eq!(id, "arn:aws:kinesis:us-east-1:111122223333:stream/orders/unknown/7");
        assert_eq!(entry(unnamed()).0, id, "written again, it has the same id");
    }

    #[test]
    fn characters_that_sqs_refuses_are_spelt_otherwise() {
        let text = "a\u{fffe}\u{ffff}\u{1f980}\u{7f}";
        let body = message_body(&text).unwrap();
        assert_eq!(body, "\"a\\ufffe\\uffff\u{1f980}\u{7f}\"");
        assert_eq!(serde_json::from_str::<String>(&body).unwrap(), text);

        let event = format!(r#"{{"key":"{text}"}}"#);
        let quarantined = QuarantinedRecord { key: text, ..quarantined(&event) };
        let body = RecoveredRecord::quarantined(quarantined).entry().unwrap().body;
        assert!(!body.contains(['\u{fffe}', '\u{ffff}']), "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["source"]["key"], &body["event"]["key"]), (&json!(text), &json!(text)));
    }
}
