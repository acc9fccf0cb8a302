//! What functions print.

use std::collections::HashSet;

use lambda_host::{Function, FunctionConfig, Log};
use serde_json::json;
use tokio::sync::mpsc;

use crate::bootstrap::{config, eventually, invoke, response};

#[tokio::test]
async fn every_line_of_a_flood_arrives() {
    let (sender, mut lines) = mpsc::unbounded_channel();
    let log = Log::lines(move |line| drop(sender.send(line)));
    let function = Function::new(FunctionConfig { log, ..config() });
    let result = invoke(&function, json!({ "do": "flood", "lines": 3000 })).await;
    assert_eq!(response(&result), json!(null));

    let mut numbers = HashSet::new();
    while numbers.len() < 3000 {
        let line = lines.recv().await.unwrap();
        assert_eq!(line.pid, result.pid);
        let mut words = line.text.split(' ');
        if words.next() == Some("flood") {
            numbers.insert(words.next().unwrap().to_owned());
        }
    }
}

#[tokio::test]
async fn the_last_words_of_a_crash_arrive_before_its_result() {
    let (sender, mut lines) = mpsc::unbounded_channel();
    let log = Log::lines(move |line| drop(sender.send(line.text)));
    let function = Function::new(FunctionConfig { log, ..config() });
    invoke(&function, json!({ "do": "exit", "status": 1 })).await;
    let printed: Vec<_> = std::iter::from_fn(|| lines.try_recv().ok()).collect();
    assert!(printed.iter().any(|line| line == "last words"), "{printed:?}");
}

#[tokio::test]
async fn a_flood_into_nothing_blocks_nobody() {
    let function = Function::new(config());
    assert_eq!(response(&invoke(&function, json!({ "do": "flood", "lines": 3000 })).await), json!(null));
}

#[tokio::test]
async fn lines_may_go_to_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.log");
    let function = Function::new(FunctionConfig { log: Log::File(path.clone()), ..config() });
    invoke(&function, json!({ "do": "flood", "lines": 2 })).await;
    let text =
        eventually("the second line", || std::fs::read_to_string(&path).ok().filter(|text| text.contains("flood 1")));
    assert!(text.await.contains("flood 0"));
}
