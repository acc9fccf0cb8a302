//! A run that is ended from outside leaves nothing behind.

use crate::processes::{Process, all_end, children_of};
use crate::streamctl::{RUN_BOUND, command, functions_are_built, stand_in_for_cargo};
use rustix::process::{Pid, Signal, kill_process};
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

/// How long an interrupted run may take to end.
const END_BOUND: Duration = Duration::from_secs(5);

/// How long a function may outlive a run that was killed.
const ORPHAN_BOUND: Duration = Duration::from_secs(10);

struct Running {
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stderr }
    }

    /// A run with more to do than any test waits for, with its functions at work.
    async fn in_the_middle() -> (Self, Vec<Process>) {
        functions_are_built().await;
        let mut command = command();
        command.args(["--json", "--records", "100000"]);
        let mut running = Self::start(command);
        running.says(|line| line.starts_with("kinesis: ") && !line.contains(" 0 handled")).await;
        let children = running.children();
        for name in ["kinesis-process", "dynamodb-proces", "dlq-hydrator"] {
            assert!(children.iter().any(|child| child.name == name), "no {name} among {children:#?}");
        }
        (running, children)
    }

    async fn says(&mut self, expected: impl Fn(&str) -> bool) {
        let said = async {
            while let Some(line) = self.stderr.next_line().await.unwrap() {
                if expected(&line) {
                    return;
                }
            }
            panic!("it ended without saying it");
        };
        timeout(RUN_BOUND, said).await.expect("it says it in time");
    }

    fn children(&self) -> Vec<Process> {
        children_of(self.child.id().unwrap())
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// The exit status, the rest of standard error, and standard output.
    async fn end(mut self) -> (ExitStatus, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let ended = async {
            self.stderr.into_inner().read_to_string(&mut stderr).await.unwrap();
            self.child.stdout.take().unwrap().read_to_string(&mut stdout).await.unwrap();
            self.child.wait().await.unwrap()
        };
        let status = timeout(END_BOUND, ended).await.expect("it ends in time, and nobody has its outputs open");
        (status, stderr, stdout)
    }
}

async fn a_signal_ends_it_and_its_children(signal: Signal) {
    let (running, children) = Running::in_the_middle().await;
    running.signal(signal);
    let (status, stderr, stdout) = running.end().await;
    assert_eq!(status.code(), Some(130), "{stderr}");
    // They are gone with it, not after it.
    all_end(children, Duration::ZERO).await;
    assert!(stderr.contains("interrupted: everything is stopped, nothing was accounted for"), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert_eq!(stdout, "", "an account that was not closed is not reported");
}

#[tokio::test]
async fn ctrl_c_ends_it_and_its_children() {
    a_signal_ends_it_and_its_children(Signal::INT).await;
}

#[tokio::test]
async fn sigterm_ends_it_and_its_children() {
    a_signal_ends_it_and_its_children(Signal::TERM).await;
}

#[tokio::test]
async fn a_build_is_interrupted_too() {
    let directory = stand_in_for_cargo("echo compiling >&2; exec sleep 600");
    let mut command = command();
    command.env("CARGO", directory.path().join("cargo"));
    let mut running = Running::start(command);
    running.says(|line| line == "compiling").await;
    let children = running.children();
    assert_eq!(children.len(), 1, "{children:#?}");
    running.signal(Signal::INT);
    let (status, stderr, _) = running.end().await;
    assert_eq!(status.code(), Some(130), "{stderr}");
    all_end(children, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn functions_do_not_outlive_a_run_that_was_killed() {
    let (running, children) = Running::in_the_middle().await;
    running.signal(Signal::KILL);
    let (status, _, _) = running.end().await;
    assert_eq!(status.code(), None, "it had no chance to end by itself");
    all_end(children, ORPHAN_BOUND).await;
}
