//! One invocation, as the function will see it: headers and event.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};
use bytes::Bytes;
use uuid::Uuid;

pub(crate) const AWS_REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
pub(crate) const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");
const COGNITO_IDENTITY: HeaderName = HeaderName::from_static("lambda-runtime-cognito-identity");
const DEADLINE_MS: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const INVOKED_FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");

/// What a caller may pass along with an event.
#[derive(Clone, Debug, Default)]
pub struct InvokeOptions {
    client_context: Option<HeaderValue>,
    cognito_identity: Option<HeaderValue>,
}

/// A text that cannot travel in an HTTP header.
#[derive(Debug, thiserror::Error)]
#[error("failed to put `{text}` into a header: only visible ASCII can be sent")]
pub struct InvalidHeader {
    text: String,
}

impl InvokeOptions {
    /// Passes a client context along: JSON text, not yet in Base64.
    pub fn client_context(mut self, json: &str) -> Result<Self, InvalidHeader> {
        self.client_context = Some(header(json)?);
        Ok(self)
    }

    /// Passes a Cognito identity along: JSON text.
    pub fn cognito_identity(mut self, json: &str) -> Result<Self, InvalidHeader> {
        self.cognito_identity = Some(header(json)?);
        Ok(self)
    }
}

/// An event on its way to a process.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: Uuid,
    /// Tells two attempts at one request apart; the `lambda_runtime` crate sends it back from version 1.5 on.
    pub(crate) invocation_id: Uuid,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

impl Invocation {
    pub(crate) fn new(
        request_id: Uuid,
        arn: &HeaderValue,
        payload: Bytes,
        options: InvokeOptions,
        now: SystemTime,
        deadline: SystemTime,
    ) -> Self {
        let invocation_id = Uuid::new_v4();
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(AWS_REQUEST_ID, id_value(request_id));
        headers.insert(INVOCATION_ID, id_value(invocation_id));
        headers.insert(DEADLINE_MS, HeaderValue::from(epoch_ms(deadline)));
        headers.insert(INVOKED_FUNCTION_ARN, arn.clone());
        if let Ok(trace) = HeaderValue::try_from(trace_id(now, Uuid::new_v4(), Uuid::new_v4())) {
            headers.insert(TRACE_ID, trace);
        }
        headers.extend(options.client_context.map(|value| (CLIENT_CONTEXT, value)));
        headers.extend(options.cognito_identity.map(|value| (COGNITO_IDENTITY, value)));
        Self { request_id, invocation_id, headers, payload }
    }
}

/// A text as the value of a header.
pub(crate) fn header(text: &str) -> Result<HeaderValue, InvalidHeader> {
    HeaderValue::from_str(text).map_err(|_| InvalidHeader { text: text.to_owned() })
}

fn id_value(id: Uuid) -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut buffer)).unwrap_or(HeaderValue::from_static(""))
}

fn epoch_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// An X-Ray trace header: <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>.
fn trace_id(now: SystemTime, root: Uuid, parent: Uuid) -> String {
    let (epoch_secs, root, parent) = (epoch_ms(now) / 1000, root.as_u128() >> 32, parent.as_u64_pair().0);
    format!("Root=1-{epoch_secs:08x}-{root:024x};Parent={parent:016x};Sampled=0")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_trace_id_is_well_formed() {
        let trace = trace_id(UNIX_EPOCH + Duration::from_secs(0x5759_e988), Uuid::from_u128(7 << 32), Uuid::nil());
        assert_eq!(trace, "Root=1-5759e988-000000000000000000000007;Parent=0000000000000000;Sampled=0");
    }

    #[test]
    fn the_deadline_is_in_milliseconds_of_the_epoch() {
        let deadline = UNIX_EPOCH + Duration::from_millis(1_542_409_706_888);
        let arn = HeaderValue::from_static("arn:aws:lambda:us-east-1:000000000000:function:orders");
        let options = InvokeOptions::default().client_context(r#"{"custom":{}}"#).unwrap();
        let invocation = Invocation::new(Uuid::nil(), &arn, Bytes::new(), options, UNIX_EPOCH, deadline);
        let headers = invocation.headers;
        assert_eq!(headers[DEADLINE_MS], "1542409706888");
        assert_eq!(headers[AWS_REQUEST_ID], "00000000-0000-0000-0000-000000000000");
        assert_eq!(headers[CLIENT_CONTEXT], r#"{"custom":{}}"#);
        assert!(!headers.contains_key(COGNITO_IDENTITY));
    }

    #[test]
    fn a_line_break_cannot_be_smuggled_into_a_header() {
        let error = InvokeOptions::default().client_context("{}\r\nX: y").unwrap_err();
        assert!(error.to_string().contains("only visible ASCII"));
    }
}
