//! `FilterCriteria`, as it was given and as it is asked.

use super::field::SettingsError;
use records::{FilterCriteria, StreamKind};

/// Filters that hold at least one pattern.
#[derive(Debug, Clone)]
pub(super) struct Filters {
    text: Box<str>,
    pub criteria: FilterCriteria,
}

impl PartialEq for Filters {
    /// The same text is the same filters.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Filters {}

impl Filters {
    /// Parses the JSON of `FilterCriteria`. Criteria without a pattern are no filters.
    pub fn parse(text: &str, kind: StreamKind) -> Result<Option<Self>, SettingsError> {
        let refused = |error: records::FilterCriteriaError| SettingsError::Filters(error.to_string());
        let criteria = FilterCriteria::parse(text).map_err(refused)?;
        criteria.check(kind).map_err(refused)?;
        Ok((!criteria.is_empty()).then(|| Self { text: text.into(), criteria }))
    }
}
