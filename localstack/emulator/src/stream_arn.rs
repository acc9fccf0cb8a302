//! Lets Kinesis be asked by `StreamARN` where `ferrokinesis` 0.7.0 knows `StreamName` only.
//!
//! AWS takes either, and recommends the ARN: it names the account too. Without this, a client would have to be written
//! for the emulator.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use records::StreamArn;
use serde_json::Value;

/// Bounds the requests that are looked into, in bytes. They hold names and numbers.
const REQUEST_MAX_BYTES: usize = 64 * 1024;

/// The operations in question, of those that a client of this workspace may call.
const OPERATIONS: [&str; 7] = [
    "Kinesis_20131202.DeleteStream",
    "Kinesis_20131202.DescribeStream",
    "Kinesis_20131202.DescribeStreamSummary",
    "Kinesis_20131202.GetShardIterator",
    "Kinesis_20131202.ListShards",
    "Kinesis_20131202.MergeShards",
    "Kinesis_20131202.SplitShard",
];

/// Adds the name of a stream to a request that gives its ARN.
pub(crate) async fn add_stream_name(request: Request, next: Next) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !OPERATIONS.contains(&target) {
        return next.run(request).await;
    }
    let (mut head, body) = request.into_parts();
    let body = match to_bytes(body, REQUEST_MAX_BYTES).await {
        Ok(body) => body,
        Err(error) => return (axum::http::StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response(),
    };
    let body = match with_stream_name(&body) {
        Some(named) => {
            head.headers.remove("content-length");
            Body::from(named)
        }
        None => Body::from(body),
    };
    next.run(Request::from_parts(head, body)).await
}

/// The body with a `StreamName`, when it has a `StreamARN` alone.
fn with_stream_name(body: &[u8]) -> Option<String> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let fields = request.as_object_mut().filter(|fields| !fields.contains_key("StreamName"))?;
    let stream = StreamArn::parse(fields.get("StreamARN")?.as_str()?).ok()?;
    fields.insert("StreamName".to_owned(), stream.name().into());
    Some(request.to_string())
}

#[cfg(test)]
mod tests {
    use super::with_stream_name;

    fn check(body: &str, expected: Option<&str>) {
        assert_eq!(with_stream_name(body.as_bytes()).as_deref(), expected);
    }

    #[test]
    fn an_arn_alone_gets_its_name() {
        let arn = r#""StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders""#;
        check(&format!("{{{arn}}}"), Some(&format!(r#"{{{arn},"StreamName":"orders"}}"#)));
        check(&format!(r#"{{{arn},"StreamName":"orders"}}"#), None);
        check(r#"{"NextToken":"x"}"#, None);
        check(r#"{"StreamARN":"orders"}"#, None);
        check("no json", None);
    }
}
