//! The only crate that names `aws_sdk_*`: what the workspace does with Kinesis, DynamoDB Streams and SQS.

mod clients;
mod lazy_sink;
#[cfg(feature = "provision")]
pub mod produce;
#[cfg(feature = "provision")]
pub mod provision;
pub mod queue;
mod sdk_records;
mod sqs_sink;
mod stream_reader;

pub use clients::{CallError, Clients};
pub use lazy_sink::LazySqsSink;
pub use sqs_sink::{MESSAGE_BYTES_MAX, SqsSink};
pub use stream_reader::AwsStreamReader;
