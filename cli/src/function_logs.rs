//! What the functions log: all of it into a file if asked for, and their errors on standard error.

use crate::progress::Progress;
use anyhow::Context;
use lambda_host::{Log, OutputLine};
use std::fs::File;
use std::io::{LineWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Where lines of the functions go.
pub struct FunctionLogs {
    file: Option<Arc<Mutex<LineWriter<File>>>>,
    progress: Progress,
}

impl FunctionLogs {
    /// Creates the file.
    pub fn new(path: Option<&Path>, progress: Progress) -> anyhow::Result<Self> {
        let file = match path {
            Some(path) => {
                let file = File::create(path).with_context(|| format!("failed to create `{}`", path.display()))?;
                Some(Arc::new(Mutex::new(LineWriter::new(file))))
            }
            None => None,
        };
        Ok(Self { file, progress })
    }

    /// The log for the functions of a stack.
    pub fn log(&self) -> Log {
        let (file, progress) = (self.file.clone(), self.progress.clone());
        Log::lines(move |line: OutputLine| {
            if let Some(file) = &file {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                // The disk's trouble is not the pipeline's.
                let _ = writeln!(file, "{}", line.text);
            }
            if is_error(&line.text) {
                progress.say(&line.text);
            }
        })
    }
}

/// Lines are JSON objects with a level; what is no such line comes from a runtime that broke.
fn is_error(line: &str) -> bool {
    match serde_json::from_str::<serde_json::Value>(line) {
        Ok(line) => line["level"] == "ERROR",
        Err(_) => true,
    }
}
