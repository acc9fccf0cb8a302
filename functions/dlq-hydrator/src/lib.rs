//! The hydrator: an SQS event of on-failure messages in, an SQS partial batch response out.
//!
//! A message leaves its queue only when every record of its range is in the sink, or in a loss report that is.
//! Whatever else happens names it in the response, and it comes again until its queue's redrive policy moves it to the
//! hydrator's own dead-letter queue.

mod config;
mod event;
mod invocation;
mod report;

pub use config::Config;
pub use event::{EventError, parse_event};
pub use invocation::{BatchResponse, ItemFailure};
pub use report::log;
