//! The list of the rules, and the list of the mutants, held to the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn krate() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of every source of the crate.
fn sources() -> Vec<String> {
    let mut folders: Vec<PathBuf> = ["src", "tests"].map(|folder| krate().join(folder)).into();
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => texts.push(fs::read_to_string(path).unwrap()),
            }
        }
    }
    texts
}

/// The functions marked as tests, by name.
fn tests() -> BTreeSet<String> {
    let name = |after: &str| {
        after.lines().find_map(|line| line.trim().strip_prefix("fn ")?.split('(').next().map(str::to_owned))
    };
    sources().iter().flat_map(|text| text.split("#[test]").skip(1).filter_map(name).collect::<Vec<_>>()).collect()
}

/// The rows of the tables of `FIDELITY.md`, each as its cells.
fn rows() -> Vec<Vec<String>> {
    let text = fs::read_to_string(krate().join("FIDELITY.md")).unwrap();
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Rule"));
    rows.map(cells).collect()
}

/// The words between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_rule_has_a_grade_a_place_and_a_test_that_exists() {
    let (rows, tests) = (rows(), tests());
    assert!(rows.len() > 50 && tests.len() > 60, "{} rules, {} tests", rows.len(), tests.len());
    for row in rows {
        let [rule, grade, places, proofs] = &row[..] else { panic!("four columns: {row:?}") };
        let known = ["recorded", "captured", "documented", "inferred", "-"];
        assert!(known.iter().any(|known| grade.starts_with(known)), "{rule}: {grade}");
        for place in quoted(places) {
            assert!(krate().join("src").join(place).is_file(), "{rule}: no file {place}");
        }
        assert!(!quoted(proofs).is_empty(), "{rule}: no test");
        for proof in quoted(proofs) {
            assert!(tests.contains(proof), "{rule}: no test {proof}");
        }
    }
}

#[test]
fn every_mutant_still_applies() {
    let list: toml::Table = toml::from_str(&fs::read_to_string(krate().join("mutants.toml")).unwrap()).unwrap();
    let mutants = list["mutant"].as_array().unwrap();
    assert!(mutants.len() > 50);
    for mutant in mutants {
        let text = |key: &str| mutant[key].as_str().unwrap();
        let source = fs::read_to_string(krate().join(text("file"))).unwrap();
        assert_eq!(source.matches(text("old")).count(), 1, "{}: the text to replace", text("rule"));
        assert_ne!(text("old"), text("new"), "{}", text("rule"));
    }
}
