//! What a function sees, and what comes back from it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_host::{Function, FunctionConfig, FunctionErrorKind, InvokeError, InvokeOptions};
use serde_json::json;

use crate::bootstrap::{config, function_error, invoke, response};

/// As the mobile SDK sends it: the runtime insists on every field.
const CLIENT_CONTEXT: &str = r#"{
    "client": {
        "installation_id": "", "app_title": "", "app_version_name": "", "app_version_code": "", "app_package_name": ""
    },
    "custom": { "tenant": "7" },
    "environment": {}
}"#;

#[tokio::test]
async fn a_response_comes_back() {
    let function = Function::new(config());
    let result = invoke(&function, json!({ "hello": "world" })).await;
    assert_eq!(response(&result), json!({ "hello": "world" }));
    assert!(result.init_duration.is_some());
}

#[tokio::test]
async fn the_context_is_true() {
    let function = Function::new(FunctionConfig { timeout: Duration::from_secs(20), ..config() });
    let before_ms = epoch_ms();
    let options = InvokeOptions::default()
        .client_context(&CLIENT_CONTEXT.replace('\n', " "))
        .and_then(|options| options.cognito_identity(r#"{"identity_id":"me","identity_pool_id":"us"}"#))
        .unwrap();
    let result = function.invoke_with(json!({ "do": "context" }).to_string(), options).await.unwrap();
    let context = response(&result);

    assert_eq!(context["request_id"], result.request_id);
    assert_eq!(context["arn"], "arn:aws:lambda:eu-central-1:123456789012:function:orders");
    assert_eq!(context["client_context"]["custom"]["tenant"], "7");
    assert_eq!(context["identity"]["identityId"], "me");
    assert!(context["trace_id"].as_str().unwrap().starts_with("Root=1-"));

    let deadline_ms = context["deadline_ms"].as_u64().unwrap();
    assert!(deadline_ms >= before_ms + 20_000, "the whole time-out is left at the start");
    assert!(deadline_ms <= context["now_ms"].as_u64().unwrap() + 20_000, "the clock runs from the start on");
}

#[tokio::test]
async fn an_error_of_the_handler_is_a_function_error() {
    let function = Function::new(config());
    let result = invoke(&function, json!({ "do": "fail" })).await;
    let error = function_error(&result);
    assert_eq!((error.kind, error.message.as_str()), (FunctionErrorKind::Posted, "this record is poison"));
    assert!(error.payload.starts_with(b"{"));

    let next = invoke(&function, json!({})).await;
    assert_eq!(next.pid, result.pid, "the environment is fine");
}

#[tokio::test]
async fn a_panic_of_the_handler_is_a_function_error() {
    let function = Function::new(config());
    let result = invoke(&function, json!({ "do": "panic" })).await;
    assert_eq!(function_error(&result).kind, FunctionErrorKind::Posted);
    assert!(function_error(&result).message.contains("out of cheese"));
}

#[tokio::test]
async fn a_response_over_the_limit_is_a_function_error() {
    let function = Function::new(config());
    let largest = invoke(&function, json!({ "do": "large", "bytes": 6 * 1024 * 1024 })).await;
    assert_eq!(response(&largest).as_str().unwrap().len(), 6 * 1024 * 1024);

    let result = invoke(&function, json!({ "do": "large", "bytes": 7 * 1024 * 1024 })).await;
    let error = function_error(&result);
    assert_eq!(error.kind, FunctionErrorKind::ResponseTooLarge);
    assert_eq!(error.error_type, "Function.ResponseSizeTooLarge");
    assert!(error.message.starts_with("Response payload size (7340034 bytes) exceeded"), "{}", error.message);

    let next = invoke(&function, json!({})).await;
    assert_eq!(next.pid, result.pid, "the environment is fine");
}

#[tokio::test]
async fn an_event_over_the_limit_never_reaches_the_function() {
    let function = Function::new(config());
    let refused = function.invoke(vec![b' '; 7 * 1024 * 1024]).await.unwrap_err();
    assert!(matches!(refused, InvokeError::RequestTooLarge { payload_bytes: 7_340_032, .. }), "{refused}");
    assert!(function.pids().is_empty());
}

#[tokio::test]
async fn a_response_to_another_request_is_refused() {
    let function = Function::new(config());
    let earlier = invoke(&function, json!({})).await.request_id;

    for (request_id, status) in [(earlier.as_str(), 400), ("no-id", 400)] {
        let result = invoke(&function, json!({ "do": "post", "request_id": request_id })).await;
        assert_eq!(response(&result), status, "{request_id}");
    }
    let attempt = "lambda-runtime-invocation-id: 00000000-0000-0000-0000-000000000000\r\n";
    let result = invoke(&function, json!({ "do": "post", "headers": attempt })).await;
    assert_eq!(response(&result), 410, "a response of another attempt");
}

#[tokio::test]
async fn a_second_event_is_not_handed_out_before_the_first_is_done() {
    let function = Function::new(config());
    assert_eq!(response(&invoke(&function, json!({ "do": "next" })).await), 403);
}

fn epoch_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}
