//! The mapping of a queue: messages are received, batched, and deleted if the function handled them.
//!
//! A queue has no order and no checkpoint: what failed is left to its visibility time-out, and the queue's redrive policy
//! takes it away after too many receives. [`Queue`] is that queue in memory, so that the whole runs in virtual time.

mod mapping;
mod queue;
mod settings;

pub use mapping::{SqsAction, SqsCounters, SqsInput, SqsMapping};
pub use queue::{Queue, QueueMessage, Received, Redrive};
pub use settings::SqsSettings;
