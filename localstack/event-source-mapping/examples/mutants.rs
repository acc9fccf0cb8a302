//! Turns off one rule of the model after the other and runs its tests: `cargo run -p event-source-mapping --example mutants`.
//!
//! Works on a copy of the crate beside the sources, so that nothing is lost when it is interrupted. Takes a part of a
//! rule's name to try only those. Ends with 1 if a mutant survives that is not said to be equivalent.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for the person who runs it")]

use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

#[derive(Deserialize)]
struct Mutants {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
struct Mutant {
    rule: String,
    file: PathBuf,
    old: String,
    new: String,
    /// Why no test could tell.
    equivalent: Option<String>,
}

fn main() -> ExitCode {
    let krate = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list: Mutants = toml::from_str(&fs::read_to_string(krate.join("mutants.toml")).unwrap()).unwrap();
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let copy = Copy::of(krate);
    assert!(copy.test().status.success(), "the tests fail without a mutant");
    let mutants: Vec<_> = list.mutant.iter().filter(|mutant| mutant.rule.contains(&wanted)).collect();
    let survivors = mutants.iter().filter(|mutant| survives(mutant, &copy)).count();
    println!("{} mutants, {survivors} survived", mutants.len());
    if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tries a mutant, and says what came of it.
fn survives(mutant: &Mutant, copy: &Copy) -> bool {
    let path = copy.krate.join(&mutant.file);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(&mutant.old).count(), 1, "{}: the text to replace", mutant.rule);
    fs::write(&path, text.replace(&mutant.old, &mutant.new)).unwrap();
    let output = copy.test();
    fs::write(&path, text).unwrap();
    let built = String::from_utf8_lossy(&output.stderr).contains("Running");
    let (verdict, survives) = match (output.status.success(), failed_test(&output), &mutant.equivalent) {
        (true, _, Some(why)) => (format!("equivalent: {why}"), false),
        (true, _, None) => ("SURVIVED".to_owned(), true),
        (false, Some(test), _) => (format!("caught by {test}"), false),
        (false, None, _) if built => ("caught: the tests do not end".to_owned(), false),
        (false, None, _) => ("DOES NOT BUILD".to_owned(), true),
    };
    println!("{}: {verdict}", mutant.rule);
    survives
}

/// The first test that failed; none if there was nothing to run.
fn failed_test(output: &Output) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.ends_with("... FAILED"))?;
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED").map(str::to_owned)
}

/// A copy of the workspace without what is built.
struct Copy {
    krate: PathBuf,
    _folder: tempfile::TempDir,
}

impl Copy {
    fn of(krate: &Path) -> Self {
        let root = krate.join("../..");
        let folder = tempfile::tempdir().unwrap();
        let files = Command::new("git").args(["ls-files", "-z"]).current_dir(&root).output().unwrap().stdout;
        for file in String::from_utf8(files).unwrap().split_terminator('\0') {
            let to = folder.path().join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(root.join(file), to).unwrap();
        }
        Self { krate: folder.path().join("localstack/event-source-mapping"), _folder: folder }
    }

    /// Runs the crate's tests, but for the one that looks for the text of each mutant. A mutant may loop for ever and keep
    /// all of it, so a minute and two gigabytes are all it gets.
    fn test(&self) -> Output {
        const TESTS: &str = "cargo test --lib --test model";
        let bounded = format!("{TESTS} --no-run && ulimit -v 2000000 && timeout 60 {TESTS} -- --skip fidelity");
        let mut command = Command::new("bash");
        // One folder for all runs, so that what is not mutated is built once.
        command.args(["-c", &bounded]).current_dir(&self.krate);
        command.env("CARGO_TARGET_DIR", self.krate.join("../../target")).output().unwrap()
    }
}
