//! An invocation of a processor, with the lines that it wrote.

use crate::TestFunction;
use anyhow::{Context, bail};
use lambda_host::Outcome;
use serde_json::Value;
use std::time::Duration;

/// What an invocation came to.
#[derive(Debug)]
pub struct Observed {
    /// The response, or the message of the function error.
    pub response: Result<Value, String>,
    /// The request id that the processor saw.
    pub request_id: String,
    /// The process that ran it.
    pub pid: u32,
    /// How long it took, without the start of the process.
    pub duration: Duration,
    /// Its lines that stand for a record, in the order in which they were written.
    pub failures: Vec<Value>,
    /// Its last line, with the metrics.
    pub done: Value,
    /// All of its lines.
    pub lines: Vec<Value>,
}

impl TestFunction {
    /// Invokes a processor, and waits for the last line of the invocation.
    ///
    /// # Errors
    ///
    /// When the function did not run, wrote no such line, or wrote one that is no JSON.
    pub async fn observe(&self, event: impl Into<Vec<u8>>) -> anyhow::Result<Observed> {
        let result = self.invoke(event).await?;
        let (lines, done) = self.lines_of(&result.request_id).await?;
        let is_of_a_record = |line: &&Value| line.get("record.index").is_some();
        Ok(Observed {
            response: match result.outcome {
                Outcome::Response(body) => Ok(serde_json::from_slice(&body)?),
                Outcome::FunctionError(error) => Err(error.message),
            },
            request_id: result.request_id,
            pid: result.pid,
            duration: result.duration,
            failures: lines.iter().filter(is_of_a_record).cloned().collect(),
            done,
            lines,
        })
    }

    /// The lines of an invocation, and the last one of them. They arrive beside the response, so this waits a while.
    async fn lines_of(&self, request_id: &str) -> anyhow::Result<(Vec<Value>, Value)> {
        for _ in 0..100 {
            let lines = self.lines();
            let lines = lines.iter().filter(|line| line.contains(request_id));
            let lines: Vec<Value> = lines
                .map(|line| serde_json::from_str(line).with_context(|| format!("a line is no JSON: {line}")))
                .collect::<anyhow::Result<_>>()?;
            if let Some(done) = lines.iter().find(|line| line["message"] == "batch done") {
                let done = done.clone();
                return Ok((lines, done));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("the invocation {request_id} wrote no last line: {:#?}", self.lines())
    }
}
