//! The filters of a mapping, all of them.

use super::kinesis_view::KinesisView;
use super::{FilterPattern, FilterPatternError, Reach};
use crate::StreamKind;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// The `FilterCriteria` of a mapping. A record passes that matches one pattern; without patterns, every record does.
///
/// Lambda counts a record that does not pass as handled
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>).
///
/// ```
/// use records::{FilterCriteria, StreamKind};
/// use serde_json::json;
///
/// let criteria = FilterCriteria::parse(r#"{"Filters":[{"Pattern":"{\"eventName\":[\"REMOVE\"]}"}]}"#).unwrap();
/// assert!(criteria.passes(StreamKind::DynamoDb, &json!({"eventName":"REMOVE","dynamodb":{}})));
/// assert!(!criteria.passes(StreamKind::DynamoDb, &json!({"eventName":"INSERT","dynamodb":{}})));
/// ```
#[derive(Debug, Clone, Default)]
pub struct FilterCriteria {
    patterns: Vec<FilterPattern>,
}

/// A mapping with these filters could not be made.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FilterCriteriaError {
    /// The JSON around the patterns is not AWS's.
    #[error("expected filters `{{\"Filters\":[{{\"Pattern\":\"...\"}}]}}`, got {reason}")]
    Shape {
        /// What the JSON reader says.
        reason: String,
    },
    /// There are more patterns than any mapping may have.
    #[error("expected at most {} filters, got {count}", FilterCriteria::PATTERNS_MAX)]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A pattern is none.
    #[error("filter {index}: {source}")]
    Pattern {
        /// Which one, counted from 0.
        index: usize,
        /// What is wrong with it.
        source: FilterPatternError,
    },
    /// A pattern lists values for the data itself, where Lambda wants an object with the fields of the data.
    #[error("filter {index}: expected an object of fields at `$.{field}`, got a list of values")]
    DataIsNoObject {
        /// Which one, counted from 0.
        index: usize,
        /// The field that holds the data: `data` or `dynamodb`.
        field: &'static str,
    },
}

impl FilterCriteria {
    /// Five by default, ten by quota.
    pub const PATTERNS_MAX: usize = 10;

    /// Parses the JSON that CreateEventSourceMapping takes, `{"Filters":[{"Pattern":"..."}]}`, each pattern a JSON text in
    /// a string. `{}` and an empty list are no filters. No other shape is taken: a bare pattern is an object as well, and
    /// could be taken for misspelt criteria.
    ///
    /// # Errors
    ///
    /// When the JSON has another shape, when there are more than [`Self::PATTERNS_MAX`] patterns, or when one is malformed.
    pub fn parse(text: &str) -> Result<Self, FilterCriteriaError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Criteria {
            #[serde(rename = "Filters")]
            filters: Option<Vec<Filter>>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Filter {
            #[serde(rename = "Pattern")]
            pattern: String,
        }
        if !crate::is_object(text.as_bytes()) {
            return Err(FilterCriteriaError::Shape { reason: "something else".to_owned() });
        }
        let criteria: Criteria =
            serde_json::from_str(text).map_err(|error| FilterCriteriaError::Shape { reason: error.to_string() })?;
        let filters = criteria.filters.unwrap_or_default();
        Self::from_patterns(filters.iter().map(|filter| filter.pattern.as_str()))
    }

    /// Criteria of these patterns, each a JSON text.
    ///
    /// # Errors
    ///
    /// When there are more than [`Self::PATTERNS_MAX`], or when one is malformed.
    pub fn from_patterns<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, FilterCriteriaError> {
        let texts: Vec<_> = patterns.into_iter().collect();
        if texts.len() > Self::PATTERNS_MAX {
            return Err(FilterCriteriaError::TooMany { count: texts.len() });
        }
        let parse =
            |(index, text)| FilterPattern::parse(text).map_err(|source| FilterCriteriaError::Pattern { index, source });
        Ok(Self { patterns: texts.into_iter().enumerate().map(parse).collect::<Result<_, _>>()? })
    }

    /// Whether there is no pattern, so that every record passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Looks for what Lambda refuses for one kind of stream only: a list of values for the data itself. "The filter pattern
    /// for data properties must be in a valid JSON format."
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html>)
    ///
    /// # Errors
    ///
    /// When a pattern has such a list.
    pub fn check(&self, kind: StreamKind) -> Result<(), FilterCriteriaError> {
        let field = match kind {
            StreamKind::Kinesis => "data",
            StreamKind::DynamoDb => "dynamodb",
        };
        match self.patterns.iter().position(|pattern| pattern.reach(field) == Reach::Value) {
            Some(index) => Err(FilterCriteriaError::DataIsNoObject { index, field }),
            None => Ok(()),
        }
    }

    /// Whether Lambda would hand a record to the function. `record` is what it would hand over, as
    /// [`KinesisRecord::delivered`](crate::KinesisRecord::delivered) and
    /// [`DynamoDbRecord::delivered`](crate::DynamoDbRecord::delivered) write it.
    ///
    /// DynamoDB: a pattern's fields are the record's, `eventName` or `dynamodb`. Attributes are in DynamoDB's JSON, numbers
    /// are texts there, and no `numeric` matches them
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html>).
    ///
    /// Kinesis: a pattern's fields are those of the record's `kinesis` object, and its `data` is the decoded payload
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html>). A pattern that names fields of the data
    /// matches no record whose data is no JSON; a pattern without `data` looks at the other fields only. A list of texts for
    /// `data` itself, which [`check`](Self::check) finds, matches data that is text, and none that is JSON. (Lambda's table
    /// for SQS; on streams it refuses the list.) An aggregated record of the KPL is no JSON: Lambda looks into one with
    /// enhanced fan-out alone, and this does not.
    ///
    /// Today's pages say that the mappings of streams filter by `data` and `dynamodb` only. Earlier ones showed
    /// `partitionKey`, AWS's CDK shows `eventName`, and both are read here.
    #[must_use]
    pub fn passes(&self, kind: StreamKind, record: &Value) -> bool {
        if self.is_empty() {
            return true;
        }
        match kind {
            StreamKind::DynamoDb => self.patterns.iter().any(|pattern| pattern.matches(record)),
            StreamKind::Kinesis => {
                KinesisView::new(record).is_some_and(|view| self.patterns.iter().any(|pattern| view.passes(pattern)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
