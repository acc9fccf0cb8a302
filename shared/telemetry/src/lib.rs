//! What every binary under `functions/` starts with: logs as JSON lines and typed environment variables.

mod environment;
mod logs;

pub use environment::{Environment, VariableError};
pub use logs::{exit_code, init};
