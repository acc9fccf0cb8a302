//! What an invocation ends with.

use std::{io, path::PathBuf, time::Duration};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

/// The most bytes of a response, and of the event of a synchronous invocation: 6 MiB and 100 bytes, as Lambda counts.
pub(crate) const PAYLOAD_LIMIT_BYTES: usize = 6 * 1024 * 1024 + 100;

/// An invocation that reached the function.
#[derive(Clone, Debug)]
pub struct InvocationResult {
    /// The request id that the function saw.
    pub request_id: String,
    /// What came back.
    pub outcome: Outcome,
    /// The time from handing the event over to the end of the invocation, without the start of the process.
    pub duration: Duration,
    /// The time from the start of the process to its first request for work; `None` in a warm environment.
    pub init_duration: Option<Duration>,
    /// The process that ran it.
    pub pid: u32,
}

/// A response, or a function error (`X-Amz-Function-Error` in Lambda's `Invoke`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The body that the function posted, untouched.
    Response(Bytes),
    /// The function failed, or Lambda failed it.
    FunctionError(FunctionError),
}

/// A function error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// Why there is no response.
    pub kind: FunctionErrorKind,
    /// `errorType`: the function's own word, or one of Lambda's as `Sandbox.Timedout`.
    pub error_type: String,
    /// `errorMessage`; empty if the function posted none.
    pub message: String,
    /// The payload that Lambda's `Invoke` returns: the posted body, or Lambda's JSON.
    pub payload: Bytes,
}

/// Why a function error is one. To `X-Amz-Function-Error` all of them are `Unhandled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionErrorKind {
    /// The function posted an error: its handler returned one or panicked.
    Posted,
    /// The function passed its time-out and was killed.
    TimedOut,
    /// The process ended in mid-invocation.
    Exited,
    /// The process failed before it asked for work, or took too long.
    Init,
    /// The response was over 6 MiB.
    ResponseTooLarge,
}

/// An invocation that never reached the function.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// As many invocations as allowed are running (`TooManyRequestsException`).
    #[error("function `{function}` is throttled: {maximum_concurrency} invocations are running")]
    TooManyRequests {
        /// The function.
        function: String,
        /// Its limit.
        maximum_concurrency: usize,
    },
    /// The event is larger than Lambda takes (`RequestTooLargeException`).
    #[error("event of {payload_bytes} bytes for function `{function}` exceeds {PAYLOAD_LIMIT_BYTES} bytes")]
    RequestTooLarge {
        /// The function.
        function: String,
        /// The event's size.
        payload_bytes: usize,
    },
    /// The process could not be started.
    #[error("failed to start `{}`", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The host has been shut down.
    #[error("function `{function}` is shut down")]
    ShutDown {
        /// The function.
        function: String,
    },
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PostedError {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl FunctionError {
    /// The error that a function posted. The body's `errorType` wins over the header's, since callers see the body.
    pub(crate) fn posted(kind: FunctionErrorKind, header_type: Option<&str>, payload: Bytes) -> Self {
        let posted: PostedError = serde_json::from_slice(&payload).unwrap_or_default();
        Self {
            kind,
            error_type: posted.error_type.or(header_type.map(str::to_owned)).unwrap_or_else(|| "Unhandled".to_owned()),
            message: posted.error_message.unwrap_or_default(),
            payload,
        }
    }

    pub(crate) fn timed_out(kind: FunctionErrorKind, request_id: &str, bound: Duration) -> Self {
        let message = format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", bound.as_secs_f64());
        Self::of_lambda(kind, "Sandbox.Timedout", message)
    }

    pub(crate) fn exited(kind: FunctionErrorKind, request_id: &str, reason: &str) -> Self {
        Self::of_lambda(kind, "Runtime.ExitError", format!("RequestId: {request_id} Error: {reason}"))
    }

    pub(crate) fn response_too_large(response_bytes: usize) -> Self {
        let message = format!(
            "Response payload size ({response_bytes} bytes) exceeded maximum allowed payload size ({PAYLOAD_LIMIT_BYTES} bytes)."
        );
        Self::of_lambda(FunctionErrorKind::ResponseTooLarge, "Function.ResponseSizeTooLarge", message)
    }

    fn of_lambda(kind: FunctionErrorKind, error_type: &str, message: String) -> Self {
        let payload = json!({ "errorType": error_type, "errorMessage": message }).to_string().into();
        Self { kind, error_type: error_type.to_owned(), message, payload }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header_type: Option<&str>, body: &'static str, expect: (&str, &str)) {
        let error = FunctionError::posted(FunctionErrorKind::Posted, header_type, Bytes::from(body));
        assert_eq!((error.error_type.as_str(), error.message.as_str()), expect);
        assert_eq!(error.payload, body);
    }

    #[test]
    fn a_posted_error_keeps_its_body_whatever_it_is() {
        check(Some("unhandled"), r#"{"errorType":"Poison","errorMessage":"no"}"#, ("Poison", "no"));
        check(Some("unhandled"), r#"{"errorMessage":"no"}"#, ("unhandled", "no"));
        check(None, "not JSON", ("Unhandled", ""));
    }

    #[test]
    fn a_time_out_reads_as_lambdas() {
        let error = FunctionError::timed_out(FunctionErrorKind::TimedOut, "id", Duration::from_secs(3));
        assert_eq!(
            error.payload,
            r#"{"errorMessage":"RequestId: id Error: Task timed out after 3.00 seconds","errorType":"Sandbox.Timedout"}"#
        );
    }
}
