//! A call to a service, and how it fails.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::error::Error as StdError;
use thiserror::Error;

/// A call to a service that failed.
#[derive(Debug, Error)]
pub enum CallError {
    /// The service refused the request, or was not reached.
    #[error("failed to {operation} `{object}`")]
    Request {
        /// What was to be done, as in `receive messages from`.
        operation: &'static str,
        /// To which queue, stream or table.
        object: String,
        /// The service's error code, when it answered.
        code: Option<String>,
        /// The SDK's error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The answer lacks what the service always gives.
    #[error("failed to {operation} `{object}`: the answer has no valid {field}")]
    Answer {
        /// What was done, as in `receive messages from`.
        operation: &'static str,
        /// To which queue, stream or table.
        object: String,
        /// What is missing or malformed.
        field: &'static str,
    },
}

impl CallError {
    /// The service's error code, such as `ResourceNotFoundException`; `None` when it did not answer with one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Request { code, .. } => code.as_deref(),
            Self::Answer { .. } => None,
        }
    }
}

/// What went wrong and what was behind it, each said once.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = error.source();
    }
    text
}

/// The service's words, where it had any; and what kept the call from it, where it had none.
pub(crate) fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + StdError + 'static,
    R: std::fmt::Debug,
{
    match error.code() {
        Some(code) => format!("{code}: {}", error.message().unwrap_or("no message")),
        None => chain(error),
    }
}

/// A call under way, for its errors.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub operation: &'static str,
    pub object: &'a str,
}

impl Call<'_> {
    pub fn failed<E, R>(self, error: SdkError<E, R>) -> CallError
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        self.refused(error.code().map(str::to_owned), error)
    }

    /// The request could not even be built.
    pub fn unbuilt(self, error: impl StdError + Send + Sync + 'static) -> CallError {
        self.refused(None, error)
    }

    pub fn incomplete(self, field: &'static str) -> CallError {
        CallError::Answer { operation: self.operation, object: self.object.to_owned(), field }
    }

    fn refused(self, code: Option<String>, error: impl StdError + Send + Sync + 'static) -> CallError {
        CallError::Request { operation: self.operation, object: self.object.to_owned(), code, source: Box::new(error) }
    }
}
