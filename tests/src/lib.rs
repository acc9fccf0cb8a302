//! What the scenarios share: the real binaries behind the Lambda host, and the events that they are given.

mod events;
mod functions;

pub use events::{dynamodb_event, kinesis_event, kinesis_record, order, sqs_event};
pub use functions::{TestFunction, binaries, hydrator, processor, processor_with};
