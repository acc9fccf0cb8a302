//! The rules of the house, read off the sources.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files below the members' folders, with their path from the root and their text.
fn sources(extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["functions", "shared", "localstack", "cli", "tests"].iter().map(|name| root().join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 10, "the sources were not found");
    found
}

fn check(what: &str, extension: &str, breaks: impl Fn(&str, &str) -> bool) {
    let broken: Vec<String> =
        sources(extension).into_iter().filter(|(path, text)| breaks(path, text)).map(|(path, _)| path).collect();
    assert!(broken.is_empty(), "{what}: {broken:#?}");
}

#[test]
fn only_one_crate_knows_the_sdk() {
    // Spelt apart, or this file would break its own rule.
    let (sdk, package) = (["aws", "sdk", ""].join("_"), ["aws", "sdk", ""].join("-"));
    check("only shared/aws names the AWS SDK", "rs", |path, text| {
        !path.starts_with("shared/aws/") && text.contains(&sdk)
    });
    check("only shared/aws depends on the AWS SDK", "toml", |path, text| {
        !path.starts_with("shared/aws/") && text.contains(&package)
    });
}

#[test]
fn a_processor_carries_the_sdk_for_its_quarantine_only() {
    check("the engine and the vocabulary do without the edge to AWS", "toml", |path, text| {
        let free = ["shared/partial-batch", "shared/records", "shared/recovery", "shared/telemetry"];
        free.iter().any(|folder| path.starts_with(folder)) && text.contains("aws-edge")
    });
    for package in ["kinesis-processor", "dynamodb-processor"] {
        let with = tree(&["--package", package, "--edges", "normal"]);
        let without = tree(&["--package", package, "--edges", "normal", "--no-default-features"]);
        let sdk = |packages: &str| packages.lines().any(|line| line.starts_with("aws-"));
        assert!(sdk(&with) && !sdk(&without), "{package}: {without}");
    }
}

/// What cargo says of the dependencies of a selection of packages, a line each, with their features.
fn tree(selection: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    command.current_dir(root()).args(["tree", "--locked", "--prefix", "none", "--format", "{p} [{f}]"]);
    let output = command.args(selection).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_vocabulary_and_the_model_read_no_clock() {
    check("records and the model take time as an argument", "rs", |path, text| {
        let pure = ["shared/records/src", "localstack/event-source-mapping/src"];
        let clocks = ["SystemTime::now", "Instant::now", "Timestamp::now", "tokio::time"];
        pure.iter().any(|folder| path.starts_with(folder)) && clocks.iter().any(|clock| text.contains(clock))
    });
}

#[test]
fn no_file_is_a_drawer_for_everything() {
    check("a file's name says what is in it", "rs", |path, _| {
        let name = Path::new(path).file_stem().unwrap().to_string_lossy().into_owned();
        ["utils", "util", "common", "helpers", "helper", "misc"].contains(&name.as_str())
    });
}

#[test]
fn files_stay_small() {
    check("a file over 500 lines holds two ideas", "rs", |_, text| text.lines().count() > 500);
}

#[test]
fn versions_stand_in_one_list() {
    check("a member takes its dependencies from the workspace", "toml", |_, text| {
        let dependencies = text
            .split("\n[")
            .filter(|section| section.split(']').next().is_some_and(|name| name.ends_with("dependencies")));
        let mut lines = dependencies.flat_map(|section| section.lines().skip(1)).map(str::trim);
        lines.any(|line| !line.is_empty() && !line.starts_with('#') && !line.contains("workspace = true"))
    });
}

#[test]
fn what_is_there_stands_in_its_table() {
    let text = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (workspace, readme, infra) = (text("Cargo.toml"), text("README.md"), text("infra/README.md"));
    let members = workspace.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
    let members = members.split('"').skip(1).step_by(2).map(str::to_owned);
    let rows = |readme: &str| readme.lines().filter(|line| line.starts_with("| `")).collect::<String>();
    let mut missing: Vec<_> = members.filter(|member| !rows(&readme).contains(&format!("`{member}`"))).collect();
    for entry in fs::read_dir(root().join("infra")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let slash = if entry.path().is_dir() { "/" } else { "" };
        let hidden = name.starts_with('.') || name == "README.md" || name.starts_with("requirements");
        if !hidden && !rows(&infra).contains(&format!("`{name}{slash}`")) {
            missing.push(format!("infra/{name}"));
        }
    }
    assert!(missing.is_empty(), "in no row of README.md or infra/README.md: {missing:#?}");
}

#[test]
fn the_two_commands_share_a_build() {
    // Cargo unifies features over the packages of a command. Where `cargo demo` and `cargo test` would compile one
    // dependency with different features, it and all above it are built twice.
    let packages = |selection: &[&str]| {
        let package = |line: &str| line.trim_end_matches(" (*)").replace(" (proc-macro)", "");
        tree(selection).lines().map(package).collect::<std::collections::BTreeSet<_>>()
    };
    let tests = packages(&["--workspace", "--edges", "normal,build,dev"]);
    let demo = packages(&["--package", "streamctl", "--edges", "normal,build"]);
    let apart: Vec<_> = demo.difference(&tests).collect();
    assert!(apart.is_empty(), "built differently for `cargo demo`: see cli/Cargo.toml: {apart:#?}");
}
