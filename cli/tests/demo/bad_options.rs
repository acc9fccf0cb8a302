//! What cannot be done is refused at once, and the message says what could be.

use crate::streamctl::{Ended, command, ended};

async fn refused(arguments: &[&str], status: i32, parts: &[&str]) -> Ended {
    let mut command = command();
    command.args(arguments);
    let ended = ended(command).await;
    assert_eq!((ended.status, ended.stdout.as_str()), (status, ""), "{arguments:?}: {ended:#?}");
    for part in parts {
        assert!(ended.stderr.contains(part), "{arguments:?}: no `{part}` in {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("building the functions"), "{arguments:?}: {}", ended.stderr);
    ended
}

#[tokio::test]
async fn an_option_out_of_its_range_is_named_with_the_range() {
    for (arguments, parts) in [
        (["--shards", "0"], ["'0'", "--shards", "1..=100"]),
        (["--shards", "101"], ["'101'", "--shards", "1..=100"]),
        (["--batch-size", "0"], ["'0'", "--batch-size", "1..=10000"]),
        (["--batch-size", "10001"], ["'10001'", "--batch-size", "1..=10000"]),
        (["--retries", "-1"], ["'-1'", "--retries", "0..=10000"]),
        (["--retries", "10001"], ["'10001'", "--retries", "0..=10000"]),
        (["--records", "-1"], ["'-1'", "--records", "0..=10000000"]),
        (["--bisect", "maybe"], ["'maybe'", "--bisect", "on, off"]),
        (["--seed", "x"], ["'x'", "--seed", "invalid digit"]),
    ] {
        refused(&arguments, 2, &parts).await;
    }
}

#[tokio::test]
async fn options_that_contradict_each_other_are_both_named() {
    refused(&["--input", "file", "--records", "5"], 2, &["--input", "--records", "cannot be used with"]).await;
    refused(&["--input", "file", "--seed", "5"], 2, &["--input", "--seed", "cannot be used with"]).await;
}

#[tokio::test]
async fn an_unknown_option_is_named() {
    refused(&["--speed", "5"], 2, &["--speed", "Usage: streamctl demo"]).await;
}

#[tokio::test]
async fn a_log_file_that_cannot_be_written_is_named() {
    refused(&["--function-logs", "/nonexistent/logs"], 1, &["error: failed to create `/nonexistent/logs`: "]).await;
}

#[tokio::test]
async fn a_broken_log_filter_is_named() {
    let mut command = command();
    command.env("STREAMCTL_LOG", "pipeline=loud").args(["--records", "0"]);
    let ended = ended(command).await;
    assert_eq!(ended.status, 1, "{ended:#?}");
    assert!(ended.stderr.starts_with("error: failed to read the variable `STREAMCTL_LOG`: "), "{}", ended.stderr);
}

#[tokio::test]
async fn functions_that_do_not_build_end_it() {
    let mut command = command();
    command.env("CARGO", "false").args(["--records", "0"]);
    let ended = ended(command).await;
    assert_eq!((ended.status, ended.stdout.as_str()), (1, ""), "{ended:#?}");
    let expected = "error: failed to build the functions: cargo ended with exit status: 1";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

#[tokio::test]
async fn what_cargo_says_is_shown() {
    let mut command = command();
    // `sh` in place of cargo finds no script named `build`, and says so.
    command.env("CARGO", "sh").args(["--records", "0"]);
    let ended = ended(command).await;
    assert_eq!((ended.status, ended.stdout.as_str()), (1, ""), "{ended:#?}");
    assert!(ended.stderr.lines().any(|line| line.starts_with("sh: ") && line.contains("build")), "{}", ended.stderr);
}
