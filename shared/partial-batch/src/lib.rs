//! The engine of the processors: records in, checkpoint out.
//!
//! Lambda hands a processor a batch of records of one shard. This crate takes the batch apart, calls a handler for each
//! record in order, and answers with the partial batch response that makes Lambda retry from the first record that was
//! not handled, so that one bad record costs neither the records before it nor the shard.
//!
//! ```no_run
//! use partial_batch::{Config, JsonPayload, RecordContext, RecordError};
//!
//! #[derive(serde::Deserialize)]
//! struct Order { order_id: String }
//!
//! async fn handle(order: Order, _context: RecordContext) -> Result<(), RecordError> {
//!     if order.order_id.is_empty() {
//!         return Err(RecordError::invalid("expected an `order_id`, got an empty one"));
//!     }
//!     Ok(())
//! }
//!
//! # async fn main_() -> Result<(), partial_batch::RunError> {
//! partial_batch::run(JsonPayload::new(), handle, Config::default()).await
//! # }
//! ```
//!
//! | File | Holds |
//! |---|---|
//! | `source.rs` | what a source has to give: a position, a payload |
//! | `kinesis.rs`, `dynamodb.rs` | the two sources: Lambda's JSON, record by record |
//! | `handler.rs` | what a handler is, and what it knows of its record |
//! | `error.rs` | what can be wrong with one record |
//! | `engine.rs` | the loop: in order, until the first failure or the deadline |
//! | `checkpoint.rs` | the decision: which record the response names |
//! | `run.rs` | an invocation in, a response or a function error and the log lines out |
//! | `serve.rs` | the thin shell around `lambda_runtime` |

mod checkpoint;
mod deadline;
mod dynamodb;
mod engine;
mod error;
mod handler;
mod kinesis;
mod payload_error;
mod run;
mod serve;
mod source;

pub use checkpoint::{BatchError, BatchResponse, ItemFailure};
pub use deadline::Deadline;
pub use dynamodb::{Change, RemovedBy, TypedChange};
pub use engine::{BatchReport, FailedRecord, process};
pub use error::{RecordError, RecordErrorKind};
pub use handler::{Handler, RecordContext};
pub use kinesis::{JsonPayload, RawPayload};
pub use run::{Config, RunError, run};
pub use serve::{Invocation, serve};
pub use source::{Record, Source};
