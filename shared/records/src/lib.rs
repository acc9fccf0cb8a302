//! The vocabulary of the workspace: what a stream, a shard, a position and a record are.
//!
//! Whatever comes from outside is parsed once, into a type of this crate that cannot be invalid. There is no I/O here,
//! no clock and no environment, so that the model, the processors and the hydrator can all speak it.

mod arn;
mod attribute_value;
mod dynamodb;
mod epoch_millis;
mod event;
mod filter;
mod hash_key_range;
mod item;
mod item_json;
mod json_text;
mod kinesis;
pub mod kpl;
pub mod number;
mod sequence_number;
mod shard;
mod stream_record;

pub use arn::{ArnError, StreamArn, StreamKind};
pub use attribute_value::{AttributeValue, Item};
pub use dynamodb::{DynamoDbRecord, EventName, UserIdentity};
pub use epoch_millis::EpochMillis;
pub use event::{EventError, is_object, split_records};
pub use filter::{FilterCriteria, FilterCriteriaError, FilterPattern, FilterPatternError};
pub use hash_key_range::{HashKeyRange, HashKeyRangeError};
pub use item::{ItemError, from_item};
pub use item_json::read_item;
pub use json_text::{Habit, JsonText, Refused, read_json};
pub use kinesis::KinesisRecord;
pub use number::Number;
pub use sequence_number::{SequenceNumber, SequenceNumberError};
pub use shard::{ShardId, ShardIdError, ShardRange, ShardRangeError};
pub use stream_record::StreamRecord;
