//! How Lambda words the end of a process.

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus};

/// The reason in a `Runtime.ExitError`. Lambda's supervisor is written in Go, hence the names of the signals.
pub(crate) fn exit_reason(status: &io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) if status.success() => "Runtime exited without providing a reason".to_owned(),
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
            (None, Some(signal)) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
            (None, None) => "Runtime exited without providing a reason".to_owned(),
        },
        Err(error) => format!("Runtime was lost: {error}"),
    }
}

fn signal_name(signal: i32) -> String {
    // The numbers that are the same on every Unix.
    match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        other => return format!("signal {other}"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wait_status: i32, expect: &str) {
        assert_eq!(exit_reason(&Ok(ExitStatus::from_raw(wait_status))), expect);
    }

    #[test]
    fn an_exit_reads_as_lambdas() {
        check(0, "Runtime exited without providing a reason");
        check(1 << 8, "Runtime exited with error: exit status 1");
        check(9, "Runtime exited with error: signal: killed");
        check(11, "Runtime exited with error: signal: segmentation fault");
    }
}
