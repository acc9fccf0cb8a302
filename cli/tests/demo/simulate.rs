//! `streamctl simulate` as a user runs it.

use crate::streamctl::{Ended, ended, file};
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

/// Runs `streamctl simulate` to its end.
async fn simulate(arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streamctl"));
    command.arg("simulate").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    ended(command).await
}

/// A file with an example.
fn example(name: &str) -> tempfile::NamedTempFile {
    file(simulation::example(name).unwrap().text.as_bytes())
}

#[tokio::test]
async fn an_example_is_printed_as_it_can_be_run() {
    let printed = simulate(&["--example", "walkthrough-2"]).await;
    assert_eq!(printed.status, 0);
    let scenario = file(printed.stdout.as_bytes());
    let run = simulate(&[scenario.path().to_str().unwrap()]).await;
    assert_eq!((run.status, &*run.stderr), (0, ""));
    for line in
        ["invokes with 1-10 -> failed", "splits into 5 and 5", "tells the destination of 5: RetryAttemptsExhausted"]
    {
        assert!(run.stdout.contains(line), "{line}: {}", run.stdout);
    }
    assert!(run.stdout.contains("handled more than once      4\n"), "{}", run.stdout);

    let list = simulate(&["--example"]).await;
    assert!(list.stdout.lines().any(|line| line.starts_with("endless ")), "{}", list.stdout);
    let unknown = simulate(&["--example", "nothing"]).await;
    assert_eq!((unknown.status, &*unknown.stdout), (1, ""));
    assert!(unknown.stderr.starts_with("error: there is no example `nothing`; there are:"), "{}", unknown.stderr);
}

#[tokio::test]
async fn the_outcome_comes_as_data_too() {
    let scenario = example("walkthrough-4");
    let run = simulate(&["--json", scenario.path().to_str().unwrap()]).await;
    let outcome: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(outcome["invocations"][2]["records"], serde_json::json!([2, 3]));
    assert_eq!(outcome["on_failure"][0]["KinesisBatchInfo"]["batchSize"], 2);
}

#[tokio::test]
async fn four_settings_are_compared_in_one_table() {
    let scenario = example("walkthrough-2");
    let path = scenario.path().to_str().unwrap();
    let table = simulate(&["--compare", path]).await.stdout;
    let row = |name: &str| {
        let line = table.lines().find(|line| line.trim_start().starts_with(name));
        line.unwrap_or_else(|| panic!("no {name} in {table}")).split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("bisect")[1..3], ["7", "4"]);
    assert_eq!(row("partial")[1..3], ["2", "0"]);
    let json: Value = serde_json::from_str(&simulate(&["--compare", "--json", path]).await.stdout).unwrap();
    assert_eq!(json["whole batches"]["records_in_destination"], 10);
}

#[tokio::test]
async fn a_report_is_one_page() {
    let (scenario, folder) = (example("walkthrough-2"), tempfile::tempdir().unwrap());
    let page = folder.path().join("page.html");
    let run = simulate(&[scenario.path().to_str().unwrap(), "--report", page.to_str().unwrap()]).await;
    assert_eq!(run.status, 0, "{}", run.stderr);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("RetryAttemptsExhausted"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");

    let nowhere = simulate(&[scenario.path().to_str().unwrap(), "--report", "/nonexistent/page.html"]).await;
    assert_eq!(nowhere.status, 1);
    assert!(
        nowhere.stderr.starts_with("error: failed to write the report `/nonexistent/page.html`: "),
        "{}",
        nowhere.stderr
    );
}

#[tokio::test]
async fn a_scenario_that_cannot_be_run_is_named_with_line_key_and_range() {
    let scenario = file(b"[mapping]\nBatchSize = 0\n[stream]\nrecords = 10\n");
    let path = scenario.path().to_str().unwrap();
    let run = simulate(&[path]).await;
    assert_eq!((run.status, &*run.stdout), (1, ""));
    let expected =
        format!("error: {path}:2:1: mapping.BatchSize must be 1 to 10000, got 0; AWS would answer Validation");
    assert!(run.stderr.starts_with(&expected), "{}", run.stderr);

    let missing = simulate(&["/nonexistent.toml"]).await;
    assert!(missing.stderr.starts_with("error: failed to read `/nonexistent.toml`: "), "{}", missing.stderr);
    let binary = file(b"\xff\xfe");
    let run = simulate(&[binary.path().to_str().unwrap()]).await;
    assert!(run.stderr.contains("expected UTF-8"), "{}", run.stderr);
    assert_eq!(simulate(&[]).await.status, 2);
    assert_eq!(simulate(&[path, "--compare", "--report", "x.html"]).await.status, 2);
}

#[tokio::test]
async fn a_seed_of_the_command_line_takes_the_place_of_the_scenarios() {
    let scenario = example("walkthrough-1");
    let path = scenario.path().to_str().unwrap();
    let with = async |seed: &str| simulate(&[path, "--seed", seed]).await.stdout;
    assert_eq!(with("5").await, with("5").await);
    assert_ne!(with("5").await, with("6").await);
}
