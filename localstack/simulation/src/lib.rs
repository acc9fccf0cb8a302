//! "What would Lambda do with this mapping and this failure?": a scenario in, an outcome out.
//!
//! ```
//! let outcome = simulation::Scenario::parse(
//!     r#"
//!     [mapping]
//!     MaximumRetryAttempts = 0
//!     BisectBatchOnFunctionError = true
//!     [stream]
//!     records = 10
//!     [function]
//!     reports = "throws"
//!     [[failures]]
//!     record = 5
//!     times = "always"
//!     "#,
//! )?
//! .run();
//! assert_eq!(outcome.invocations.len(), 7);
//! assert_eq!(outcome.handled[&4], 4);
//! # Ok::<(), simulation::ScenarioError>(())
//! ```
//!
//! The model decides (`event-source-mapping`); this crate gives it a stream, a function and a destination that follow the
//! scenario, in virtual time. It prints nothing and reads no clock.
//!
//! | File | Holds |
//! |---|---|
//! | `scenario.rs` | what a scenario is; `scenario/` reads it from TOML, with a line for each complaint |
//! | `stream.rs` | its records and shards |
//! | `function.rs` | its function |
//! | `run.rs` | all of it through the model |
//! | `outcome.rs` | what came of it, as data |
//! | `walk.rs` | the same as text |
//! | `comparison.rs` | one failure under four settings |
//! | `page.rs` | the outcome as a timeline |
//! | `examples.rs` | scenarios to start from |

mod comparison;
mod examples;
mod function;
mod outcome;
mod page;
mod run;
mod scenario;
mod stream;
mod walk;

pub use comparison::{Comparison, Row};
pub use examples::{Example, example, examples};
pub use outcome::{InvocationEntry, MessageEntry, Outcome, ShardEntry, Step, numbers};
pub use scenario::{
    Bounds, Change, DestinationPlan, FunctionPlan, MappingPlan, RecordPlan, Reports, Reshard, Scenario, ScenarioError,
    StreamPlan, Times,
};
pub use walk::duration;
