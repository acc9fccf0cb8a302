//! What tests rely on beyond the calls themselves, and who is known not to do it.
//!
//! An endpoint that is not listed is excused from nothing. How each reason is known stands in `docs/stand-ins.md`.

use crate::Kind;

/// What a test relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// A stream's mapping reads the function's list of failures.
    PartialResponses,
    /// A stream's mapping halves a batch that fails.
    Bisect,
    /// A stream's mapping ends its retries, and tells the on-failure destination.
    OnFailureDestination,
    /// A shard that was split keeps its records.
    ClosedShards,
}

const EXCUSES: [(Kind, Behaviour, &str); 5] = [
    (Kind::Ministack, Behaviour::PartialResponses, "ministack's stream mappings ignore partial responses"),
    (Kind::Ministack, Behaviour::Bisect, "ministack's stream mappings store bisect and do not do it"),
    (
        Kind::Ministack,
        Behaviour::OnFailureDestination,
        "ministack's stream mappings retry without end and tell no destination",
    ),
    (Kind::Ministack, Behaviour::ClosedShards, "ministack deletes the parent of a reshard"),
    (Kind::LocalStack, Behaviour::Bisect, "LocalStack's mappings do not bisect"),
];

impl Behaviour {
    /// Why this kind of endpoint does not do it, if it is known not to.
    #[must_use]
    pub fn excuse(self, kind: Kind) -> Option<&'static str> {
        EXCUSES.iter().find(|(who, what, _)| (*who, *what) == (kind, self)).map(|(_, _, reason)| *reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_and_who_is_not_known_are_excused_from_nothing() {
        let all =
            [Behaviour::PartialResponses, Behaviour::Bisect, Behaviour::OnFailureDestination, Behaviour::ClosedShards];
        for behaviour in all {
            assert_eq!((behaviour.excuse(Kind::Aws), behaviour.excuse(Kind::Unknown)), (None, None));
            assert!(behaviour.excuse(Kind::Ministack).is_some());
        }
        assert!(Behaviour::Bisect.excuse(Kind::LocalStack).is_some());
        assert!(Behaviour::PartialResponses.excuse(Kind::LocalStack).is_none());
    }
}
