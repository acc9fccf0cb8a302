//! One setting's value, taken from JSON or refused. Streams and queues share it.

use serde_json::Value;
use std::ops::RangeInclusive;
use thiserror::Error;

/// Why settings are refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// The text is not a JSON object.
    #[error("expected the settings of an event source mapping as a JSON object, got {0}")]
    NotAnObject(String),
    /// A setting without a default is absent.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// AWS knows no such setting for this kind of event source.
    #[error("{key} is no setting of an event source mapping that reads a {kind}")]
    Unknown {
        /// The name, with the names around it: `DestinationConfig.OnFailed`.
        key: String,
        /// `stream` or `queue`.
        kind: &'static str,
    },
    /// AWS would refuse this number.
    #[error("{key} must be {minimum} to {maximum}, got {value}")]
    OutOfRange {
        /// The name of the setting.
        key: &'static str,
        /// The value.
        value: i64,
        /// The smallest allowed.
        minimum: i64,
        /// The largest allowed.
        maximum: i64,
    },
    /// AWS would refuse these filters.
    #[error("FilterCriteria: {0}")]
    Filters(String),
    /// AWS would refuse this value.
    #[error("{key} must be {expected}, got {value}")]
    Refused {
        /// The name of the setting.
        key: &'static str,
        /// The value, as JSON.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// AWS would take this value, but the model does not do what it asks for.
    #[error("the model does not cover {key} = {value}")]
    NotCovered {
        /// The name of the setting.
        key: &'static str,
        /// The value, as JSON.
        value: String,
    },
}

impl SettingsError {
    pub(crate) fn refused(key: &'static str, value: impl ToString, expected: impl Into<String>) -> Self {
        Self::Refused { key, value: value.to_string(), expected: expected.into() }
    }

    /// The setting that is refused, with the names around it; `None` when there are no settings at all.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::NotAnObject(_) => None,
            Self::Unknown { key, .. } => Some(key),
            Self::Filters(_) => Some("FilterCriteria"),
            Self::Missing(key)
            | Self::OutOfRange { key, .. }
            | Self::Refused { key, .. }
            | Self::NotCovered { key, .. } => Some(key),
        }
    }

    pub(crate) fn not_covered(key: &'static str, value: impl ToString) -> Self {
        Self::NotCovered { key, value: value.to_string() }
    }
}

/// Settings of `CreateEventSourceMapping` for streams and queues alike that the model does not cover, whatever their
/// value. Those of other event sources are not among them: for a stream or a queue they are unknown.
const NOT_COVERED: [&str; 3] = ["KMSKeyArn", "LoggingConfig", "ProvisionedPollerConfig"];

/// Refuses a setting that neither the model nor, perhaps, AWS knows.
pub(crate) fn foreign(key: &str, value: &Value, kind: &'static str) -> SettingsError {
    match NOT_COVERED.into_iter().find(|known| *known == key) {
        Some(known) => SettingsError::not_covered(known, value),
        None => SettingsError::Unknown { key: key.to_owned(), kind },
    }
}

/// Checks a setting that changes nothing in the model, or says that `key` is none of them. Tags deliver no record, and the
/// model counts events whether `EventCount` is asked for or not.
pub(crate) fn without_effect(key: &str, value: &Value) -> Option<Result<(), SettingsError>> {
    let (key, fits, expected) = match key {
        "Tags" => {
            let fits = value.as_object().is_some_and(|tags| tags.values().all(Value::is_string));
            ("Tags", fits, "an object of texts")
        }
        "MetricsConfig" => {
            let metrics = value.as_object().filter(|config| config.keys().all(|key| key == "Metrics"));
            let metrics = metrics.map(|config| config.get("Metrics").and_then(Value::as_array));
            let fits = metrics.is_some_and(|list| list.is_none_or(|list| list.iter().all(|name| name == "EventCount")));
            ("MetricsConfig", fits, r#"{"Metrics":["EventCount"]}"#)
        }
        _ => return None,
    };
    Some(if fits { Ok(()) } else { Err(SettingsError::refused(key, value, expected)) })
}

/// The settings as key and value; a `null` is an absent setting, as it is for AWS.
pub(crate) fn object(json: &str) -> Result<Vec<(String, Value)>, SettingsError> {
    match serde_json::from_str(json) {
        Ok(Value::Object(object)) => Ok(object.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        Ok(other) => Err(SettingsError::NotAnObject(other.to_string())),
        Err(error) => Err(SettingsError::NotAnObject(format!("{json:?}: {error}"))),
    }
}

pub(crate) fn text(key: &'static str, value: &Value) -> Result<String, SettingsError> {
    value.as_str().map(str::to_owned).ok_or_else(|| SettingsError::refused(key, value, "a text"))
}

pub(crate) fn integer(key: &'static str, value: &Value) -> Result<i64, SettingsError> {
    value.as_i64().ok_or_else(|| SettingsError::refused(key, value, "an integer"))
}

pub(crate) fn boolean(key: &'static str, value: &Value) -> Result<bool, SettingsError> {
    value.as_bool().ok_or_else(|| SettingsError::refused(key, value, "true or false"))
}

/// The value of `outer.inner`, where that is the only thing `outer` may hold.
pub(crate) fn only_member<'a>(
    outer: &'static str,
    inner: &'static str,
    value: &'a Value,
    kind: &'static str,
) -> Result<Option<&'a Value>, SettingsError> {
    let object = value.as_object().ok_or_else(|| SettingsError::refused(outer, value, "an object"))?;
    match object.keys().find(|key| *key != inner) {
        Some(key) => Err(SettingsError::Unknown { key: format!("{outer}.{key}"), kind }),
        None => Ok(object.get(inner).filter(|value| !value.is_null())),
    }
}

/// Whether `FunctionResponseTypes` asks for partial batch responses.
pub(crate) fn reports_batch_item_failures(value: &Value) -> Result<bool, SettingsError> {
    match value.as_array().map(Vec::as_slice) {
        Some([]) => Ok(false),
        Some([one]) if one == "ReportBatchItemFailures" => Ok(true),
        _ => Err(SettingsError::refused("FunctionResponseTypes", value, r#"[] or ["ReportBatchItemFailures"]"#)),
    }
}

/// Refuses filters: each record that one drops would have to count as handled.
pub(crate) fn no_filters(value: &Value, kind: &'static str) -> Result<(), SettingsError> {
    match only_member("FilterCriteria", "Filters", value, kind)? {
        Some(filters) if filters.as_array().is_none_or(|list| !list.is_empty()) => {
            Err(SettingsError::not_covered("FilterCriteria", value))
        }
        _ => Ok(()),
    }
}

/// Refuses a mapping that is switched off.
pub(crate) fn enabled(value: &Value) -> Result<(), SettingsError> {
    if boolean("Enabled", value)? { Ok(()) } else { Err(SettingsError::not_covered("Enabled", value)) }
}

/// Accepts `value` within `range`.
pub(crate) fn within(key: &'static str, value: i64, range: RangeInclusive<i64>) -> Result<i64, SettingsError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(SettingsError::OutOfRange { key, value, minimum: *range.start(), maximum: *range.end() })
}
