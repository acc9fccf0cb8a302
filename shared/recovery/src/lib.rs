//! The engine of the hydrator: on-failure message, plan, read, verify, recovered record.
//!
//! When Lambda gives up on a batch it sends a message that names a range of a shard and holds no payload. This crate reads
//! the range back, proves that it got it, and writes each record to a sink; what cannot be read any more goes into a loss
//! report. It talks to streams and sinks through two small traits, and knows no SDK.
//!
//! | File | Holds |
//! |---|---|
//! | `on_failure.rs` | what Lambda says of the batch it gave up |
//! | `stream_reader.rs` | the trait that streams are read through |
//! | `read_range.rs` | from `start` to `end`, through pages, empty pages and expired iterators |
//! | `verdict.rs` | the decision: what reading the range proved |
//! | `recovered.rs` | what goes into the sink: recovered records and loss reports |
//! | `sink.rs` | the trait that they are written through |
//! | `surroundings.rs` | what is asked of other services: an object, a mapping's filters, the hydrator's own queue |
//! | `queue_url.rs` | which queue is the sink: its URL |
//! | `hydrate.rs` | one message from its text to its end |
//! | `memory.rs` | a stream and a sink in memory, for tests and simulations |

mod hydrate;
pub mod memory;
mod on_failure;
mod queue_url;
mod read_range;
mod recovered;
mod sink;
mod stream_reader;
mod surroundings;
mod verdict;

pub use hydrate::{HydrateError, Hydrated, Hydrator};
pub use on_failure::{Failure, MessageError, ObjectRef, OnFailureMessage};
pub use queue_url::QueueUrl;
pub use read_range::{Bounds, Gap, RangeError, RangeReading, ReadEnd, read_range};
pub use recovered::{
    Certainty, LossReport, QUARANTINED_BY_PROCESSOR, QuarantinedRecord, RecoveredRecord, SCHEMA_VERSION,
};
pub use sink::{EntryByEntry, RangeName, RangeSink, RangeWriter, Sink, SinkEntry, SinkError};
pub use stream_reader::{Page, Position, ReadError, ReadErrorKind, ShardIterator, StreamReader};
pub use surroundings::{OBJECT_BYTES_MAX, ServiceError, Surroundings};
pub use verdict::{Loss, LossReason, Verdict, verify};
