//! Runs the binary, and never waits for ever.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;
use tempfile::{NamedTempFile, TempDir};
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// Twice what the longest run takes on a machine that has other things to do: a message that cannot be hydrated is
/// received five times, six seconds apart.
pub const RUN_BOUND: Duration = Duration::from_secs(120);

/// Where nobody has built the functions yet, the first run does.
const BUILD_BOUND: Duration = Duration::from_secs(30 * 60);

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status; -1 if a signal ended it.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `streamctl demo` to its end.
pub async fn demo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ended {
    functions_are_built().await;
    let mut command = command();
    command.args(arguments);
    ended(command).await
}

/// Runs `streamctl demo --json` to its end, which has to be a good one, and returns the report.
pub async fn report<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Value {
    functions_are_built().await;
    let mut command = command();
    command.arg("--json").args(arguments);
    let ended = ended(command).await;
    assert_eq!(ended.status, 0, "{ended:#?}");
    ended.report()
}

/// Runs a command to its end.
pub async fn ended(mut command: Command) -> Ended {
    // Not `output()`, which takes both outputs wherever they were meant to go.
    let output = timeout(RUN_BOUND, command.spawn().unwrap().wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("{command:?} did not end within {RUN_BOUND:?}")).unwrap();
    Ended {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `streamctl demo`, killed when it is dropped. What a developer has set for himself does not reach it.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streamctl"));
    command.arg("demo").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.env_remove("CARGO_TERM_COLOR").env_remove("STREAMCTL_LOG");
    command
}

/// Waits for the first run of all, so that the others need not wait for cargo.
pub async fn functions_are_built() {
    static BUILT: OnceCell<()> = OnceCell::const_new();
    let build = async || {
        let output = timeout(BUILD_BOUND, command().args(["--records", "0"]).output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    BUILT.get_or_init(build).await;
}

impl Ended {
    /// The report, if it is all that standard output holds.
    #[track_caller]
    pub fn report(&self) -> Value {
        let report = self.stdout.strip_suffix('\n').filter(|line| line.starts_with('{') && !line.contains('\n'));
        let report = report.unwrap_or_else(|| panic!("no single JSON object: {self:#?}"));
        serde_json::from_str(report).unwrap()
    }
}

/// A directory with a script `cargo` of one line, to stand in for cargo.
pub fn stand_in_for_cargo(line: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    // A shell writes it: a file that this process has open for writing, or a child that it forks just then, cannot be
    // executed.
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(&directory).args(["-c", r#"printf '#!/bin/sh\n%s\n' "$0" >cargo && chmod +x cargo"#, line]);
    assert!(shell.status().unwrap().success());
    directory
}

/// A number of one source's account.
#[track_caller]
pub fn number(report: &Value, source: &str, name: &str) -> u64 {
    report["sources"][source][name].as_u64().unwrap_or_else(|| panic!("no number `{name}` of {source} in {report}"))
}

/// A file with these bytes.
pub fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}
