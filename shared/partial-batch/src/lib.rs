//! The engine of the processors: records in, checkpoint out.
//!
//! Lambda hands a processor a batch of records of one shard. This crate takes the batch apart, calls a handler for each
//! record, and answers with the partial batch response that makes Lambda retry from the first record that was not
//! handled, so that one bad record costs neither the records before it nor the shard.
//!
//! ```no_run
//! use partial_batch::{Config, Engine, Kinesis, RecordContext, RecordError};
//!
//! #[derive(serde::Deserialize)]
//! struct Order { order_id: String }
//!
//! async fn handle(order: Order, _context: RecordContext<'_>) -> Result<(), RecordError> {
//!     if order.order_id.is_empty() {
//!         return Err(RecordError::invalid("expected an `order_id`, got an empty one"));
//!     }
//!     Ok(())
//! }
//!
//! # async fn main_() -> Result<(), partial_batch::RunError> {
//! let config = Config::default();
//! partial_batch::run(Engine::new(Kinesis::json::<Order>(), handle, &config), &config).await
//! # }
//! ```
//!
//! | File | Holds |
//! |---|---|
//! | `source.rs` | what a source has to give: records, and payloads out of them |
//! | `kinesis.rs`, `dynamodb.rs` | the two sources: Lambda's JSON |
//! | `event.rs` | the event: at once where it is what Lambda sends, record by record where it is not |
//! | `format.rs` | what the data of a Kinesis record can be |
//! | `payload.rs`, `change.rs` | the types that a handler gets |
//! | `handler.rs` | what a handler is, and what it knows of its record |
//! | `error.rs` | what can be wrong with one record |
//! | `schedule.rs` | the decision: which record may start now |
//! | `batch.rs` | the loop: starts records, collects them, stops at the deadline |
//! | `memory.rs` | what is handled already behind a checkpoint |
//! | `checkpoint.rs` | the decision: which record the response names |
//! | `engine.rs` | an event in, what became of its records out |
//! | `quarantine.rs` | where invalid records go at once |
//! | `window.rs` | tumbling windows: a state that travels with the batches |
//! | `config.rs` | what the environment says |
//! | `run.rs` | an invocation in, a response or a function error and the log lines out |
//! | `serve.rs` | the thin shell around `lambda_runtime` |
//! | `testkit.rs` | a handler against an event, in one line of a test |

mod batch;
mod change;
mod checkpoint;
mod config;
mod deadline;
mod dynamodb;
mod engine;
mod error;
mod event;
mod format;
mod handler;
mod kinesis;
mod memory;
mod payload;
mod payload_error;
mod quarantine;
mod run;
mod schedule;
mod serve;
mod source;
pub mod testkit;
mod window;

pub use change::{Change, ChangeJson, RemovedBy};
pub use checkpoint::{BatchError, BatchResponse, ItemFailure};
pub use config::{Config, OnInvalid};
pub use deadline::Deadline;
pub use dynamodb::DynamoDb;
pub use engine::{BatchReport, Engine, FailedRecord, InvocationContext};
pub use error::{RecordError, RecordErrorKind};
pub use format::{Arrived, ChangePayload, Format, JsonOrChange, JsonPayload, RawPayload};
pub use handler::{Handler, RecordContext, RecordId};
pub use kinesis::Kinesis;
pub use memory::{Memory, RECORDS_MAX};
pub use payload::{Payload, Text};
pub use quarantine::Quarantine;
pub use run::{Processor, RunError, run};
pub use serve::{Invocation, serve};
pub use source::{OriginKind, Record, Source};
pub use window::{Contribute, STATE_BYTES_MAX, TumblingWindow, Window, WindowEngine, WindowResponse};
