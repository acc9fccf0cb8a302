//! Which of a range's records are those that Lambda gave up.

use super::{ANSWER_MAX, Run};
use crate::{Certainty, OnFailureMessage, RangeSink, StreamReader, Surroundings, Verdict};
use records::{FilterCriteria, StreamArn, StreamRecord};
use serde_json::Value;
use std::sync::Arc;
use tokio::time::timeout;

impl<R: StreamReader, S: RangeSink, A: Surroundings> Run<'_, R, S, A> {
    /// A mark for each record. The ends of a range were in the failed batch. What lies between was for certain only when
    /// nothing else is there, or when the mapping's filters let exactly as many records through as the batch had, the ends
    /// among them.
    pub(super) async fn marks(
        &self,
        message: &OnFailureMessage,
        records: &[Arc<StreamRecord>],
        verdict: Option<Verdict>,
    ) -> Vec<Certainty> {
        match verdict {
            Some(Verdict::Complete) => return vec![Certainty::Certain; records.len()],
            Some(Verdict::Superset) => {
                if let Some(criteria) = self.criteria(message).await
                    && let Some(marks) = by_filter(message, records, &criteria)
                {
                    return marks;
                }
            }
            _ => {}
        }
        records.iter().map(|record| mark(is_end(message, record))).collect()
    }

    async fn criteria(&self, message: &OnFailureMessage) -> Option<Arc<FilterCriteria>> {
        if let Some(given) = &self.hydrator.settings.filter_criteria {
            return Some(Arc::new(given.clone()));
        }
        let function = message.failure.function_arn.as_deref().filter(|arn| arn.contains(":function:"))?;
        let key = (function.to_owned(), message.range.stream().clone());
        if let Some(known) = self.hydrator.filters.get(&key) {
            return known;
        }
        let criteria = self.look_up(function, message.range.stream()).await?;
        self.hydrator.filters.put(key, criteria)
    }

    /// The outer `None` is an answer that there was none of: the next superset asks again. Without filters, or where they
    /// are not known, records stay candidates: nothing is lost by that.
    async fn look_up(&self, function_arn: &str, stream: &StreamArn) -> Option<Option<Arc<FilterCriteria>>> {
        let unknown = |error: &dyn std::fmt::Display| {
            tracing::warn!(stream.arn = stream.as_str(), function_arn, %error, "the mapping's filters are not known");
        };
        let patterns = timeout(ANSWER_MAX, self.hydrator.surroundings.filter_patterns(function_arn, stream)).await;
        let patterns = match patterns {
            Ok(Ok(patterns)) => patterns,
            Ok(Err(error)) => {
                unknown(&error);
                return None;
            }
            Err(_) => {
                unknown(&"no answer in time");
                return None;
            }
        };
        let Some(patterns) = patterns else { return Some(None) };
        match FilterCriteria::from_patterns(patterns.iter().map(String::as_str)) {
            Ok(criteria) => Some(Some(Arc::new(criteria))),
            Err(error) => {
                unknown(&error);
                Some(None)
            }
        }
    }
}

fn by_filter(
    message: &OnFailureMessage,
    records: &[Arc<StreamRecord>],
    criteria: &FilterCriteria,
) -> Option<Vec<Certainty>> {
    let range = &message.range;
    let passes = |record: &StreamRecord| {
        let delivered = record.delivered(range.stream(), range.shard(), None).ok()?;
        let delivered: Value = serde_json::from_str(delivered.get()).ok()?;
        Some(criteria.passes(range.stream().kind(), &delivered))
    };
    let passed: Vec<bool> = records.iter().map(|record| passes(record)).collect::<Option<_>>()?;
    let count = passed.iter().filter(|passed| **passed).count() as u64;
    let ends_pass = records.iter().zip(&passed).all(|(record, passed)| *passed || !is_end(message, record));
    // Otherwise the filters are others than they were, or other batches ran beside this one.
    (count == message.batch_size && ends_pass).then(|| passed.into_iter().map(mark).collect())
}

fn is_end(message: &OnFailureMessage, record: &StreamRecord) -> bool {
    let position = record.sequence_number();
    position == message.range.start() || position == message.range.end()
}

fn mark(is_certain: bool) -> Certainty {
    if is_certain { Certainty::Certain } else { Certainty::Candidate }
}
