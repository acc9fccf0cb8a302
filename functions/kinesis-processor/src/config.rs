//! What the environment may say.

use partial_batch::{Config, OnInvalid, Quarantine};
use telemetry::{Environment, VariableError};

/// Reads the variables that every processor has. Variables of your own are read here too.
pub fn from_environment() -> Result<Config, VariableError> {
    Config::from_environment(&Environment::of_process())
}

/// Where invalid records go at once, if they do. Nothing is connected before the first one.
#[cfg(feature = "quarantine")]
#[expect(clippy::unnecessary_wraps, reason = "without its feature it can fail")]
pub fn quarantine(on_invalid: &OnInvalid) -> Result<Option<Quarantine>, String> {
    let OnInvalid::Quarantine { sink_queue_url, sink_batch_bytes_max } = on_invalid else { return Ok(None) };
    let bytes_max = sink_batch_bytes_max.map_or(aws_edge::MESSAGE_BYTES_MAX, std::num::NonZeroUsize::get);
    Ok(Some(Quarantine::new(aws_edge::LazySqsSink::new(sink_queue_url.to_string(), bytes_max))))
}

/// Without the feature, this function carries no AWS SDK and can write nowhere.
#[cfg(not(feature = "quarantine"))]
pub fn quarantine(on_invalid: &OnInvalid) -> Result<Option<Quarantine>, String> {
    match on_invalid {
        OnInvalid::Retry => Ok(None),
        OnInvalid::Quarantine { .. } => {
            Err("ON_INVALID is `quarantine`: expected a function that was built with its feature `quarantine`"
                .to_owned())
        }
    }
}
