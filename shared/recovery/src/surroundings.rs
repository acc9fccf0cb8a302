//! What the hydrator needs beside streams and a sink, and seldom: an object, a mapping's filters, its own queue, the date.

use crate::ObjectRef;
use records::{EpochMillis, StreamArn};
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// Answers the seldom questions.
pub trait Surroundings {
    /// The text of an object, of at most [`OBJECT_BYTES_MAX`] bytes.
    fn object(&self, object: &ObjectRef) -> impl Future<Output = Result<String, ServiceError>> + Send;

    /// The patterns of the `FilterCriteria` of the event source mapping between the stream and the function, each as its
    /// JSON text; empty where it has none. `None` where there is no such mapping any more, or more than one.
    fn filter_patterns(
        &self,
        function_arn: &str,
        stream: &StreamArn,
    ) -> impl Future<Output = Result<Option<Vec<String>>, ServiceError>> + Send;

    /// Sends a message to the queue with this ARN, which is the hydrator's own.
    fn send(&self, queue_arn: &str, body: &str) -> impl Future<Output = Result<(), ServiceError>> + Send;

    /// What messages and retentions are held against: the date of the machine, unless the whole world is made up.
    fn now(&self) -> EpochMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        EpochMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Largest object that is read: the 6 MB of an event, escaped as a JSON string, and the message around it.
pub const OBJECT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A call that failed: operation, object and the service's own words.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct ServiceError {
    /// The whole chain.
    pub message: String,
    /// Whether the service says that what was asked for is not there.
    pub is_missing: bool,
}
