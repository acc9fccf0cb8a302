//! A model of Lambda's event source mappings: for streams a [`Shard`] and a [`Mapping`] of them, for queues [`sqs`].
//!
//! The model decides and nothing else. It reads no clock, does no I/O and draws nothing at random but from a seed; a
//! driver asks it what to do, does it, and tells it what came of it. The same model runs with real polls and processes in
//! the demo and, through [`virtual_time`], without waiting in tests.
//!
//! ```
//! use event_source_mapping::{Action, BareRecord, FunctionResult, Input, Mapping, Settings, Timing};
//! use records::{EpochMillis, SequenceNumber, ShardId};
//!
//! let settings = Settings::from_json(
//!     r#"{"EventSourceArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders","FunctionName":"orders",
//!         "StartingPosition":"TRIM_HORIZON","MaximumRetryAttempts":0,
//!         "FunctionResponseTypes":["ReportBatchItemFailures"],
//!         "DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:111122223333:orders-failed"}}}"#,
//! )
//! .unwrap();
//! let record = |number| BareRecord {
//!     sequence_number: SequenceNumber::parse(number).unwrap(),
//!     arrival: EpochMillis(0),
//!     payload_bytes: 300,
//! };
//! let mut mapping = Mapping::new(settings, Timing::default());
//! let shard = mapping.add_shard(ShardId::parse("shardId-000000000000").unwrap());
//!
//! // Record 2 of three always fails: record 1 is handled, the rest goes to the destination.
//! let (mut now, mut input, mut invoked, mut messages) = (EpochMillis(0), Input::Tick, Vec::new(), Vec::new());
//! loop {
//!     input = match shard.step(now, input) {
//!         Action::Poll { .. } => Input::Polled { records: ["1", "2", "3"].map(record).into(), end_of_shard: true },
//!         Action::Invoke(_) => {
//!             invoked.push(shard.batch().len());
//!             Input::Responded(FunctionResult::reporting(["2"]).into())
//!         }
//!         Action::WaitUntil { time, .. } => {
//!             now = now.max(time);
//!             Input::Tick
//!         }
//!         Action::Split { .. } | Action::Advance { .. } => Input::Tick,
//!         Action::SendToDestination(message) => {
//!             messages.push(message);
//!             Input::Delivered
//!         }
//!         Action::Finished => break,
//!     };
//! }
//! assert_eq!(invoked, [3, 2]);
//! assert_eq!(messages[0].batch_info.range().start_sequence_number.as_str(), "2");
//! assert_eq!(shard.checkpoint().unwrap().as_str(), "3");
//! ```
//!
//! # The rules, and what they rest on
//!
//! *Recorded* was seen on AWS, *documented* is in AWS's documentation, *inferred* is this model's best guess.
//!
//! | Rule | Grade | Where |
//! |---|---|---|
//! | Ranges and defaults of the settings | documented | [`Settings`], [`sqs::SqsSettings`] |
//! | A batch ends at `BatchSize` or at 6 MB, or when its window closes | documented | `shard/filling.rs` |
//! | The window opens with the first record that waits behind no batch; the end of a shard closes it | inferred | `shard/filling.rs` |
//! | A shard is polled once per second while polls find too little, else as fast as it is handled | documented; inferred | `shard/filling.rs` |
//! | The forms of a response | recorded | [`classify`] |
//! | Further keys beside `batchItemFailures` are ignored; one bad entry spoils a list; an identifier is compared digit for digit | inferred | [`classify`] |
//! | The budget belongs to a position, N retries are N + 1 invocations, what remains is retried without a refill | recorded | `shard/judging.rs` |
//! | Invocations that never arrive are retried until the records are too old, and not counted | documented | `shard/judging.rs` |
//! | The length of a back-off; that splits and undelivered invocations lengthen it too | inferred | [`Backoff`] |
//! | Bisect: left half first and longer, no charge for splitting, at the returned number with a partial response | documented | `pieces.rs`, `shard/judging.rs` |
//! | Bisect halves when the returned number is the first | inferred | `shard/judging.rs` |
//! | Each piece that is given up has its own message: nothing is consolidated | inferred | `shard/giving_up.rs` |
//! | Only records that are too old go, before an invocation, counted as 1 and without a response | recorded | `shard/giving_up.rs` |
//! | Each run of old records has its own message; after charged invocations it carries their number | inferred | `shard/giving_up.rs` |
//! | A record over 6 MB: count = retries + 1, no response | captured | `shard/judging.rs` |
//! | It is retried with back-off like any failure, and blocks its shard if retries have no end | inferred | `shard/judging.rs` |
//! | A destination that fails loses the records | recorded | [`Shard::step`] |
//! | Without a destination, records given up are dropped | documented | `shard/giving_up.rs` |
//! | The shape of a message; `functionError` | recorded | [`on_failure`] |
//! | A queue's failed messages stay until their visibility time-out, then redrive | documented | [`sqs`] |
//!
//! What the model does not cover it refuses by name when the settings are read: `ParallelizationFactor` above 1, tumbling
//! windows, filters, `AT_TIMESTAMP`, topics and buckets as destinations, FIFO queues, disabled mappings. It also knows no
//! retention: records that the stream trims while a shard is blocked are never noticed as gone.

mod action;
mod backoff;
mod counters;
mod mapping;
pub mod on_failure;
mod payload;
mod pieces;
mod record;
mod response;
mod settings;
mod shard;
pub mod sqs;
mod timing;
pub mod virtual_time;

pub use action::{Action, Ending, Input, Invocation, Response, Wait};
pub use backoff::Backoff;
pub use counters::Counters;
pub use mapping::Mapping;
pub use on_failure::OnFailureMessage;
pub use payload::PAYLOAD_BYTES_MAX;
pub use record::{BareRecord, Batch, StreamRecord};
pub use response::{FunctionResult, Verdict, classify};
pub use settings::{Settings, SettingsBuilder, SettingsError, StartingPosition};
pub use shard::Shard;
pub use timing::Timing;
