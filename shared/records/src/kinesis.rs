//! Kinesis records, and the shape in which Lambda delivers them.

use crate::{EpochMillis, SequenceNumber, ShardId, StreamArn};
use serde::Serialize;

/// One record of a Kinesis shard, as GetRecords returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KinesisRecord {
    /// Position in the shard.
    pub sequence_number: SequenceNumber,
    /// Which shard, and which order.
    pub partition_key: String,
    /// The payload, as it was put.
    pub data: Vec<u8>,
    /// When the stream took it; absent on very old records only.
    pub approximate_arrival: Option<EpochMillis>,
    /// `NONE` or `KMS`, when the stream says.
    pub encryption_type: Option<String>,
}

impl KinesisRecord {
    /// The record exactly as Lambda puts it into a batch, ready to be serialized.
    ///
    /// `invoke_identity_arn` is the role of the function that reads the stream. Only Lambda knows it; whoever rebuilds a
    /// record leaves it out or is told.
    #[must_use]
    pub fn delivered<'a>(
        &'a self,
        stream: &'a StreamArn,
        shard: &ShardId,
        invoke_identity_arn: Option<&'a str>,
    ) -> impl Serialize + 'a {
        Delivered {
            kinesis: Inner {
                kinesis_schema_version: "1.0",
                partition_key: &self.partition_key,
                sequence_number: &self.sequence_number,
                data: base64_simd::STANDARD.encode_to_string(&self.data),
                approximate_arrival_timestamp: self.approximate_arrival,
                encryption_type: self.encryption_type.as_deref(),
            },
            event_source: "aws:kinesis",
            event_version: "1.0",
            event_id: format!("{shard}:{}", self.sequence_number),
            event_name: "aws:kinesis:record",
            invoke_identity_arn,
            aws_region: stream.region(),
            event_source_arn: stream.as_str(),
        }
    }
}

#[derive(Serialize)]
struct Delivered<'a> {
    kinesis: Inner<'a>,
    #[serde(rename = "eventSource")]
    event_source: &'static str,
    #[serde(rename = "eventVersion")]
    event_version: &'static str,
    #[serde(rename = "eventID")]
    event_id: String,
    #[serde(rename = "eventName")]
    event_name: &'static str,
    #[serde(rename = "invokeIdentityArn", skip_serializing_if = "Option::is_none")]
    invoke_identity_arn: Option<&'a str>,
    #[serde(rename = "awsRegion")]
    aws_region: &'a str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inner<'a> {
    kinesis_schema_version: &'static str,
    partition_key: &'a str,
    sequence_number: &'a SequenceNumber,
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_arrival_timestamp: Option<EpochMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_type: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_delivered_in_lambdas_shape() {
        let record = KinesisRecord {
            sequence_number: SequenceNumber::parse("0495").unwrap(),
            partition_key: "customer-1".to_owned(),
            data: b"{}\xff".to_vec(),
            approximate_arrival: Some(EpochMillis(1_545_084_650_987)),
            encryption_type: None,
        };
        let stream = StreamArn::parse("arn:aws:kinesis:us-east-1:111122223333:stream/orders").unwrap();
        let shard = ShardId::parse("shardId-000000000006").unwrap();
        let role = Some("arn:aws:iam::111122223333:role/orders");
        assert_eq!(
            serde_json::to_string(&record.delivered(&stream, &shard, role)).unwrap(),
            concat!(
                r#"{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"customer-1","sequenceNumber":"0495","#,
                r#""data":"e33/","approximateArrivalTimestamp":1545084650.987},"eventSource":"aws:kinesis","#,
                r#""eventVersion":"1.0","eventID":"shardId-000000000006:0495","eventName":"aws:kinesis:record","#,
                r#""invokeIdentityArn":"arn:aws:iam::111122223333:role/orders","awsRegion":"us-east-1","#,
                r#""eventSourceARN":"arn:aws:kinesis:us-east-1:111122223333:stream/orders"}"#
            )
        );
    }
}
