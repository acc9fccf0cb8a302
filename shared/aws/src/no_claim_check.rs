//! Stands in for `claim_check.rs` in a processor, which carries no client of S3: there is no such thing.

use crate::sqs_sink::NotWritten;
use recovery::SinkEntry;

#[derive(Debug, Clone)]
pub(crate) enum ClaimChecks {}

impl ClaimChecks {
    pub fn pointer(&self, _: &SinkEntry) -> String {
        match *self {}
    }

    pub async fn put(&self, _: &SinkEntry) -> Result<(), NotWritten> {
        match *self {}
    }
}
