//! Leads the paths of a branch through an event.

use super::Branch;
use super::condition::Condition;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a part of the event says to the paths that lead into it. Ordered: the better, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    /// One of them fails.
    No,
    /// None of them leads to a value, and none minds.
    Absent,
    /// None fails, and one is met by a value in here.
    Found,
}

/// A path of the pattern, or what is left of it on the way.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    /// Steps still to go, joined by dots. None: the value has to meet a condition.
    rest: Option<&'a str>,
    conditions: &'a [Condition],
}

pub(super) fn matches(branch: &Branch, event: &Value) -> bool {
    let wanted: Vec<_> = branch.iter().map(|(path, conditions)| Wanted { rest: Some(path), conditions }).collect();
    event.as_object().is_some_and(|event| in_object(event, &wanted) != Answer::No)
}

fn ask(value: &Value, wanted: &[Wanted<'_>]) -> Answer {
    match value {
        Value::Object(object) => in_object(object, wanted),
        Value::Array(elements) => in_array(elements, wanted),
        leaf => all(wanted.iter().map(|wanted| match wanted.rest {
            None if wanted.conditions.iter().any(|condition| condition.passes(leaf)) => Answer::Found,
            None => Answer::No,
            Some(_) => wanted.nowhere(),
        })),
    }
}

fn in_object(object: &Map<String, Value>, wanted: &[Wanted<'_>]) -> Answer {
    let mut answer = Answer::Absent;
    let mut by_field: BTreeMap<&str, (&Value, Vec<Wanted<'_>>)> = BTreeMap::new();
    for path in wanted {
        let routes: Vec<_> = path.routes(object).collect();
        match routes[..] {
            [] => answer = all([answer, path.nowhere()]),
            [(name, value, onwards)] => by_field.entry(name).or_insert((value, Vec::new())).1.push(onwards),
            // An event with `a.b` and with `b` in `a`: either will do, and is looked at for this path alone.
            _ => answer = all([answer, one(routes.iter().map(|(_, value, onwards)| ask(value, &[*onwards])))]),
        }
        if answer == Answer::No {
            return answer;
        }
    }
    all([answer].into_iter().chain(by_field.values().map(|(value, wanted)| ask(value, wanted))))
}

/// Paths that go on have to be met by the same element; a path that ends here, by any.
fn in_array(elements: &[Value], wanted: &[Wanted<'_>]) -> Answer {
    if elements.is_empty() {
        return all(wanted.iter().map(|path| path.nowhere()));
    }
    let (onwards, ending): (Vec<_>, Vec<_>) = wanted.iter().copied().partition(|path| path.rest.is_some());
    let of_any = ending.iter().map(|path| one(elements.iter().map(|element| ask(element, &[*path]))));
    let of_one = one(elements.iter().map(|element| ask(element, &onwards)));
    all(of_any.chain([of_one]))
}

/// The answer when all have to agree.
fn all(answers: impl IntoIterator<Item = Answer>) -> Answer {
    let mut joint = Answer::Absent;
    for answer in answers {
        match answer {
            Answer::No => return Answer::No,
            answer => joint = joint.max(answer),
        }
    }
    joint
}

/// The answer when one will do. What must not exist must not exist in any of them, unless another path is met in the one.
fn one(answers: impl IntoIterator<Item = Answer>) -> Answer {
    let mut joint = Answer::Absent;
    for answer in answers {
        match answer {
            Answer::Found => return Answer::Found,
            answer => joint = joint.min(answer),
        }
    }
    joint
}

impl<'a> Wanted<'a> {
    fn nowhere(self) -> Answer {
        if self.conditions.iter().any(|condition| matches!(condition, Condition::Exists(false))) {
            Answer::Absent
        } else {
            Answer::No
        }
    }

    /// The fields of an object through which the path may lead: names may have dots in them.
    fn routes<'e>(self, object: &'e Map<String, Value>) -> impl Iterator<Item = (&'a str, &'e Value, Self)> {
        let ends = self.rest.into_iter().flat_map(|rest| {
            let dots = rest.match_indices('.').map(|(dot, _)| (&rest[..dot], Some(&rest[dot + 1..])));
            dots.chain([(rest, None)])
        });
        ends.filter_map(move |(name, rest)| {
            object.get(name).map(|value| (name, value, Wanted { rest, conditions: self.conditions }))
        })
    }
}
