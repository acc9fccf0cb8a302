//! The only crate that names `aws_sdk_*`: what the workspace does with Kinesis, DynamoDB Streams, SQS, S3 and Lambda.

#[cfg(feature = "hydrator")]
mod aws_sink;
mod call;
#[cfg_attr(not(feature = "hydrator"), path = "no_claim_check.rs")]
mod claim_check;
mod clients;
mod https;
mod lazy_sink;
#[cfg(feature = "provision")]
pub mod produce;
#[cfg(feature = "provision")]
pub mod provision;
pub mod queue;
#[cfg(feature = "hydrator")]
mod s3_sink;
mod sdk_records;
mod sha256;
mod sqs_message;
mod sqs_sink;
#[cfg(test)]
#[cfg(feature = "hydrator")]
mod stand_in;
mod stream_reader;
#[cfg(feature = "hydrator")]
mod surroundings;

#[cfg(feature = "hydrator")]
pub use aws_sink::{AwsRangeWriter, AwsSink};
pub use call::CallError;
pub use clients::{Clients, Service};
pub use lazy_sink::LazySqsSink;
#[cfg(feature = "hydrator")]
pub use s3_sink::{S3RangeWriter, S3Sink};
pub use sqs_sink::{MESSAGE_BYTES_MAX, SqsSink};
pub use stream_reader::AwsStreamReader;
#[cfg(feature = "hydrator")]
pub use surroundings::AwsSurroundings;
