//! What the environment says of a processor.

use recovery::QueueUrl;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;
use telemetry::{Environment, VariableError};

/// How a processor behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `CONCURRENCY`: the most records handled at once, 1 to 1,000. Records of one key are always handled in order.
    pub concurrency: NonZeroUsize,
    /// `SKIP_HANDLED`: whether a retry leaves out what this environment has handled already behind the checkpoint.
    pub skip_handled: bool,
    /// `DEADLINE_MARGIN_MS`: how long before Lambda's deadline the engine stops and answers.
    pub deadline_margin: Duration,
    /// `ON_INVALID`: what becomes of a record that no attempt will handle.
    pub on_invalid: OnInvalid,
    /// `KPL`: whether records that the Kinesis Producer Library has packed are taken apart.
    pub kpl: bool,
    /// `TUMBLING_WINDOW`: whether the mapping has a tumbling window, and records are added to its state.
    pub tumbling_window: bool,
}

/// What becomes of a record that no attempt will handle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OnInvalid {
    /// It is retried like any other, and goes to the on-failure destination in the end.
    #[default]
    Retry,
    /// It goes to the sink at once, and the batch goes on.
    Quarantine {
        /// `SINK`: the queue that takes it.
        sink_queue_url: QueueUrl,
        /// `SINK_BATCH_MAX_BYTES`: the most that the sink takes in one message; AWS's bound where it is not set.
        sink_batch_bytes_max: Option<NonZeroUsize>,
    },
}

/// Enough for the answer to leave and for the runtime to take it, on a busy environment of the smallest size.
const DEFAULT_DEADLINE_MARGIN_MS: u64 = 500;

/// Most records at once. Each can hold a connection and its payload, and an environment has 1,024 file descriptors.
const CONCURRENCY_MAX: usize = 1_000;

impl Default for Config {
    fn default() -> Self {
        Self {
            concurrency: NonZeroUsize::MIN,
            skip_handled: true,
            deadline_margin: Duration::from_millis(DEFAULT_DEADLINE_MARGIN_MS),
            on_invalid: OnInvalid::Retry,
            kpl: true,
            tumbling_window: false,
        }
    }
}

impl Config {
    /// Reads the variables.
    ///
    /// # Errors
    ///
    /// When a variable holds something else than expected, or the quarantine has no `SINK`.
    pub fn from_environment<F: Fn(&str) -> Option<OsString>>(
        environment: &Environment<F>,
    ) -> Result<Self, VariableError> {
        let default = Self::default();
        let concurrency: Option<Concurrency> =
            environment.optional("CONCURRENCY", "a whole number of records from 1 to 1000")?;
        let margin_ms = environment.optional("DEADLINE_MARGIN_MS", "a whole number of milliseconds")?;
        Ok(Self {
            concurrency: concurrency.map_or(default.concurrency, |concurrency| concurrency.0),
            skip_handled: environment.switch("SKIP_HANDLED", default.skip_handled)?,
            deadline_margin: margin_ms.map_or(default.deadline_margin, Duration::from_millis),
            on_invalid: on_invalid(environment)?,
            kpl: environment.switch("KPL", default.kpl)?,
            tumbling_window: environment.switch("TUMBLING_WINDOW", default.tumbling_window)?,
        })
    }
}

fn on_invalid<F: Fn(&str) -> Option<OsString>>(environment: &Environment<F>) -> Result<OnInvalid, VariableError> {
    match environment.optional("ON_INVALID", "`retry` or `quarantine`")? {
        None | Some(Way::Retry) => Ok(OnInvalid::Retry),
        Some(Way::Quarantine) => Ok(OnInvalid::Quarantine {
            sink_queue_url: environment.required("SINK", "the URL of an SQS queue, for ON_INVALID=quarantine")?,
            sink_batch_bytes_max: environment.optional("SINK_BATCH_MAX_BYTES", "a whole number of bytes above 0")?,
        }),
    }
}

enum Way {
    Retry,
    Quarantine,
}

impl FromStr for Way {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "retry" => Ok(Self::Retry),
            "quarantine" => Ok(Self::Quarantine),
            _ => Err("it is neither"),
        }
    }
}

struct Concurrency(NonZeroUsize);

impl FromStr for Concurrency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: NonZeroUsize = text.parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
        if number.get() > CONCURRENCY_MAX { Err("it is above 1000".to_owned()) } else { Ok(Self(number)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, String> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        Config::from_environment(&Environment::new(find)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_variable_has_a_default_and_a_meaning() {
        assert_eq!(config(&[]), Ok(Config::default()));
        let all = config(&[
            ("CONCURRENCY", "8"),
            ("SKIP_HANDLED", "off"),
            ("DEADLINE_MARGIN_MS", "250"),
            ("ON_INVALID", "quarantine"),
            ("SINK", "http://localhost:1/queue"),
            ("SINK_BATCH_MAX_BYTES", "262144"),
            ("KPL", "off"),
            ("TUMBLING_WINDOW", "on"),
        ]);
        let on_invalid = OnInvalid::Quarantine {
            sink_queue_url: "http://localhost:1/queue".parse().unwrap(),
            sink_batch_bytes_max: NonZeroUsize::new(262_144),
        };
        let expected = Config {
            concurrency: NonZeroUsize::new(8).unwrap(),
            skip_handled: false,
            deadline_margin: Duration::from_millis(250),
            on_invalid,
            kpl: false,
            tumbling_window: true,
        };
        assert_eq!(all, Ok(expected));
    }

    #[test]
    fn a_bad_variable_stops_the_start_and_says_what_was_expected() {
        for (name, value, expected) in [
            ("CONCURRENCY", "0", "from 1 to 1000"),
            ("CONCURRENCY", "1001", "it is above 1000"),
            ("CONCURRENCY", "many", "from 1 to 1000"),
            ("SKIP_HANDLED", "yes", "`on` or `off`"),
            ("DEADLINE_MARGIN_MS", "-1", "milliseconds"),
            ("ON_INVALID", "drop", "`retry` or `quarantine`"),
            ("KPL", "1", "`on` or `off`"),
            ("TUMBLING_WINDOW", "60", "`on` or `off`"),
        ] {
            let error = config(&[(name, value)]).unwrap_err();
            assert!(error.contains(&format!("`{name}`")) && error.contains(value), "{error}");
            assert!(error.contains(expected), "{error}");
        }
        let error = config(&[("ON_INVALID", "quarantine")]).unwrap_err();
        assert!(error.contains("`SINK` is not set"), "{error}");
        let error = config(&[("ON_INVALID", "quarantine"), ("SINK", "recovered")]).unwrap_err();
        assert!(error.contains("`SINK` is \"recovered\""), "{error}");
        assert!(config(&[("SINK", "nonsense, and nobody asked")]).is_ok());
    }
}
