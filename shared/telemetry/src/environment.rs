//! Environment variables, read once at the start and typed.

use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;
use thiserror::Error;

/// A source of environment variables: the process's, or a test's.
pub struct Environment<F = fn(&str) -> Option<OsString>>(F);

/// A variable that stops the start. The message names it, its value and what was expected.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum VariableError {
    /// It has no default and is not set.
    #[error("environment variable `{name}` is not set: expected {expected}")]
    Missing {
        /// The variable's name.
        name: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// It is set to something else than expected.
    #[error("environment variable `{name}` is {value:?}: expected {expected} ({reason})")]
    Invalid {
        /// The variable's name.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
        /// Why it is refused.
        reason: String,
    },
}

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(|name| std::env::var_os(name))
    }
}

impl<F: Fn(&str) -> Option<OsString>> Environment<F> {
    /// Variables from a function, for tests.
    pub fn new(lookup: F) -> Self {
        Self(lookup)
    }

    /// The variable `name`, or `None` where it is not set or empty.
    ///
    /// # Errors
    ///
    /// When it is set to a text that `T` refuses.
    pub fn optional<T>(&self, name: &'static str, expected: &'static str) -> Result<Option<T>, VariableError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(value) = (self.0)(name).filter(|value| !value.is_empty()) else { return Ok(None) };
        let invalid = |value, reason| VariableError::Invalid { name, value, expected, reason };
        let value = value
            .into_string()
            .map_err(|value| invalid(value.to_string_lossy().into_owned(), "it is not UTF-8".to_owned()))?;
        match value.parse() {
            Ok(parsed) => Ok(Some(parsed)),
            Err(error) => Err(invalid(value, format!("{error}"))),
        }
    }

    /// The variable `name`, which has to be set.
    ///
    /// # Errors
    ///
    /// When it is not set, empty, or set to a text that `T` refuses.
    pub fn required<T>(&self, name: &'static str, expected: &'static str) -> Result<T, VariableError>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.optional(name, expected)?.ok_or(VariableError::Missing { name, expected })
    }

    /// The variable `name`, which turns something `on` or `off`, or `default` where it is not set or empty.
    ///
    /// # Errors
    ///
    /// When it is set to another word: `true`, `1` and `ON` are refused rather than guessed at.
    pub fn switch(&self, name: &'static str, default: bool) -> Result<bool, VariableError> {
        Ok(self.optional(name, "`on` or `off`")?.map_or(default, |Switch(on)| on))
    }
}

struct Switch(bool);

impl FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err("it is neither"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment<impl Fn(&str) -> Option<OsString>> {
        Environment::new(|name| match name {
            "NUMBER" => Some("12".into()),
            "WORD" => Some("twelve".into()),
            "EMPTY" => Some(OsString::new()),
            "ON" => Some("on".into()),
            "OFF" => Some("off".into()),
            _ => None,
        })
    }

    #[test]
    fn a_set_variable_is_parsed_and_an_empty_one_counts_as_unset() {
        assert_eq!(environment().optional("NUMBER", "a number"), Ok(Some(12_u8)));
        assert_eq!(environment().optional::<u8>("EMPTY", "a number"), Ok(None));
        assert_eq!(environment().optional::<u8>("ABSENT", "a number"), Ok(None));
    }

    #[test]
    fn a_bad_variable_is_named_with_its_value_and_what_was_expected() {
        let invalid = environment().optional::<u8>("WORD", "milliseconds").unwrap_err().to_string();
        assert_eq!(
            invalid,
            r#"environment variable `WORD` is "twelve": expected milliseconds (invalid digit found in string)"#
        );
        let missing = environment().required::<u8>("EMPTY", "a queue URL").unwrap_err().to_string();
        assert_eq!(missing, "environment variable `EMPTY` is not set: expected a queue URL");
    }

    #[test]
    fn a_switch_is_on_or_off_and_nothing_else() {
        for default in [true, false] {
            assert_eq!(environment().switch("ON", default), Ok(true));
            assert_eq!(environment().switch("OFF", default), Ok(false));
            assert_eq!(environment().switch("EMPTY", default), Ok(default));
            assert_eq!(environment().switch("ABSENT", default), Ok(default));
        }
        for word in ["yes", "true", "1", "ON", "on "] {
            let error = Environment::new(|_| Some(word.into())).switch("KPL", true).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("environment variable `KPL` is {word:?}: expected `on` or `off` (it is neither)")
            );
        }
    }
}
