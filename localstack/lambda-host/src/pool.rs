//! Which environments there are, which of them are idle, and how many invocations run.

use std::sync::Arc;

use crate::environment::{Environment, Member};

/// An environment, seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentStatus {
    /// Its process, which is also its process group.
    pub pid: u32,
    /// What it does.
    pub state: EnvironmentState,
}

/// What an environment does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvironmentState {
    /// The process has not asked for work yet.
    Starting,
    /// The process waits for an event, or is about to fetch one.
    Idle,
    /// The process has the event in hand.
    Running {
        /// The invocation.
        request_id: String,
    },
}

/// The books of a function. Whoever counts as running owns at most one environment, so that there are never more
/// environments than running invocations and idle ones together, and never more of those than the maximum.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// The one used last is at the end.
    idle: Vec<Environment>,
    members: Vec<Arc<Member>>,
    running: usize,
    closed: bool,
}

/// Why no invocation may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Throttled,
    Closed,
}

impl Pool {
    pub(crate) fn begin(&mut self, maximum_concurrency: usize) -> Result<(), Full> {
        if self.closed {
            return Err(Full::Closed);
        }
        if self.running >= maximum_concurrency {
            return Err(Full::Throttled);
        }
        self.running += 1;
        Ok(())
    }

    pub(crate) fn end(&mut self) {
        self.running -= 1;
    }

    /// The warm environment that was used last. Its neighbours age, as in Lambda.
    pub(crate) fn take(&mut self) -> Option<Environment> {
        self.idle.pop()
    }

    /// Takes an environment back; returns it if nobody will need it any more.
    pub(crate) fn give_back(&mut self, environment: Environment) -> Option<Environment> {
        if self.closed {
            return Some(environment);
        }
        self.idle.push(environment);
        None
    }

    /// Enters a new environment into the books, unless they are closed.
    pub(crate) fn enter(&mut self, member: &Arc<Member>) -> Result<(), Full> {
        if self.closed {
            return Err(Full::Closed);
        }
        self.members.push(Arc::clone(member));
        Ok(())
    }

    /// Strikes out what has died.
    pub(crate) fn prune(&mut self) -> Vec<Environment> {
        self.members.retain(|member| member.group.is_alive());
        self.idle.extract_if(.., |environment| !environment.is_alive()).collect()
    }

    /// Closes the books: everything that is idle, and everything that lives.
    pub(crate) fn close(&mut self) -> (Vec<Environment>, Vec<Arc<Member>>) {
        self.closed = true;
        (std::mem::take(&mut self.idle), std::mem::take(&mut self.members))
    }

    pub(crate) fn statuses(&self) -> Vec<EnvironmentStatus> {
        let alive = self.members.iter().filter(|member| member.group.is_alive());
        alive.map(|member| EnvironmentStatus { pid: member.group.pid(), state: state(member) }).collect()
    }
}

fn state(member: &Member) -> EnvironmentState {
    let session = member.api.session();
    match session.running() {
        Some(request_id) => EnvironmentState::Running { request_id: request_id.to_string() },
        None if session.is_starting() => EnvironmentState::Starting,
        None => EnvironmentState::Idle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maximum_throttles_and_an_end_makes_room() {
        let mut pool = Pool::default();
        assert_eq!(pool.begin(0), Err(Full::Throttled));
        assert_eq!(pool.begin(1), Ok(()));
        assert_eq!(pool.begin(1), Err(Full::Throttled));
        pool.end();
        assert_eq!(pool.begin(1), Ok(()));
    }

    #[test]
    fn a_closed_pool_begins_nothing() {
        let mut pool = Pool::default();
        pool.close();
        assert_eq!(pool.begin(1), Err(Full::Closed));
    }
}
