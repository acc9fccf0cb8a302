//! The engine of the hydrator: on-failure message, plan, read, verify, recovered record.
//!
//! When Lambda gives up on a batch it sends a message that names a range of a shard and holds no payload. This crate reads
//! the range back, proves that it got it, and writes each record to a sink; what cannot be read any more goes into a loss
//! report. It talks to streams and sinks through two small traits, and knows no SDK.
//!
//! | File | Holds |
//! |---|---|
//! | `on_failure.rs` | what Lambda says of the batch it gave up, in every envelope |
//! | `plan.rs` | which ranges are read together, and in which order |
//! | `stream_reader.rs` | the trait that streams are read through |
//! | `shard_reading.rs` | which call comes next on a shard, and what its answer means |
//! | `pacing.rs` | how often a shard is asked |
//! | `verdict.rs` | the decision: what reading a range proved |
//! | `accounting.rs` | delivered is recovered and lost, always |
//! | `recovered.rs` | what goes into the sink: recovered records and loss reports |
//! | `sink.rs` | the traits that they are written through |
//! | `surroundings.rs` | what is asked of other services: an object, a mapping's filters, the hydrator's own queue |
//! | `sink_targets.rs` | which sinks: a queue, objects, or both |
//! | `queue_url.rs` | which queue: its URL |
//! | `s3_prefix.rs` | which objects: a bucket and a prefix |
//! | `hydrate.rs` | an invocation's messages, from their texts to their ends |
//! | `memory.rs` | a stream, a sink and surroundings in memory, for tests and simulations |

mod accounting;
#[cfg(test)]
mod faults;
mod hydrate;
pub mod memory;
mod on_failure;
mod pacing;
mod plan;
mod queue_url;
mod recovered;
mod s3_prefix;
mod shard_reading;
mod sink;
mod sink_targets;
mod stream_reader;
mod surroundings;
mod verdict;

pub use accounting::{Account, Totals};
pub use hydrate::{HydrateError, Hydrated, Hydration, Hydrator, Outcome, Part, QueueMessage, Settings, TimeLimit};
pub use on_failure::{Envelope, Failure, MessageError, ObjectRef, OnFailureMessage, Progress};
pub use pacing::READS_PER_SECOND;
pub use queue_url::QueueUrl;
pub use recovered::{
    Certainty, LossReport, QUARANTINED_BY_PROCESSOR, QuarantinedRecord, RecoveredRecord, SCHEMA_VERSION,
};
pub use s3_prefix::S3Prefix;
pub use shard_reading::{Bounds, Call, Gap, RangeFailure, RangeReading, ShardReading};
pub use sink::{EntryByEntry, RangeName, RangeSink, RangeWriter, Sink, SinkEntry, SinkError};
pub use sink_targets::SinkTargets;
pub use stream_reader::{Page, Position, ReadError, ReadErrorKind, ShardIterator, StreamReader, StreamSummary};
pub use surroundings::{OBJECT_BYTES_MAX, ServiceError, Surroundings};
pub use verdict::{Found, Loss, LossReason, ReadEnd, Verdict, verify};
