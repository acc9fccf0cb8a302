//! How far an earlier invocation came with a range, and the message for the rest of it.

use super::object::{Fields, Object};
use super::{MessageError, OnFailureMessage, START, batch_info_name};
use records::{SequenceNumber, ShardRange};
use serde::Serialize;
use serde::ser::Error as _;
use serde_json::value::to_raw_value;

/// The field that the hydrator adds to Lambda's own.
const PROGRESS: &str = "hydratorProgress";

/// Largest count that every reader of JSON keeps exactly. Far above any range, and far below where a sum would overflow.
const COUNT_MAX: u64 = 1 << 53;

const COUNT: &str = "a number from 0 to 2^53";

/// The part of a range that is done.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Progress {
    /// Last position that is safe in the sink or in a loss report.
    pub after: SequenceNumber,
    /// First position of the range as Lambda named it.
    #[serde(rename = "startSequenceNumber")]
    pub start: SequenceNumber,
    /// Records of the range found so far.
    pub found: u64,
    /// Records accounted for so far, as recovered or lost.
    pub accounted: u64,
    /// Records of them that were reported lost.
    pub lost: u64,
}

impl Progress {
    /// Reads the progress beside `range`, where the message has any. A malformed one is an error and never none: the range
    /// would be accounted for from its new start, and its first part twice or not at all.
    pub(super) fn read(message: &Object<'_>, range: &ShardRange) -> Result<Option<Self>, MessageError> {
        if message.fields.last(PROGRESS).is_none() {
            return Ok(None);
        }
        let object = message.object(PROGRESS)?;
        let progress = Self {
            after: object.parsed("after", "decimal digits", SequenceNumber::parse)?,
            start: object.parsed(START, "decimal digits", SequenceNumber::parse)?,
            found: object.number("found", COUNT, 0..=COUNT_MAX)?,
            accounted: object.number("accounted", COUNT, 0..=COUNT_MAX)?,
            lost: object.number("lost", COUNT, 0..=COUNT_MAX)?,
        };
        if progress.after != *range.start() {
            return Err(object.error("after", "the start of the range", "another position"));
        }
        if progress.start > progress.after {
            return Err(object.error(START, "a position at or before `after`", "one behind it"));
        }
        Ok(Some(progress))
    }
}

impl OnFailureMessage {
    /// The message for the rest of this one's range: Lambda's own shape, from `progress.after` on, with the progress
    /// beside it. The first position of the rest is done already; naming it shows where reading left off.
    ///
    /// # Errors
    ///
    /// When `progress` does not lie in the range: what would be written could not be read.
    pub fn rest(&self, progress: &Progress) -> Result<String, serde_json::Error> {
        if progress.start > progress.after || progress.after > *self.range.end() {
            return Err(serde_json::Error::custom("expected progress within the range of the message"));
        }
        let message: Fields<'_> = serde_json::from_str(self.text.get())?;
        let name = batch_info_name(self.range.stream().kind());
        let info =
            message.last(name).ok_or_else(|| serde_json::Error::custom("expected a text that names the range"))?;
        let info: Fields<'_> = serde_json::from_str(info.get())?;
        let (after, progress) = (to_raw_value(&progress.after)?, to_raw_value(progress)?);
        let info = to_raw_value(&info.with(START, &after))?;
        serde_json::to_string(&message.with(name, &info).with(PROGRESS, &progress))
    }
}
