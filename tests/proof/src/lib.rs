//! The whole pipeline in virtual time, and an account of every record that is kept from outside.
//!
//! One seed is one world: a stream, a mapping, the processors' engine as its function, an on-failure destination, and the
//! hydrator's engine behind its queue. The engines are the real ones, unchanged, on tokio's paused clock; Lambda and SQS are
//! the model of `event-source-mapping`. A world of hours takes milliseconds, and does the same again with the same seed.
//!
//! ```text
//! cargo test -p proof --test worlds                        # worlds until a million records were produced
//! cargo test -p proof --test worlds -- --seeds 100000      # the worlds of the seeds 0 to 99999, for longer
//! cargo test -p proof --test worlds -- --seed 1234         # one world: its plan, its totals, and what is wrong with it
//! cargo test -p proof --test worlds -- --seed 1234 --story # and all that happened in it
//! cargo test -p proof --test teeth                         # planted bugs, each of which the account has to notice
//! ```
//!
//! # What is random
//!
//! - **Records**: either source; keys, rate and bursts; payloads, JSON and not; sequence numbers that grow in length or
//!   begin with zeros; a fate for each: it is handled, fails some times or always, is invalid, panics, hangs, or is slow.
//! - **Stream**: shards that split and merge in mid-stream; retention and a trim that lags behind it; short and empty
//!   pages, expired iterators, throttles, errors on the way, five reads a second shared by all readers, shards that are
//!   gone. The mapping and the hydrator read the same stream.
//! - **Mapping**: every legal combination of batch size, batching window, parallelization factor, tumbling window, retries
//!   (none to endless), record age, bisect, partial responses or a function that throws, filters of the payload or of the
//!   envelope; switched off and on.
//! - **Function**: `CONCURRENCY`, `SKIP_HANDLED`, deadline and margin, a quarantine that fails, lies or is silent; warm,
//!   cold and recycled environments; crashes at any moment, time-outs, a deadline that is told too late, throttles; windows
//!   that cannot be closed.
//! - **Destination**: none, a queue, a topic with and without raw delivery, a bucket with the payload; one that refuses, and
//!   one that takes a message and denies it.
//! - **Hydrator**: batch, window, pollers, time-out, visibility, redrive; crashes at any moment, throttles, messages that
//!   come twice, reads, look-ups, sends and writes that fail or fail after they were done; a sink of entries or of objects;
//!   little memory; dead letters that somebody moves back, or nobody.
//!
//! # What is proven
//!
//! - Every record ends handled, filtered, quarantined, recovered, or reported lost; or AWS dropped it: there was no
//!   destination, or it did not take the message; or the stream forgot it before the mapping was done with it; or the
//!   hydrator's own dead-letter queue has its message, and nobody moved it back. Each is held against what was seen from
//!   outside: the handler, the destination, the sinks and the stream's clock. No engine is asked.
//! - What comes back is what was produced, to the byte of the JSON that Lambda delivers. What is called certain was in a
//!   batch that was given up, and nothing comes back that no message names.
//! - A loss report counts no more than the stream has trimmed within its bounds; an undisturbed hydrator with few messages
//!   loses nothing that was there ten minutes later.
//! - The checkpoint passes no record that is open, never runs backwards, and no record that counts as handled was not
//!   handled by its handler or quarantined.
//! - When a record is handled for the first time, no earlier one of its key is open, across splits and merges too.
//! - No handler sees a record that the filter drops, that has ended before, that was never produced, or whose payload
//!   differs. Nothing is given up before its retries are used up, unless it is too old.
//! - Each record that counts as handled in a tumbling window is in the state of one window that was closed, and there once;
//!   or AWS dropped that window, its last invocation out of retries.
//! - Every world ends.
//!
//! # What is not
//!
//! - Aggregated records, records over 6 MB, streams that are deleted and made again, and mappings from LATEST or a
//!   timestamp on: their own tests cover them.
//! - That AWS is as the model has it: that is what the model's `FIDELITY.md` grades.
//! - The edge to AWS in `shared/aws`, and the JSON around a message of SQS: the scenarios run those.
//! - How fast anything is. A crash drops a future at one of its awaits, and never between two instructions.

mod asked;
mod chance;
mod clock;
mod function;
mod hydration;
mod ledger;
mod mapping;
mod plan;
mod produce;
mod sabotage;
mod sink;
mod stream;
mod world;

pub use asked::Asked;
pub use ledger::{Outcome, Totals};
pub use plan::Plan;
pub use sabotage::Sabotage;
pub use world::{run, run_told};

use chance::Chance;
use clock::Clock;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is behind the lock. A world has one thread: a lock that a panic poisoned is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
