//! The local stack: the whole pipeline on loopback, with real services, real `bootstrap` binaries and the model of
//! Lambda's event source mapping between them.
//!
//! ```text
//! orders ─► Kinesis, DynamoDB ─► stream mappings ─► processors
//!                                     └─► on-failure queue ─► queue mapping ─► hydrator ─► recovered queue ─► books
//! ```
//!
//! | File | Holds |
//! |---|---|
//! | `binaries.rs` | builds the three functions and finds them |
//! | `stack.rs` | the services, the resources in them, the functions |
//! | `stream_mapping.rs` | drives the model of a stream's mapping: polls, invokes, delivers |
//! | `queue_mapping.rs` | drives the model of the on-failure queue's mapping |
//! | `event.rs` | the JSON of an invocation |
//! | `workload.rs`, `orders.rs` | what is put in, good and poisoned, by a seed |
//! | `producer.rs` | puts it in |
//! | `books.rs` | what became of each record |
//! | `recorder.rs` | how it came about, for the page that shows it |
//! | `collector.rs` | reads the recovered queue back into the books |
//! | `run.rs` | all of it together, until every record has ended or nothing moves |
//! | `report.rs` | the account at the end |

mod binaries;
mod books;
mod collector;
mod event;
mod orders;
mod producer;
mod queue_mapping;
mod recorder;
mod report;
mod run;
mod stack;
mod stream_mapping;
mod workload;

pub use binaries::Binaries;
pub use books::{Books, Tally};
pub use recorder::Recorder;
pub use report::{Report, SourceReport};
pub use run::{Outcome, run};
pub use stack::{Functions, Names, Queues, Site, Stack, StackConfig};
pub use workload::{KinesisPayload, TableChange, TableWrite, Workload, WorkloadError};
