//! From a pattern as it is written to branches of paths, in the order in which EventBridge's engine does it
//! (<https://github.com/aws/event-ruler>), since the order decides what a path that is written twice means.

use super::written::Written;
use super::{BRANCHES_MAX, Branch, FilterPatternError, operator};
use std::sync::Arc;

const OR: &str = "$or";

/// What EventBridge reserves inside of `$or`: operators, those it has and those it may get.
const RESERVED_IN_OR: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

pub(super) fn compile(written: Written) -> Result<Vec<Branch>, FilterPatternError> {
    let mut branches = vec![Branch::new()];
    let Written::Object(fields) = written else { return Err(unexpected("$", "an object")) };
    Place { path: None, in_or: false }.object(fields, &mut branches)?;
    Ok(branches)
}

pub(super) fn unexpected(path: impl Into<String>, expected: &'static str) -> FilterPatternError {
    FilterPatternError::Unexpected { path: path.into(), expected }
}

/// Where in the pattern.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The steps to here, joined by dots; none at the top. (A step may be empty.)
    path: Option<&'a str>,
    in_or: bool,
}

impl Place<'_> {
    fn object(self, fields: Vec<(String, Written)>, branches: &mut Vec<Branch>) -> Result<(), FilterPatternError> {
        if fields.is_empty() {
            return Err(unexpected(self.shown(), "an object with one field or more"));
        }
        for (name, value) in fields {
            if name == OR {
                self.or(value, branches)?;
                continue;
            }
            let path = self.below(&name);
            if self.in_or && RESERVED_IN_OR.contains(&name.as_str()) {
                return Err(unexpected(
                    format!("$.{path}"),
                    "the name of a field, which is no operator's inside of `$or`",
                ));
            }
            match value {
                Written::Object(fields) => Place { path: Some(&path), ..self }.object(fields, branches)?,
                Written::List(values) => {
                    let conditions: Arc<[_]> = operator::conditions(values, &format!("$.{path}"))?.into();
                    for branch in &mut *branches {
                        branch.insert(path.clone(), Arc::clone(&conditions));
                    }
                }
                _ => return Err(unexpected(format!("$.{path}"), "a list of values, or an object of fields")),
            }
        }
        Ok(())
    }

    /// Continues every branch so far with each of the alternatives.
    fn or(self, alternatives: Written, branches: &mut Vec<Branch>) -> Result<(), FilterPatternError> {
        let path = format!("$.{}", self.below(OR));
        let Written::List(alternatives) = alternatives else { return Err(unexpected(path, "a list of objects")) };
        if alternatives.len() < 2 {
            return Err(unexpected(path, "two objects or more"));
        }
        let before = std::mem::take(branches);
        for (index, alternative) in alternatives.into_iter().enumerate() {
            let Written::Object(fields) = alternative else {
                return Err(unexpected(format!("{path}[{index}]"), "an object"));
            };
            let mut forked = before.clone();
            Place { in_or: true, ..self }.object(fields, &mut forked)?;
            branches.append(&mut forked);
            if branches.len() > BRANCHES_MAX {
                return Err(unexpected(path, "at most 1000 combinations of alternatives"));
            }
        }
        Ok(())
    }

    fn below(self, name: &str) -> String {
        self.path.map_or_else(|| name.to_owned(), |path| format!("{path}.{name}"))
    }

    fn shown(self) -> String {
        self.path.map_or_else(|| "$".to_owned(), |path| format!("$.{path}"))
    }
}
