//! Filter patterns of an event source mapping: which records Lambda hands to the function at all.
//!
//! Lambda takes the patterns of EventBridge
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax>). Its page lists null,
//! empty, equals, `equals-ignore-case`, and, or, `$or`, `anything-but`, `numeric`, `exists`, `prefix` and `suffix`, and
//! refers to EventBridge for the rest. So the rest is taken too: `wildcard`, `cidr`, `exactly`, `prefix` and `suffix` with
//! `equals-ignore-case`, `anything-but` with each of them
//! (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>).
//!
//! What is read into a pattern, file by file: `written.rs` keeps a pattern's JSON as it is written, `compile.rs` makes it
//! branches of paths, `operator.rs` reads what may stand in a list. What matches: `walk.rs` leads a branch through an event,
//! `condition.rs` holds one value against one entry of a list. `criteria.rs` is a mapping's whole `FilterCriteria`.

mod address_block;
mod compile;
mod condition;
mod criteria;
mod fixed_point;
mod kinesis_view;
mod operator;
#[cfg(test)]
mod properties;
mod walk;
mod wildcard;
mod written;

pub use criteria::{FilterCriteria, FilterCriteriaError};

use condition::Condition;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// Characters of a pattern, by <https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html>.
const PATTERN_CHARS_MAX: usize = 4096;

/// Branches that the `$or`s of one pattern may multiply to; EventBridge refuses more.
const BRANCHES_MAX: usize = 1000;

/// What a record has to look like: one `Pattern` of a mapping's filters.
///
/// Two things follow from how EventBridge reads a pattern, as a list of paths. A key with dots and keys in each other are
/// the same path, in the pattern and in the event. And when a path is written twice, the last one counts, while keys
/// written twice with different paths below them are all of them conditions.
///
/// ```
/// use records::FilterPattern;
/// use serde_json::json;
///
/// let pattern = FilterPattern::parse(r#"{"order":{"amount":[{"numeric":[">",100]}],"state":["new","paid"]}}"#).unwrap();
/// assert!(pattern.matches(&json!({"order":{"amount":250,"state":"paid"}})));
/// assert!(!pattern.matches(&json!({"order":{"amount":250,"state":"sent"}})));
/// assert!(!pattern.matches(&json!({"order":{"amount":"250","state":"paid"}})));
/// ```
#[derive(Debug, Clone)]
pub struct FilterPattern {
    /// One of them has to match.
    branches: Vec<Branch>,
}

/// All paths of a branch have to match: steps joined by dots, and the conditions of which the value there has to pass one.
type Branch = BTreeMap<String, Arc<[Condition]>>;

/// The text is no filter pattern. Lambda refuses such a mapping with `Invalid filter pattern definition.` and no more.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FilterPatternError {
    /// It is no JSON, or nested more than 128 deep.
    #[error("invalid filter pattern: expected a JSON object, got {reason}")]
    NotJson {
        /// What the JSON reader says, with line and column.
        reason: String,
    },
    /// It is too long.
    #[error("invalid filter pattern: expected at most {PATTERN_CHARS_MAX} characters, got {chars}")]
    TooLong {
        /// How long it is.
        chars: usize,
    },
    /// Something in it is not what may stand there.
    #[error("invalid filter pattern: expected {expected} at `{path}`")]
    Unexpected {
        /// Where, such as `$.data.state[0].prefix`.
        path: String,
        /// What may stand there.
        expected: &'static str,
    },
}

/// What a pattern says about a field of the event and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Nothing.
    None,
    /// It lists values for the field itself.
    Value,
    /// It lists values for fields within it.
    Within,
}

impl FilterPattern {
    /// Parses the JSON text of a pattern.
    ///
    /// Stricter than EventBridge in one point: `$or` is always the operator, and never the name of a field.
    ///
    /// # Errors
    ///
    /// When Lambda would refuse the pattern, as far as AWS tells. It does not tell which `wildcard`s are too complex; here
    /// it is more than five `*` in one.
    pub fn parse(text: &str) -> Result<Self, FilterPatternError> {
        let chars = text.chars().count();
        if chars > PATTERN_CHARS_MAX {
            return Err(FilterPatternError::TooLong { chars });
        }
        let written =
            serde_json::from_str(text).map_err(|error| FilterPatternError::NotJson { reason: error.to_string() })?;
        Ok(Self { branches: compile::compile(written)? })
    }

    /// Whether an event has what the pattern asks for.
    ///
    /// A list in the event matches if one of its elements does, and conditions on several fields of an object in a list
    /// have to hold for the same object. `exists` sees leaves only: an object and an empty list are not there.
    ///
    /// Numbers in a list are met by an equal value, `300` by `300.0`; AWS's page says otherwise, and its service does not.
    /// `numeric`, and `anything-but` with numbers, compare six decimals of the numbers from -5e9 to 5e9. Beyond those, no
    /// number is met by `numeric`, and each is another one. An event that is no object matches nothing.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.branches.iter().any(|branch| walk::matches(branch, event))
    }

    fn reach(&self, field: &str) -> Reach {
        let paths = || self.branches.iter().flat_map(BTreeMap::keys);
        if paths().any(|path| path.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'))) {
            return Reach::Within;
        }
        if paths().any(|path| path == field) { Reach::Value } else { Reach::None }
    }
}

#[cfg(test)]
mod tests;
