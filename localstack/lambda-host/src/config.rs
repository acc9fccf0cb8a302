//! What the host needs to know about a function.

use std::{path::PathBuf, time::Duration};

use crate::Log;

/// How a function is run. Start from [`FunctionConfig::new`] and change what differs.
#[derive(Clone, Debug)]
pub struct FunctionConfig {
    /// The function's name: part of its ARN and of its log group.
    pub name: String,
    /// The `bootstrap` binary.
    pub program: PathBuf,
    /// Arguments of the program. Lambda passes none.
    pub arguments: Vec<String>,
    /// The function's own variables. Lambda's reserved ones win over them, as they cannot be set in Lambda.
    pub environment: Vec<(String, String)>,
    /// The longest an invocation may take; then its environment is killed.
    pub timeout: Duration,
    /// The longest a process may take from its start to its first request for work.
    pub init_timeout: Duration,
    /// Memory in MiB. Announced to the function, not enforced.
    pub memory_mb: u32,
    /// The most environments at a time. With 0, each invocation is throttled.
    pub maximum_concurrency: usize,
    /// The region in the ARN and in `AWS_REGION`.
    pub region: String,
    /// The account in the ARN: twelve digits.
    pub account_id: String,
    /// Where the function's stdout and stderr go.
    pub log: Log,
}

impl FunctionConfig {
    /// A function with Lambda's defaults: 3 seconds, 128 MiB, and Lambda's bound of 10 seconds for the start.
    ///
    /// Ten environments at a time is the host's own default; an account has a thousand.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            timeout: Duration::from_secs(3),
            init_timeout: Duration::from_secs(10),
            memory_mb: 128,
            maximum_concurrency: 10,
            region: "us-east-1".to_owned(),
            account_id: "000000000000".to_owned(),
            log: Log::Null,
        }
    }

    /// The function's ARN, unqualified.
    pub fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account_id, self.name)
    }
}
