//! What a person sees, and what a pipe does.

use crate::streamctl::{command, demo, ended, functions_are_built, stand_in_for_cargo};
use std::io::pipe;

#[tokio::test]
async fn a_person_reads_a_table_and_a_sentence() {
    let ended = demo(["--records", "500", "--batch-size", "1", "--retries", "0"]).await;
    assert_eq!(ended.status, 0, "{ended:#?}");
    let (table, sentence) = ended.stdout.split_once("\n\n").unwrap();
    let rows: Vec<(String, Vec<&str>)> = table.lines().filter_map(row).collect();
    let expected = [
        ("source", ["kinesis", "dynamodb"]),
        ("produced", ["500", "50"]),
        ("handled", ["498", "48"]),
        ("dead-lettered", ["2", "2"]),
        ("recovered", ["2", "2"]),
        ("byte-identical", ["2", "2"]),
        ("lost", ["0", "0"]),
        ("handled more than once", ["0", "0"]),
        ("invocations", ["500", "50"]),
    ];
    for ((name, numbers), (row_name, row_numbers)) in expected.iter().zip(&rows) {
        assert_eq!((*name, &numbers[..]), (row_name.as_str(), &row_numbers[..]), "{table}");
    }
    let (name, seconds) = rows.last().unwrap();
    assert_eq!((rows.len(), name.as_str()), (expected.len() + 1, "seconds"), "{table}");
    assert!(seconds.iter().all(|seconds| seconds.parse::<f64>().is_ok_and(|seconds| seconds > 0.0)), "{table}");
    assert_eq!(sentence, "Every record is accounted for: 550 produced, 4 recovered byte for byte, none lost.\n");
    let columns = table.lines().map(|line| line.chars().count()).max();
    assert!(columns.is_some_and(|columns| columns <= 80), "{table}");
}

/// The name and the two cells behind it, unless the line is only drawn.
fn row(line: &str) -> Option<(String, Vec<&str>)> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let cells = words.split_off(words.len().checked_sub(2)?);
    (!words.is_empty()).then(|| (words.join(" "), cells))
}

#[tokio::test]
async fn away_from_a_terminal_progress_is_plain_lines() {
    // One record after the other, for longer than the first line of progress takes.
    let ended = demo(["--records", "10000", "--shards", "1", "--batch-size", "1"]).await;
    assert_eq!(ended.status, 0, "{ended:#?}");
    assert!(!ended.stderr.contains(['\x1b', '\r']) && !ended.stdout.contains(['\x1b', '\r']), "{ended:#?}");
    assert!(ended.stderr.lines().any(|line| line == "building the functions (release)"), "{}", ended.stderr);
    let progress = ended.stderr.lines().find(|line| line.starts_with("kinesis: "));
    let progress = progress.unwrap_or_else(|| panic!("no progress: {}", ended.stderr));
    for part in [" produced, ", " handled, ", " dead-lettered, ", " recovered, ", " lost; dynamodb: "] {
        assert!(progress.contains(part), "{progress}");
    }
}

#[tokio::test]
async fn a_report_that_nobody_reads_is_an_error_and_no_panic() {
    functions_are_built().await;
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = command();
    command.args(["--json", "--records", "20"]).stdout(writer);
    let ended = ended(command).await;
    assert_eq!(ended.status, 1, "{ended:#?}");
    assert!(ended.stderr.contains("error: failed to write the report to standard output: "), "{ended:#?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
}

#[tokio::test]
async fn nobody_has_to_read_the_progress() {
    functions_are_built().await;
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    // Cargo itself may fail when it cannot say that it waits for another cargo.
    let quiet = stand_in_for_cargo(r#"exec cargo "$@" 2>/dev/null"#);
    let mut command = command();
    command.env("CARGO", quiet.path().join("cargo")).args(["--json", "--records", "20"]).stderr(writer);
    let ended = ended(command).await;
    assert_eq!(ended.status, 0, "{ended:#?}");
    assert_eq!(ended.report()["unaccounted"], 0);
}
