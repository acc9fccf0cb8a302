//! Lines on standard error, the report on standard output.
//!
//! `println!` and `eprintln!` panic when the reader has gone away, as in `streamctl demo | head`, and a run must not end
//! in the middle for that.

use anyhow::Context;
use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// Writes a line to standard error. That it cannot be written could be told to nobody.
pub fn tell(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes what a command is for to standard output. A reader that has seen enough is no failure.
pub fn show(text: impl Display) -> anyhow::Result<()> {
    match print(text) {
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe) => {
            Ok(())
        }
        done => done,
    }
}

/// Writes the report to standard output: it was asked for, so that nobody took it is a failure.
pub fn print(report: impl Display) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{report}").and_then(|()| stdout.flush()).context("failed to write the report to standard output")
}
