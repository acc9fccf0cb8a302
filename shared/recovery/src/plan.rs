//! What is read, and in which order: the messages of an invocation, by shard.

use crate::{OnFailureMessage, Progress};
use records::{EpochMillis, SequenceNumber, ShardId, StreamArn};
use std::collections::HashMap;
use std::time::Duration;

/// The ranges of one shard, which are read together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ShardPlan {
    pub stream: StreamArn,
    pub shard: ShardId,
    /// By their starts, as numbers.
    pub ranges: Vec<RangePlan>,
    /// When the stream forgets the first record of them; `None` where no message says when it arrived.
    pub expires: Option<EpochMillis>,
}

/// A range that is read once, whoever wants it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RangePlan {
    pub start: SequenceNumber,
    pub end: SequenceNumber,
    pub progress: Option<Progress>,
    /// The messages it is written for, as indices: one for each function that gave it up, and for each size of a batch.
    pub messages: Vec<usize>,
    /// Messages that say the same as another, and that one.
    pub duplicates: Vec<(usize, usize)>,
}

/// Shard, start, end and progress of a range.
type RangeKey = (usize, SequenceNumber, SequenceNumber, Option<Progress>);

/// Which function gave the range up, in a batch of how many.
type GivenUpBy<'m> = (Option<&'m str>, u64);

/// Puts the messages in order: shards by which is the first to expire, and within a shard by position. A message that does
/// not say when its records arrived may be about to expire, and comes first.
pub(crate) fn plan<'m>(
    messages: impl IntoIterator<Item = (usize, &'m OnFailureMessage)>,
    retention: impl Fn(&StreamArn) -> Duration,
) -> Vec<ShardPlan> {
    let mut shards: Vec<ShardPlan> = Vec::new();
    let mut by_shard: HashMap<(StreamArn, ShardId), usize> = HashMap::new();
    let mut functions: HashMap<(usize, usize), Vec<GivenUpBy<'_>>> = HashMap::new();
    let mut ranges: HashMap<RangeKey, usize> = HashMap::new();
    for (index, message) in messages {
        let range = &message.range;
        let expires = expiry(message, retention(range.stream()));
        let shard = *by_shard.entry((range.stream().clone(), range.shard().clone())).or_insert_with(|| {
            let (stream, shard) = (range.stream().clone(), range.shard().clone());
            shards.push(ShardPlan { stream, shard, ranges: Vec::new(), expires });
            shards.len() - 1
        });
        let plan = &mut shards[shard];
        plan.expires = plan.expires.zip(expires).map(|(one, other)| one.min(other));
        let progress = message.progress.clone();
        let key = (shard, range.start().clone(), range.end().clone(), progress);
        let place = *ranges.entry(key).or_insert_with(|| {
            let (start, end, progress) = (range.start().clone(), range.end().clone(), message.progress.clone());
            plan.ranges.push(RangePlan { start, end, progress, messages: Vec::new(), duplicates: Vec::new() });
            plan.ranges.len() - 1
        });
        let plan = &mut plan.ranges[place];
        let function = (message.failure.function_arn.as_deref(), message.batch_size);
        let known = functions.entry((shard, place)).or_default();
        match known.iter().position(|known| *known == function) {
            Some(same) => plan.duplicates.push((index, plan.messages[same])),
            None => {
                known.push(function);
                plan.messages.push(index);
            }
        }
    }
    for shard in &mut shards {
        shard.ranges.sort_by(|one, other| one.start.cmp(&other.start).then_with(|| one.end.cmp(&other.end)));
    }
    // `None` is less than any time.
    shards.sort_by_key(|shard| shard.expires);
    shards
}

/// When the stream forgets the first record of the message's batch.
pub(crate) fn expiry(message: &OnFailureMessage, retention: Duration) -> Option<EpochMillis> {
    let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    message.first_arrival.map(|arrival| EpochMillis(arrival.0.saturating_add(retention_ms)))
}
