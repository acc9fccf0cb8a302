//! The plan in AWS's words.

use super::{Destination, Filter, HydratorPlan, Plan, StreamPlan};
use records::StreamKind;
use serde_json::{Value, json};

/// The processor.
pub const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:orders";
/// The on-failure queue, which is the hydrator's.
pub const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:111122223333:orders-failed";
/// The on-failure topic.
pub const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:111122223333:orders-failed";
/// The processor's role.
pub const ROLE_ARN: &str = "arn:aws:iam::111122223333:role/orders";

impl Plan {
    /// The mapping as `CreateEventSourceMapping` takes it.
    #[must_use]
    pub fn settings(&self) -> Value {
        let mapping = &self.mapping;
        let mut settings = json!({
            "EventSourceArn": self.stream_arn(),
            "FunctionName": FUNCTION_ARN,
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": mapping.batch_size,
            "MaximumBatchingWindowInSeconds": mapping.window_s,
            "ParallelizationFactor": mapping.parallelization,
            "TumblingWindowInSeconds": mapping.tumbling_s,
            "MaximumRetryAttempts": mapping.retries,
            "MaximumRecordAgeInSeconds": mapping.record_age_s,
            "BisectBatchOnFunctionError": mapping.bisect,
            "FunctionResponseTypes": if mapping.reports { json!(["ReportBatchItemFailures"]) } else { json!([]) },
        });
        if let Some(pattern) = self.pattern() {
            settings["FilterCriteria"] = json!({ "Filters": [{ "Pattern": pattern }] });
        }
        if let Some(arn) = self.destination_arn() {
            settings["DestinationConfig"] = json!({ "OnFailure": { "Destination": arn } });
        }
        settings
    }

    /// The filter pattern of the mapping.
    #[must_use]
    pub fn pattern(&self) -> Option<&'static str> {
        Some(match (self.mapping.filter?, self.kind) {
            (Filter::Payload, StreamKind::Kinesis) => r#"{"data":{"keep":[true]}}"#,
            (Filter::Payload, StreamKind::DynamoDb) => r#"{"dynamodb":{"NewImage":{"keep":{"BOOL":[true]}}}}"#,
            (Filter::Envelope, StreamKind::Kinesis) => r#"{"partitionKey":[{"prefix":"key-1"}]}"#,
            (Filter::Envelope, StreamKind::DynamoDb) => r#"{"eventName":["INSERT","REMOVE"]}"#,
        })
    }

    /// Whether nothing fails on the hydrator's side, nothing takes nearly as long as an invocation may, and no message is
    /// among the dead letters after its first bad luck, where it waits until somebody moves it back.
    #[must_use]
    pub fn is_calm_for_the_hydrator(&self) -> bool {
        let StreamPlan { stalled_ms, empty_pages, expired, throttled, transient, .. } = &self.stream;
        let HydratorPlan { crashes, throttles, service_fails, sink_fails, .. } = &self.hydrator;
        let rates = [empty_pages, expired, throttled, transient, crashes, throttles, service_fails, sink_fails];
        let HydratorPlan { sink_latency_max_ms, timeout_ms, max_receive, .. } = self.hydrator;
        let has_time = sink_latency_max_ms * 10 <= timeout_ms && max_receive > 1;
        has_time && stalled_ms.is_none() && rates.iter().all(|rate| **rate == 0)
    }

    /// The stream.
    #[must_use]
    pub fn stream_arn(&self) -> &'static str {
        match self.kind {
            StreamKind::Kinesis => "arn:aws:kinesis:us-east-1:111122223333:stream/orders",
            StreamKind::DynamoDb => {
                "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2026-01-01T00:00:00.000"
            }
        }
    }

    fn destination_arn(&self) -> Option<&'static str> {
        match self.destination.kind {
            Destination::Nowhere => None,
            Destination::Queue => Some(QUEUE_ARN),
            Destination::Topic { .. } => Some(TOPIC_ARN),
            Destination::Bucket => Some("arn:aws:s3:::orders-failed"),
        }
    }
}
