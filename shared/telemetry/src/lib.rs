//! What every binary under `functions/` starts with: logs as JSON lines, metrics in them, and typed environment variables.
//!
//! | File | Holds |
//! |---|---|
//! | `logs.rs` | the logs: one JSON object a line |
//! | `emf.rs` | an invocation's log line with its metrics in it |
//! | `latencies.rs` | how long records took, reduced to what a metric holds |
//! | `metrics.rs` | the names, units and dimensions of all metrics |
//! | `environment.rs` | environment variables, read once and typed |

mod emf;
mod environment;
mod latencies;
mod logs;
pub mod metrics;

pub use emf::InvocationLine;
pub use environment::{Environment, VariableError};
pub use latencies::Latencies;
pub use logs::{exit_code, init};
