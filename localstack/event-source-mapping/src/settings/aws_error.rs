//! What AWS answers to settings that it refuses, as far as that is known.

use super::field::SettingsError;
use std::fmt::{Display, Formatter};

/// An error of `CreateEventSourceMapping`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The error's code.
    pub code: &'static str,
    /// Its message.
    pub message: String,
}

impl Display for AwsError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl SettingsError {
    /// AWS's own error, where its words are known.
    ///
    /// A number outside of the API's bounds is answered before anything else looks at it, always in the same form
    /// (documented bounds, recorded form). The other texts are third-party records.
    #[must_use]
    pub fn aws_error(&self) -> Option<AwsError> {
        match self {
            Self::OutOfRange { key, value, minimum, maximum } => Some(validation(key, *value, *minimum, *maximum)),
            Self::Refused { key: "MaximumRecordAgeInSeconds", value, .. } => {
                // 0 to 59 passes the API's bounds and is refused behind them, in words that are not known.
                let value = value.parse().ok().filter(|value| !(-1..=604_800).contains(value))?;
                Some(validation("MaximumRecordAgeInSeconds", value, -1, 604_800))
            }
            Self::Missing("StartingPositionTimestamp") => Some(invalid("Need to specify a timestamp")),
            Self::Filters(_) => Some(invalid("Invalid filter pattern definition.")),
            Self::Refused { key: "StartingPosition", value, .. } if value == "\"AT_TIMESTAMP\"" => {
                Some(invalid("Unsupported starting position for arn type"))
            }
            _ => None,
        }
    }
}

fn invalid(message: &str) -> AwsError {
    AwsError { code: "InvalidParameterValueException", message: message.to_owned() }
}

fn validation(key: &str, value: i64, minimum: i64, maximum: i64) -> AwsError {
    let (relation, bound) = if value < minimum { ("greater", minimum) } else { ("less", maximum) };
    let mut member = key.rsplit('.').next().unwrap_or(key).to_owned();
    if let Some(first) = member.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: \
         Member must have value {relation} than or equal to {bound}"
    );
    AwsError { code: "ValidationException", message }
}
