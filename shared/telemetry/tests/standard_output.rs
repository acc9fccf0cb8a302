//! What reaches standard output, from a process of its own: it needs a closed output, and a `LOG_LEVEL`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;
use telemetry::{InvocationLine, metrics};

/// Set for the child only: the test below has nothing to do in a run of its own.
const IN_A_CHILD: &str = "TELEMETRY_TEST_IN_A_CHILD";

const THREADS: usize = 4;
const LINES_PER_THREAD: usize = 50;

#[test]
fn in_a_child_that_prints_when_its_input_ends() {
    if std::env::var_os(IN_A_CHILD).is_none() {
        return;
    }
    telemetry::init();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..LINES_PER_THREAD).for_each(|_| print_a_long_line()));
        }
    });
    // The test harness would write a summary, and fail where the output is closed.
    std::process::exit(0);
}

/// Longer than what standard output gathers before it writes.
fn print_a_long_line() {
    let mut line = InvocationLine::new(SystemTime::now(), "orders", None);
    line.field("message", "x".repeat(3_000)).metric(&metrics::RECORDS_HANDLED, 1.0);
    line.print();
}

fn child() -> (Child, impl BufRead) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_child_that_prints_when_its_input_ends", "--nocapture", "--test-threads=2"])
        .env(IN_A_CHILD, "yes")
        .env("LOG_LEVEL", "off")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    // The harness's own words come first.
    let mut line = String::new();
    while !line.starts_with("running ") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the child ended before it ran its test");
    }
    (child, output)
}

#[test]
fn every_line_is_printed_in_one_piece_whatever_the_log_level() {
    let (mut child, output) = child();
    drop(child.stdin.take());
    let lines: Vec<String> = output.lines().map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success());
    assert_eq!(lines.len(), THREADS * LINES_PER_THREAD);
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["RecordsHandled"], 1);
    }
}

#[test]
fn a_closed_output_is_ignored() {
    let (mut child, output) = child();
    drop(output);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
