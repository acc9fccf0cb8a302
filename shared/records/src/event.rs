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
/// When the event is no JSON (anything behind it included), or not an object with an array `Records`.
pub fn split_records(event: &[u8]) -> Result<Vec<&RawValue>, EventError> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<&'a RawValue>,
    }
    let error = match serde_json::from_slice::<Event<'_>>(event) {
        Ok(event_read) if is_object(event) => return Ok(event_read.records),
        Ok(_) => return Err(EventError::NotABatch { line: 1, column: 1 }),
        Err(error) => error,
    };
    let (line, column) = (error.line(), error.column());
    Err(if error.is_data() { EventError::NotABatch { line, column } } else { EventError::NotJson { line, column } })
}

/// Whether a JSON text is an object. A derived `Deserialize` takes an array for a struct as well, field by field in their
/// order; what comes from outside has to name its fields.
#[must_use]
pub fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_any_shape_are_split() {
        let records = split_records(br#" {"x":1,"Records":[{"a":[1,"]"]}, null,7]} "#).unwrap();
        assert_eq!(records.iter().map(|raw| raw.get()).collect::<Vec<_>>(), [r#"{"a":[1,"]"]}"#, "null", "7"]);
    }

    #[test]
    fn what_is_no_batch_says_what_was_expected_and_where_without_quoting_it() {
        assert_eq!(split_records(b"not json").unwrap_err(), EventError::NotJson { line: 1, column: 2 });
        assert_eq!(split_records(b"{\"Records\":[").unwrap_err(), EventError::NotJson { line: 1, column: 12 });
        for bad in [&br#"{"Records":[]}xx"#[..], b"", b"\xff", b"{\"Records\":[\"\xff\"]}"] {
            let error = split_records(bad).unwrap_err();
            assert!(matches!(error, EventError::NotJson { .. }), "{bad:?}: {error}");
        }
        for other in ["{}", "[]", "[[]]", "null", r#"{"Records":null}"#, r#"{"Records":"secret"}"#, r#"{"Records":{}}"#]
        {
            let error = split_records(other.as_bytes()).unwrap_err();
            assert!(matches!(error, EventError::NotABatch { .. }), "{other}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
