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
//!     key_hash: 0,
//! };
//! let mut mapping = Mapping::new(settings, Timing::default());
//! let shard = mapping.add_shard(ShardId::parse("shardId-000000000000").unwrap());
//!
//! // Record 2 of three always fails: record 1 is handled, the rest goes to the destination.
//! let (mut now, mut input, mut invoked, mut messages) = (EpochMillis(0), Input::Tick, Vec::new(), Vec::new());
//! loop {
//!     input = match shard.step(now, input) {
//!         Action::Poll { .. } => Input::Polled { records: ["1", "2", "3"].map(record).into(), end_of_shard: true },
//!         Action::Invoke(invocation) => {
//!             invoked.push(invocation.records);
//!             Input::Responded { slot: invocation.slot, response: FunctionResult::reporting(["2"]).into() }
//!         }
//!         Action::WaitUntil { time, .. } => {
//!             now = now.max(time);
//!             Input::Tick
//!         }
//!         Action::Split { .. } | Action::Advance { .. } => Input::Tick,
//!         Action::SendToDestination { slot, message } => {
//!             messages.push(message);
//!             Input::Delivered { slot }
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
//! `FIDELITY.md` beside this crate's sources lists every rule with its grade (*recorded* on AWS, *documented* by AWS, or
//! *inferred*), where it stands in the code, and the test that fails without it. Comments in the code carry the same words.
//! What the model does not do it refuses by name when the settings are read.
//!
//! | File | Holds |
//! |---|---|
//! | `settings.rs` | a mapping's settings under AWS's names, its ranges and its errors |
//! | `mapping.rs` | the shards of a mapping, and which may begin |
//! | `shard.rs` | the state machine of a shard: an input in, an action out |
//! | `shard/intake.rs` | polls, filters, and which slot a record goes to |
//! | `shard/filling.rs` | how a batch comes about |
//! | `shard/judging.rs` | what a response does |
//! | `shard/giving_up.rs` | too old, or out of retries |
//! | `shard/windows.rs` | tumbling windows |
//! | `shard/ledger.rs` | the checkpoint of a shard whose slots end records out of order |
//! | `pieces.rs` | what bisecting has cut a batch into |
//! | `response.rs` | what a function's response means |
//! | `on_failure.rs` | what the destination is told |
//! | `backoff.rs` | the guess at Lambda's back-off |
//! | `virtual_time.rs` | drivers without a clock |

mod action;
mod backoff;
mod counters;
pub mod driver;
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
mod window;

pub use action::{Action, Ending, Input, Invocation, NEVER, Response, Wait};
pub use backoff::Backoff;
pub use counters::Counters;
pub use mapping::Mapping;
pub use on_failure::OnFailureMessage;
pub use payload::PAYLOAD_BYTES_MAX;
pub use record::{BareRecord, Batch, StreamRecord};
pub use response::{FunctionResult, Verdict, classify};
pub use settings::{AwsError, Destination, Settings, SettingsBuilder, SettingsError, StartingPosition};
pub use shard::Shard;
pub use timing::{RETENTION_MS, Timing};
pub use window::{STATE_BYTES_MAX, Window};
