//! Why Lambda gave up.

use super::object::Object;

/// Why Lambda gave up. Nothing in it is needed to recover the records, so nothing in it is required.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// `RetryAttemptsExhausted`, `RecordAgeExceeded`, or another: the set is open.
    pub condition: Option<String>,
    /// The function, with its version or alias where the mapping names one; or the pipe, of EventBridge Pipes.
    pub function_arn: Option<String>,
    /// The last invocation's request id.
    pub request_id: Option<String>,
    /// About how often the function was invoked with the batch.
    pub approximate_invoke_count: Option<u64>,
    /// `Unhandled` when the function threw; absent when its responses named failures.
    pub function_error: Option<String>,
}

impl Failure {
    /// Reads what `message` says: Lambda in `requestContext` and `responseContext`, a pipe in `context`.
    pub(super) fn read(message: &Object<'_>) -> Self {
        let text = |object: &Option<Object<'_>>, name: &str| Some(object.as_ref()?.any_string(name)?.into_owned());
        let request = message.any_object("requestContext");
        let response = message.any_object("responseContext");
        let pipe = message.any_object("context");
        Self {
            condition: text(&request, "condition").or_else(|| text(&pipe, "condition")),
            function_arn: text(&request, "functionArn").or_else(|| text(&pipe, "partnerResourceArn")),
            request_id: text(&request, "requestId"),
            approximate_invoke_count: request.and_then(|request| request.any_number("approximateInvokeCount")),
            function_error: text(&response, "functionError"),
        }
    }
}
