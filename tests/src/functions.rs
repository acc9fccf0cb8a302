//! The real binaries, built once, each behind a Lambda host of its own.

use anyhow::{Context, bail};
use lambda_host::{Function, FunctionConfig, InvocationResult, Log, Outcome, OutputLine};
use pipeline::Binaries;
use records::StreamKind;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// The three functions, built in the release profile by whoever comes first.
///
/// # Errors
///
/// When they do not build.
pub async fn binaries() -> anyhow::Result<Binaries> {
    static BINARIES: OnceCell<Binaries> = OnceCell::const_new();
    BINARIES.get_or_try_init(Binaries::build).await.cloned()
}

/// A real function whose log lines are kept.
#[derive(Debug, Clone)]
pub struct TestFunction {
    /// The function.
    pub function: Function,
    lines: Arc<Mutex<Vec<String>>>,
}

/// The processor of a kind of stream, with a time-out of ten seconds.
///
/// # Errors
///
/// When the functions do not build.
pub async fn processor(kind: StreamKind) -> anyhow::Result<TestFunction> {
    processor_with(kind, Vec::new()).await
}

/// The processor of a kind of stream, with these variables.
///
/// # Errors
///
/// When the functions do not build.
pub async fn processor_with(kind: StreamKind, environment: Vec<(String, String)>) -> anyhow::Result<TestFunction> {
    let binaries = binaries().await?;
    Ok(match kind {
        StreamKind::Kinesis => TestFunction::new("kinesis-processor", binaries.kinesis_processor, environment),
        StreamKind::DynamoDb => TestFunction::new("dynamodb-processor", binaries.dynamodb_processor, environment),
    })
}

/// The hydrator, with these variables.
///
/// # Errors
///
/// When the functions do not build.
pub async fn hydrator(environment: Vec<(String, String)>) -> anyhow::Result<TestFunction> {
    Ok(TestFunction::new("dlq-hydrator", binaries().await?.dlq_hydrator, environment))
}

impl TestFunction {
    fn new(name: &str, program: PathBuf, environment: Vec<(String, String)>) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let mut config = FunctionConfig::new(name, program);
        config.environment = environment;
        config.timeout = Duration::from_secs(10);
        config.log = Log::lines(move |line: OutputLine| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(line.text);
        });
        Self { function: Function::new(config), lines }
    }

    /// The same with another time-out.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        let config = FunctionConfig { timeout, ..self.function.config().clone() };
        Self { function: Function::new(config), ..self }
    }

    /// Invokes the function with an event, whatever its bytes.
    ///
    /// # Errors
    ///
    /// When the function did not run.
    pub async fn invoke(&self, event: impl Into<Vec<u8>>) -> anyhow::Result<InvocationResult> {
        self.function.invoke(event.into()).await.context("the function did not run")
    }

    /// The function's response, as JSON.
    ///
    /// # Errors
    ///
    /// When the function did not run, or failed.
    pub async fn response(&self, event: impl Into<Vec<u8>>) -> anyhow::Result<Value> {
        match self.invoke(event).await?.outcome {
            Outcome::Response(body) => Ok(serde_json::from_slice(&body)?),
            Outcome::FunctionError(error) => bail!("expected a response, got a function error: {}", error.message),
        }
    }

    /// The function's error.
    ///
    /// # Errors
    ///
    /// When the function did not run, or answered.
    pub async fn error(&self, event: impl Into<Vec<u8>>) -> anyhow::Result<String> {
        match self.invoke(event).await?.outcome {
            Outcome::Response(body) => bail!("expected a function error, got {}", String::from_utf8_lossy(&body)),
            Outcome::FunctionError(error) => Ok(error.message),
        }
    }

    /// The first line of the log that holds `part`. Lines arrive beside the response, so this waits a while for one.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn line_with(&self, part: &str) -> anyhow::Result<Value> {
        for _ in 0..100 {
            if let Some(line) = self.lines().iter().find(|line| line.contains(part)) {
                return Ok(serde_json::from_str(line)?);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("no line of the log holds {part:?}: {:#?}", self.lines())
    }

    /// What the function has written so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
