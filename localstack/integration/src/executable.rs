//! Executables of functions that were built elsewhere, and what machine an executable is for.

use anyhow::{Context, bail, ensure};
use std::path::{Path, PathBuf};

/// A folder with `NAME/bootstrap` for each function, as `cargo lambda build` makes it, in place of a build of the tests'.
const BINARIES: &str = "INTEGRATION_BINARIES";

/// The functions that are looked for.
const NAMES: [&str; 3] = ["kinesis-processor", "dynamodb-processor", "dlq-hydrator"];

/// `INTEGRATION_BINARIES`, if it is set: a folder that holds all of the functions.
///
/// # Errors
///
/// When one of them is missing.
pub(crate) fn built_elsewhere() -> anyhow::Result<Option<PathBuf>> {
    let named = std::env::var_os(BINARIES).filter(|folder| !folder.is_empty());
    named.map(|folder| complete(in_workspace(Path::new(&folder)))).transpose()
}

/// A relative path begins at the root of the workspace: cargo runs tests in the folder of their package, and nobody means
/// that one.
fn in_workspace(path: &Path) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    workspace.canonicalize().unwrap_or(workspace).join(path)
}

/// Where a folder has a function.
pub(crate) fn bootstrap(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).join("bootstrap")
}

fn complete(folder: PathBuf) -> anyhow::Result<PathBuf> {
    for name in NAMES {
        let path = bootstrap(&folder, name);
        ensure!(
            path.is_file(),
            "`{BINARIES}` names a folder without `{}`: expected what `cargo lambda build --release --package {name}` makes",
            path.display(),
        );
    }
    Ok(folder)
}

/// What machine an executable is for, as Rust calls it.
///
/// # Errors
///
/// When it is for none of Lambda's.
pub(crate) fn architecture(executable: &[u8]) -> anyhow::Result<&'static str> {
    // The head of an ELF file is the same for 32 and 64 bits up to `e_machine`; both machines here are little-endian.
    let machine = executable.strip_prefix(b"\x7fELF").and_then(|rest| rest.get(14..16));
    match machine.context("expected an executable for Linux: the file is no ELF file")? {
        [0x3e, 0] => Ok("x86_64"),
        [0xb7, 0] => Ok("aarch64"),
        other => bail!("expected an executable for x86-64 or AArch64, got one for the machine {other:02x?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: [u8; 2]) -> Vec<u8> {
        // `e_type` stands before the machine, `e_version` behind it.
        [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 9], &[3, 0], &machine, &[1, 0, 0, 0]].concat()
    }

    #[test]
    fn a_relative_folder_begins_at_the_root_of_the_workspace() {
        let lock = in_workspace(Path::new("Cargo.lock"));
        assert!(lock.is_file(), "{}", lock.display());
        assert_eq!(in_workspace(Path::new("/target/lambda")), Path::new("/target/lambda"));
    }

    #[test]
    fn the_machine_is_read_off_the_executable() {
        assert_eq!(architecture(&elf([0x3e, 0])).unwrap(), "x86_64");
        assert_eq!(architecture(&elf([0xb7, 0])).unwrap(), "aarch64");
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(architecture(&own).unwrap(), std::env::consts::ARCH);
    }

    #[test]
    fn what_lambda_does_not_run_is_refused() {
        for other in
            [elf([0xf3, 0]), elf([0, 0x3e]), b"#!/bin/sh\nexec true # long enough".to_vec(), b"\x7fELF".to_vec()]
        {
            assert!(architecture(&other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_folder_without_one_of_the_functions_is_refused_by_its_path_and_the_command_that_makes_it() {
        let folder = std::env::temp_dir().join(format!("integration-{}", uuid::Uuid::new_v4()));
        for name in ["kinesis-processor", "dlq-hydrator"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::write(bootstrap(&folder, name), "").unwrap();
        }
        let error = complete(folder.clone()).unwrap_err().to_string();
        std::fs::create_dir_all(bootstrap(&folder, "dynamodb-processor")).unwrap();
        let of_a_folder = complete(folder.clone());
        std::fs::remove_dir_all(&folder).unwrap();
        let path = bootstrap(&folder, "dynamodb-processor");
        assert!(error.contains(&format!("without `{}`", path.display())), "{error}");
        assert!(error.contains("`cargo lambda build --release --package dynamodb-processor`"), "{error}");
        assert!(of_a_folder.is_err(), "a folder is no executable");
    }
}
