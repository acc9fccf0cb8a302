//! What the environment may say.

use partial_batch::Config;
use telemetry::{Environment, VariableError};

/// Reads `DEADLINE_MARGIN_MS`.
pub fn from_environment() -> Result<Config, VariableError> {
    Config::from_environment(&Environment::of_process())
}
