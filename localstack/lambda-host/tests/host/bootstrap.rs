//! The function under test, on the real `lambda_runtime` crate, and the tests' view of it.

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    process::{self, Command},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use lambda_host::{Function, FunctionConfig, FunctionError, InvocationResult, Outcome};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

/// Not a test, but the `bootstrap` of the tests: the binary is started again with the name of this one as its filter.
#[test]
fn bootstrap() {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ended = runtime.block_on(lambda_runtime::run(service_fn(handle)));
    eprintln!("ended: {ended:?}");
    process::exit(if ended.is_ok() { 0 } else { 70 });
}

/// The ways to begin badly.
fn start() {
    match env::var("START").as_deref() {
        Ok("exit") => process::exit(3),
        Ok("hang") => std::thread::sleep(Duration::from_secs(3600)),
        Ok("post") => {
            let body = r#"{"errorType":"Config","errorMessage":"TABLE is missing"}"#;
            assert_eq!(post("/2018-06-01/runtime/init/error", "", body), 202);
            std::thread::sleep(Duration::from_secs(3600));
        }
        Ok("fail once") => {
            let flag = env::var("FLAG").unwrap();
            if std::fs::File::create_new(flag).is_ok() {
                process::exit(1);
            }
        }
        Ok("answer once") => {
            let (_, next) = request("GET", "/2018-06-01/runtime/invocation/next", "", "");
            let id = next.lines().find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: ")).unwrap();
            let path = format!("/2018-06-01/runtime/invocation/{id}/response");
            assert_eq!(post(&path, "", "\"once\""), 202);
            // Long enough for another event to be offered, which is never fetched.
            std::thread::sleep(Duration::from_millis(200));
            process::exit(0);
        }
        _ => {}
    }
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    match event["do"].as_str().unwrap_or_default() {
        "fail" => Err("this record is poison".into()),
        "panic" => panic!("out of cheese"),
        "sleep" => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(Value::Null)
        }
        "exit" => {
            println!("last words");
            process::exit(i32::try_from(event["status"].as_i64().unwrap()).unwrap())
        }
        "spawn and sleep" => {
            let child = Command::new("sleep").arg("3600").spawn()?;
            println!("child {}", child.id());
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(Value::Null)
        }
        "flood" => {
            for line in 0..event["lines"].as_u64().unwrap() {
                println!("flood {line} {}", "x".repeat(1000));
            }
            Ok(Value::Null)
        }
        "large" => Ok("x".repeat(usize::try_from(event["bytes"].as_u64().unwrap())?).into()),
        "environment" => Ok(Value::Object(env::vars().map(|(name, value)| (name, value.into())).collect())),
        "context" => Ok(json!({
            "request_id": context.request_id,
            "deadline_ms": context.deadline,
            "now_ms": u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?,
            "arn": context.invoked_function_arn,
            "trace_id": context.xray_trace_id,
            "client_context": context.client_context,
            "identity": context.identity,
            "directory": env::current_dir()?,
        })),
        "post" => {
            let id = event["request_id"].as_str().unwrap_or(&context.request_id);
            let headers = event["headers"].as_str().unwrap_or_default();
            Ok(post(&format!("/2018-06-01/runtime/invocation/{id}/response"), headers, "{}").into())
        }
        "next" => Ok(request("GET", "/2018-06-01/runtime/invocation/next", "", "").0.into()),
        _ => Ok(event),
    }
}

fn post(path: &str, headers: &str, body: &str) -> u16 {
    request("POST", path, headers, body).0
}

/// A request as no well-behaved runtime makes it.
fn request(method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(env::var("AWS_LAMBDA_RUNTIME_API").unwrap()).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

/// The configuration of the function above. Its time-out is far off: tests of time-outs set their own.
pub fn config() -> FunctionConfig {
    FunctionConfig {
        arguments: ["bootstrap::bootstrap", "--exact", "--nocapture"].map(str::to_owned).into(),
        timeout: Duration::from_secs(60),
        init_timeout: Duration::from_secs(60),
        region: "eu-central-1".to_owned(),
        account_id: "123456789012".to_owned(),
        ..FunctionConfig::new("orders", env::current_exe().unwrap())
    }
}

/// The function above, beginning badly.
pub fn starting(how: &str) -> FunctionConfig {
    FunctionConfig { environment: vec![("START".to_owned(), how.to_owned())], ..config() }
}

pub async fn invoke(function: &Function, event: Value) -> InvocationResult {
    function.invoke(event.to_string()).await.unwrap()
}

/// The response to an event, as JSON.
#[track_caller]
pub fn response(result: &InvocationResult) -> Value {
    match &result.outcome {
        Outcome::Response(body) => serde_json::from_slice(body).unwrap(),
        Outcome::FunctionError(error) => panic!("function error: {error:?}"),
    }
}

#[track_caller]
pub fn function_error(result: &InvocationResult) -> &FunctionError {
    match &result.outcome {
        Outcome::Response(body) => panic!("response: {body:?}"),
        Outcome::FunctionError(error) => error,
    }
}

/// The process of an invocation that is in flight, as soon as it has the event in hand.
pub async fn running_pid(function: &Function) -> u32 {
    eventually("an invocation runs", || function.running().first().map(|environment| environment.pid)).await
}

/// Waits until `look` finds something; the bound is for tests that would fail anyway.
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub async fn eventually_dead(pid: u32) {
    eventually(&format!("process {pid} ends"), || (!is_alive(pid)).then_some(())).await;
}

/// Whether a process runs; one that waits to be reaped does not.
pub fn is_alive(pid: u32) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap().stdout;
    !(state.trim_ascii().is_empty() || state.starts_with(b"Z"))
}

pub fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
