//! One process per invocation at a time, and never more than allowed.

use lambda_host::{EnvironmentState, Function, FunctionConfig, FunctionErrorKind, InvokeError};
use serde_json::json;

use crate::bootstrap::{config, function_error, invoke, kill, response, running_pid};

#[tokio::test]
async fn invocations_in_turn_share_a_process() {
    let function = Function::new(config());
    let first = invoke(&function, json!(1)).await;
    let second = invoke(&function, json!(2)).await;
    assert_eq!(first.pid, second.pid);
    assert!(second.init_duration.is_none());
    assert_ne!(first.request_id, second.request_id);
}

#[tokio::test]
async fn invocations_at_once_have_a_process_each() {
    let function = Function::new(config());
    let (first, second) = tokio::join!(invoke(&function, json!(1)), invoke(&function, json!(2)));
    assert_eq!((response(&first), response(&second)), (json!(1), json!(2)));
    assert_ne!(first.pid, second.pid);
    assert_eq!(function.pids().len(), 2);
}

#[tokio::test]
async fn the_process_used_last_is_used_next() {
    let function = Function::new(config());
    let sleeper = tokio::spawn({
        let function = function.clone();
        async move { invoke(&function, json!({ "do": "sleep" })).await }
    });
    let sleeping = running_pid(&function).await;
    let (first, second) = tokio::join!(invoke(&function, json!(1)), invoke(&function, json!(2)));
    let third = invoke(&function, json!(3)).await;
    assert!([first.pid, second.pid].contains(&third.pid), "a warm one");
    let fourth = invoke(&function, json!(4)).await;
    assert_eq!(third.pid, fourth.pid, "the last one");

    kill(sleeping);
    assert_eq!(function_error(&sleeper.await.unwrap()).kind, FunctionErrorKind::Exited);
}

#[tokio::test]
async fn an_invocation_over_the_maximum_is_throttled() {
    let function = Function::new(FunctionConfig { maximum_concurrency: 1, ..config() });
    let sleeper = tokio::spawn({
        let function = function.clone();
        async move { invoke(&function, json!({ "do": "sleep" })).await }
    });
    let pid = running_pid(&function).await;

    let refused = function.invoke("{}").await.unwrap_err();
    assert!(matches!(refused, InvokeError::TooManyRequests { maximum_concurrency: 1, .. }), "{refused}");
    assert!(matches!(&function.environments()[..], [one] if matches!(one.state, EnvironmentState::Running { .. })));

    kill(pid);
    let ended = sleeper.await.unwrap();
    assert_eq!(function_error(&ended).kind, FunctionErrorKind::Exited);
    assert_eq!(response(&invoke(&function, json!("room")).await), "room");
}
