//! Builds the three functions and finds their executables.

use anyhow::{Context, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// Where the executables of the three functions are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// Handles the Kinesis stream.
    pub kinesis_processor: PathBuf,
    /// Handles the table's stream.
    pub dynamodb_processor: PathBuf,
    /// Handles the on-failure queue.
    pub dlq_hydrator: PathBuf,
}

const PACKAGES: [&str; 3] = ["kinesis-processor", "dynamodb-processor", "dlq-hydrator"];

impl Binaries {
    /// Builds the functions in the release profile, if they are not built already. Cargo's progress goes to standard
    /// error.
    ///
    /// Packages are named one by one, as for a deployment: a build of the whole workspace would unify the features of
    /// their dependencies with those of the local stack.
    ///
    /// # Errors
    ///
    /// When cargo cannot be run, or the functions do not build.
    pub async fn build() -> anyhow::Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        for name in variables_of_a_cargo_run() {
            command.env_remove(name);
        }
        command
            .current_dir(&workspace)
            .args(["build", "--release", "--locked", "--message-format=json-render-diagnostics"])
            .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        // Not `output()`: it would take standard error too, and with it what a developer has to see.
        let output = async { command.spawn()?.wait_with_output().await };
        let output = output.await.with_context(|| format!("failed to run cargo in `{}`", workspace.display()))?;
        if !output.status.success() {
            bail!("failed to build the functions: cargo ended with {}", output.status);
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let executable = |package: &str| {
            executable_of(&messages, package)
                .with_context(|| format!("failed to find the executable of `{package}`: cargo did not name it"))
        };
        Ok(Self {
            kinesis_processor: executable(PACKAGES[0])?,
            dynamodb_processor: executable(PACKAGES[1])?,
            dlq_hydrator: executable(PACKAGES[2])?,
        })
    }
}

/// What `cargo run` and `cargo test` tell their child about its package. Build scripts watch these, and would run again
/// each time that the build is started from another place.
fn variables_of_a_cargo_run() -> impl Iterator<Item = String> {
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_PRIMARY_PACKAGE"];
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// Finds the executable in cargo's messages, one JSON object a line.
fn executable_of(messages: &str, package: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        target: Option<Target>,
        executable: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages
        .filter(|message| message.target.as_ref().is_some_and(|target| target.name == package))
        .find_map(|message| message.executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_cargos_messages() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"records\"},\"executable\":null}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"dlq-hydrator\"},\"executable\":null}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"dlq-hydrator\"},\"executable\":\"/t/dlq\"}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        assert_eq!(executable_of(messages, "dlq-hydrator"), Some(PathBuf::from("/t/dlq")));
        assert_eq!(executable_of(messages, "kinesis-processor"), None);
    }
}
