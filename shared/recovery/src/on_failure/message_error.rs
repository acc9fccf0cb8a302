//! Why a text is no message that the hydrator can act on.

use super::object::type_name;
use thiserror::Error;

/// A text is no on-failure message. The message says what was expected and at which path; it quotes nothing.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected an on-failure message of a stream: {expected} at `{path}`, got {got}")]
pub struct MessageError {
    path: String,
    expected: &'static str,
    got: String,
}

impl MessageError {
    pub(super) fn new(path: String, expected: &'static str, got: &str) -> Self {
        Self { path, expected, got: got.to_owned() }
    }

    /// What serde_json says of `json`, without the words in which it would quote a name.
    pub(super) fn malformed(path: &str, json: &str, error: &serde_json::Error) -> Self {
        let got = match error.classify() {
            serde_json::error::Category::Data => type_name(json).to_owned(),
            _ => format!("malformed JSON at line {} column {}", error.line(), error.column()),
        };
        Self { path: path.to_owned(), expected: "a JSON object", got }
    }
}
