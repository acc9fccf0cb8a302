//! What the scenarios share: the real binaries behind the Lambda host, and the events that they are given.

mod events;
mod functions;
mod observed;
mod sinks;

pub use events::{
    dynamodb_event, image, kinesis_event, kinesis_record, named, order, order_record, packed_orders, sqs_event,
    sqs_event_of, table_record,
};
pub use functions::{TestFunction, binaries, hydrator, processor, processor_with};
pub use observed::Observed;
pub use sinks::{ClosedEndpoint, SilentEndpoint, quarantine_to};
