//! Time-outs, crashes, and starts that fail.

use std::time::Duration;

use lambda_host::{Function, FunctionConfig, FunctionErrorKind, InvokeError, Log};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::bootstrap::{
    config, eventually_dead, function_error, invoke, is_alive, kill, response, running_pid, starting,
};

/// Long enough for an echo on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_time_out_kills_the_process_and_its_children() {
    let (sender, mut lines) = mpsc::unbounded_channel();
    let log = Log::lines(move |line| drop(sender.send(line.text)));
    let function = Function::new(FunctionConfig { timeout: TIMEOUT, log, ..config() });
    let result = invoke(&function, json!({ "do": "spawn and sleep" })).await;

    let error = function_error(&result);
    assert_eq!((error.kind, error.error_type.as_str()), (FunctionErrorKind::TimedOut, "Sandbox.Timedout"));
    let expect = format!("RequestId: {} Error: Task timed out after 2.00 seconds", result.request_id);
    assert_eq!(error.message, expect);
    assert!(result.duration >= TIMEOUT);
    assert!(!is_alive(result.pid), "the process was killed before the result came back");
    let child = loop {
        if let Some(pid) = lines.recv().await.unwrap().strip_prefix("child ") {
            break pid.parse().unwrap();
        }
    };
    eventually_dead(child).await;

    let next = invoke(&function, json!({ "after": "time-out" })).await;
    assert_eq!(response(&next), json!({ "after": "time-out" }));
    assert_ne!(next.pid, result.pid);
}

#[tokio::test]
async fn an_exit_in_mid_invocation_is_a_function_error() {
    check_exit(json!({ "do": "exit", "status": 1 }), "Runtime exited with error: exit status 1").await;
    check_exit(json!({ "do": "exit", "status": 0 }), "Runtime exited without providing a reason").await;
}

async fn check_exit(event: Value, reason: &str) {
    let function = Function::new(config());
    let result = invoke(&function, event).await;
    let error = function_error(&result);
    assert_eq!((error.kind, error.error_type.as_str()), (FunctionErrorKind::Exited, "Runtime.ExitError"));
    assert_eq!(error.message, format!("RequestId: {} Error: {reason}", result.request_id));
    let next = invoke(&function, json!({ "after": "exit" })).await;
    assert_eq!(response(&next), json!({ "after": "exit" }));
}

#[tokio::test]
async fn a_kill_in_mid_invocation_is_a_function_error() {
    let function = Function::new(config());
    let invocation = tokio::spawn({
        let function = function.clone();
        async move { invoke(&function, json!({ "do": "sleep" })).await }
    });
    kill(running_pid(&function).await);

    let result = invocation.await.unwrap();
    assert_eq!(function_error(&result).kind, FunctionErrorKind::Exited);
    assert!(function_error(&result).message.ends_with("Error: Runtime exited with error: signal: killed"));
    let next = invoke(&function, json!({ "after": "kill" })).await;
    assert_eq!(response(&next), json!({ "after": "kill" }));
    assert_eq!(function.pids(), [next.pid]);
}

#[tokio::test]
async fn an_exit_during_the_start_is_a_function_error() {
    let function = Function::new(starting("exit"));
    for _ in 0..2 {
        let result = invoke(&function, json!({})).await;
        let error = function_error(&result);
        assert_eq!((error.kind, error.error_type.as_str()), (FunctionErrorKind::Init, "Runtime.ExitError"));
        assert!(error.message.ends_with("exit status 3"), "{}", error.message);
    }
}

#[tokio::test]
async fn a_posted_start_error_is_the_function_error() {
    let function = Function::new(starting("post"));
    let result = invoke(&function, json!({})).await;
    let error = function_error(&result);
    assert_eq!((error.kind, error.error_type.as_str()), (FunctionErrorKind::Init, "Config"));
    assert_eq!(error.message, "TABLE is missing");
    assert!(!is_alive(result.pid));
}

#[tokio::test]
async fn a_start_that_hangs_is_a_function_error() {
    let init_timeout = Duration::from_millis(300);
    let function = Function::new(FunctionConfig { init_timeout, ..starting("hang") });
    let result = invoke(&function, json!({})).await;
    let error = function_error(&result);
    assert_eq!((error.kind, error.error_type.as_str()), (FunctionErrorKind::Init, "Sandbox.Timedout"));
    assert!(error.message.ends_with("timed out after 0.30 seconds"), "{}", error.message);
    assert!(!is_alive(result.pid));
}

#[tokio::test]
async fn the_invocation_after_a_failed_start_tries_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = starting("fail once");
    config.environment.push(("FLAG".to_owned(), directory.path().join("flag").to_str().unwrap().to_owned()));
    let function = Function::new(config);
    assert_eq!(function_error(&invoke(&function, json!({})).await).kind, FunctionErrorKind::Init);
    assert_eq!(response(&invoke(&function, json!({ "try": 2 })).await), json!({ "try": 2 }));
}

#[tokio::test]
async fn a_program_that_does_not_exist_never_ran() {
    let function = Function::new(FunctionConfig::new("orders", "/nowhere/bootstrap"));
    let error = function.invoke("{}").await.unwrap_err();
    assert!(matches!(error, InvokeError::Start { .. }));
    assert_eq!(error.to_string(), "failed to start `/nowhere/bootstrap`");
}
