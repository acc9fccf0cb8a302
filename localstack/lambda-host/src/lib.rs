//! The AWS Lambda Runtime API on loopback: runs real `bootstrap` binaries with real deadlines, time-outs and crashes.
//!
//! A [`Function`] is a pool of execution environments. One environment is one process with a Runtime API of its own, on a
//! port of its own, and serves one invocation at a time, as in Lambda:
//!
//! - An invocation takes the warm environment that was used last, or starts a new one. At the maximum concurrency it is
//!   refused with [`InvokeError::TooManyRequests`], and the function never ran.
//! - The deadline header is a true time. Whoever passes it is killed with SIGKILL, children included, and the result is
//!   `Sandbox.Timedout`.
//! - A process that exits in mid-invocation is `Runtime.ExitError`; the next invocation gets a fresh process. One that dies
//!   idle costs nothing: the next invocation goes to another.
//! - The process sees Lambda's environment variables and the caller's, and none of its parent's but `PATH` and the like.
//!
//! What is not modelled: memory limits, SnapStart, extensions, response streaming, the freezing of idle environments, and
//! several invocations at once in one environment.
//!
//! # Processes
//!
//! Each environment leads a process group of its own. The group is killed on time-out, on exit of its leader, on
//! [`Function::shutdown`], and when the [`Function`] or an unfinished [`Function::invoke`] is dropped. A host that is itself
//! killed with SIGKILL can do none of this; then a function on the `lambda_runtime` crate ends by itself at its next call of
//! the Runtime API, because the connection is refused. A grandchild that makes itself the leader of another group or session
//! escapes.
//!
//! # Example
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use lambda_host::{Function, FunctionConfig, Log, Outcome};
//!
//! # async fn example() -> Result<(), lambda_host::InvokeError> {
//! let function = Function::new(FunctionConfig {
//!     timeout: Duration::from_secs(10),
//!     log: Log::lines(|line| eprintln!("{} {}", line.pid, line.text)),
//!     ..FunctionConfig::new("orders", "target/lambda/orders/bootstrap")
//! });
//!
//! let result = function.invoke(r#"{"Records":[]}"#).await?;
//! match result.outcome {
//!     Outcome::Response(body) => eprintln!("{} bytes in {:?}", body.len(), result.duration),
//!     Outcome::FunctionError(error) => eprintln!("{}: {}", error.error_type, error.message),
//! }
//!
//! function.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod config;
mod environment;
mod exit_reason;
mod function;
mod invocation;
mod outcome;
mod output;
mod pool;
mod process_group;
mod response_body;
mod runtime_api;
mod session;
mod variables;

pub use config::FunctionConfig;
pub use function::Function;
pub use invocation::{InvalidHeader, InvokeOptions};
pub use outcome::{FunctionError, FunctionErrorKind, InvocationResult, InvokeError, Outcome};
pub use output::{Log, OutputLine, OutputStream};
pub use pool::{EnvironmentState, EnvironmentStatus};
