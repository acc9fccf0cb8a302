//! What a process inherits, and that it never outlives its host.

use std::{
    env,
    io::{BufRead, BufReader, ErrorKind},
    net::TcpStream,
    process::{Command, Stdio},
    time::Duration,
};

use lambda_host::{Function, FunctionErrorKind, InvokeError};
use serde_json::json;

use crate::bootstrap::{
    config, eventually, eventually_dead, function_error, invoke, is_alive, kill, response, running_pid, starting,
};

#[tokio::test]
async fn the_environment_is_lambdas_and_not_the_parents() {
    let mut config = config();
    config.environment.push(("TABLE".to_owned(), "orders".to_owned()));
    let function = Function::new(config);
    let seen = response(&invoke(&function, json!({ "do": "environment" })).await);

    assert_eq!(seen["TABLE"], "orders");
    assert_eq!(seen["AWS_REGION"], "eu-central-1");
    assert_eq!(seen["AWS_LAMBDA_FUNCTION_NAME"], "orders");
    assert_eq!(seen["_HANDLER"], "bootstrap");
    assert!(seen["_X_AMZN_TRACE_ID"].as_str().unwrap().starts_with("Root=1-"), "set by the runtime, from the header");
    let known = |name: &str| {
        let lambdas =
            ["AWS_DEFAULT_REGION", "AWS_REGION", "AWS_XRAY_CONTEXT_MISSING", "LAMBDA_TASK_ROOT", "LANG", "TZ"];
        let inherited = ["HOME", "LLVM_PROFILE_FILE", "PATH", "RUST_BACKTRACE", "RUST_LIB_BACKTRACE", "TMPDIR"];
        let prefixes = ["AWS_LAMBDA_", "DYLD_", "LD_", "_"];
        name == "TABLE"
            || lambdas.contains(&name)
            || inherited.contains(&name)
            || prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    let leaked: Vec<_> = seen.as_object().unwrap().keys().filter(|name| !known(name)).collect();
    assert!(leaked.is_empty(), "{leaked:?}");

    let directory = response(&invoke(&function, json!({ "do": "context" })).await)["directory"].clone();
    assert_eq!(directory, seen["LAMBDA_TASK_ROOT"]);
}

#[tokio::test]
async fn a_process_that_dies_idle_costs_no_invocation() {
    let function = Function::new(config());
    let pid = invoke(&function, json!({})).await.pid;
    kill(pid);
    eventually_dead(pid).await;
    let next = invoke(&function, json!({ "still": "here" })).await;
    assert_eq!(response(&next), json!({ "still": "here" }));
    assert_ne!(next.pid, pid);
}

#[tokio::test]
async fn a_process_that_dies_idle_is_noticed_without_an_invocation() {
    let function = Function::new(config());
    kill(invoke(&function, json!({})).await.pid);
    eventually("the dead are struck out", || function.pids().is_empty().then_some(())).await;
}

#[tokio::test]
async fn an_event_that_was_not_fetched_goes_to_another_process() {
    let function = Function::new(starting("answer once"));
    let first = invoke(&function, json!({})).await;
    let second = invoke(&function, json!({})).await;
    assert_eq!((response(&first), response(&second)), (json!("once"), json!("once")));
    assert_ne!(first.pid, second.pid);
}

#[tokio::test]
async fn a_shutdown_leaves_no_process_and_no_port() {
    let function = Function::new(config());
    let (first, second) = tokio::join!(
        invoke(&function, json!({ "do": "environment" })),
        invoke(&function, json!({ "do": "environment" }))
    );
    let sleeper = tokio::spawn({
        let function = function.clone();
        async move { invoke(&function, json!({ "do": "sleep" })).await }
    });
    let sleeping = running_pid(&function).await;
    function.shutdown().await;

    for result in [&first, &second] {
        assert!(!is_alive(result.pid));
        let port = response(result)["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().to_owned();
        assert_eq!(TcpStream::connect(port).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
    assert!(!is_alive(sleeping));
    assert_eq!(function_error(&sleeper.await.unwrap()).kind, FunctionErrorKind::Exited);
    assert!(matches!(function.invoke("{}").await, Err(InvokeError::ShutDown { .. })));
}

#[tokio::test]
async fn a_function_that_is_dropped_leaves_no_process() {
    let function = Function::new(config());
    let pid = invoke(&function, json!({})).await.pid;
    assert!(is_alive(pid));
    drop(function);
    eventually_dead(pid).await;
}

#[test]
fn a_runtime_that_is_dropped_leaves_no_process() {
    let function = Function::new(config());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pid = runtime.block_on(invoke(&function, json!({}))).pid;
    drop(runtime);
    tokio::runtime::Runtime::new().unwrap().block_on(eventually_dead(pid));
}

#[tokio::test]
async fn an_invocation_that_is_dropped_ends() {
    let function = Function::new(config());
    let sleeper = tokio::spawn({
        let function = function.clone();
        async move { invoke(&function, json!({ "do": "sleep" })).await }
    });
    let pid = running_pid(&function).await;
    sleeper.abort();
    eventually_dead(pid).await;
    assert_eq!(response(&invoke(&function, json!("next")).await), "next");
}

#[tokio::test]
async fn a_host_that_is_killed_leaves_no_process() {
    let mut host = Command::new(env::current_exe().unwrap())
        .args(["processes::host", "--exact", "--nocapture"])
        .env("HOST_TO_BE_KILLED", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let printed = BufReader::new(host.stdout.take().unwrap());
    let pid = printed.lines().find_map(|line| line.unwrap().strip_prefix("environment ")?.parse().ok()).unwrap();
    assert!(is_alive(pid));
    host.kill().unwrap();
    host.wait().unwrap();
    eventually_dead(pid).await;
}

/// Not a test, but the host of the one above.
#[tokio::test]
async fn host() {
    if env::var_os("HOST_TO_BE_KILLED").is_none() {
        return;
    }
    let function = Function::new(config());
    println!("\nenvironment {}", invoke(&function, json!({})).await.pid);
    tokio::time::sleep(Duration::from_secs(3600)).await;
}
