//! The envelope that Lambda puts around a batch: `{"Records":[...]}`.

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

/// The payload of an invocation is no batch of records. The messages give the place and never quote the event.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EventError {
    /// It is no JSON at all.
    #[error("expected a JSON event `{{\"Records\":[...]}}`, got malformed JSON at line {line} column {column}")]
    NotJson {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// It is JSON without an array `Records`.
    #[error("expected a JSON event `{{\"Records\":[...]}}`, got JSON of another shape at line {line} column {column}")]
    NotABatch {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
}

/// Takes a batch apart without looking into its records, so that a broken record costs only itself.
///
/// # Errors
///
/// When the event is no JSON, or not an object with an array `Records`.
pub fn split_records(event: &str) -> Result<Vec<&RawValue>, EventError> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<&'a RawValue>,
    }
    match serde_json::from_str::<Event<'_>>(event) {
        Ok(event) => Ok(event.records),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(if error.is_data() {
                EventError::NotABatch { line, column }
            } else {
                EventError::NotJson { line, column }
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_any_shape_are_split() {
        let records = split_records(r#"{"x":1,"Records":[{"a":[1,"]"]}, null,7]}"#).unwrap();
        assert_eq!(records.iter().map(|raw| raw.get()).collect::<Vec<_>>(), [r#"{"a":[1,"]"]}"#, "null", "7"]);
    }

    #[test]
    fn what_is_no_batch_says_what_was_expected_and_where_without_quoting_it() {
        assert_eq!(split_records("not json").unwrap_err(), EventError::NotJson { line: 1, column: 2 });
        assert_eq!(split_records("{\"Records\":[").unwrap_err(), EventError::NotJson { line: 1, column: 12 });
        for other in ["{}", "[]", "null", r#"{"Records":null}"#, r#"{"Records":"secret"}"#, r#"{"Records":{}}"#] {
            let error = split_records(other).unwrap_err();
            assert!(matches!(error, EventError::NotABatch { .. }), "{other}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
