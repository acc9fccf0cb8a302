//! What one process may ask of its Runtime API, and when: a state machine without I/O and without a clock.
//!
//! ```text
//! Starting ──next──► Idle ──offer──► Offered ──next──► Running ──response, error──► Idle
//!     └──init/error──► Closed ◄──close── any
//! ```

use bytes::Bytes;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::invocation::Invocation;

/// How a process began.
#[derive(Debug)]
pub(crate) enum Started {
    /// It asked for work.
    Ready,
    /// It reported that it cannot.
    Failed { header_type: Option<String>, body: Bytes },
}

/// What a process posted about an invocation.
#[derive(Debug)]
pub(crate) enum Reply {
    Response(Bytes),
    Error { header_type: Option<String>, body: Bytes },
    TooLarge { response_bytes: usize },
}

/// Why a request of a process is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A request id that is not the current one.
    InvalidRequestId,
    /// The request is right, but not now.
    InvalidState { from: &'static str, request: &'static str },
    /// The invocation is over: timed out, or a later attempt took its place.
    Gone,
}

/// What `next` gets.
#[derive(Debug)]
pub(crate) enum Next {
    Invocation(Invocation),
    Wait,
    Refused(Refusal),
}

#[derive(Debug)]
pub(crate) struct Session {
    state: State,
    /// The last request that ended well: its id is known, but stale.
    last_request_id: Option<Uuid>,
}

#[derive(Debug)]
enum State {
    Starting(oneshot::Sender<Started>),
    Idle,
    Offered(Invocation, oneshot::Sender<Reply>),
    Running { request_id: Uuid, invocation_id: Uuid, reply: oneshot::Sender<Reply> },
    Closed { unfetched: bool },
}

impl Session {
    pub(crate) fn new(started: oneshot::Sender<Started>) -> Self {
        Self { state: State::Starting(started), last_request_id: None }
    }

    /// The host has an invocation. What is replied comes through `reply`; if the session is closed, `reply` is dropped.
    pub(crate) fn offer(&mut self, invocation: Invocation, reply: oneshot::Sender<Reply>) {
        match self.state {
            State::Idle => self.state = State::Offered(invocation, reply),
            State::Closed { .. } => self.state = State::Closed { unfetched: true },
            // The host offers to idle environments only; an offer to any other is lost like one to a dead process.
            State::Starting(_) | State::Offered(..) | State::Running { .. } => {}
        }
    }

    /// `GET /runtime/invocation/next`
    pub(crate) fn next(&mut self) -> Next {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Starting(started) => {
                let _ = started.send(Started::Ready);
                Next::Wait
            }
            State::Idle => Next::Wait,
            State::Offered(invocation, reply) => {
                let (request_id, invocation_id) = (invocation.request_id, invocation.invocation_id);
                self.state = State::Running { request_id, invocation_id, reply };
                Next::Invocation(invocation)
            }
            running @ State::Running { .. } => {
                self.state = running;
                Next::Refused(Refusal::InvalidState { from: "InvocationRunning", request: "Next" })
            }
            closed @ State::Closed { .. } => {
                self.state = closed;
                Next::Refused(Refusal::Gone)
            }
        }
    }

    /// `POST /runtime/invocation/{id}/response` or `/error`: whom to tell, if the ids are those of the running invocation.
    pub(crate) fn finish(
        &mut self,
        request_id: Option<Uuid>,
        posted_invocation_id: Option<Uuid>,
    ) -> Result<oneshot::Sender<Reply>, Refusal> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Running { request_id: current, invocation_id, reply } if request_id == Some(current) => {
                if posted_invocation_id.is_some_and(|posted| posted != invocation_id) {
                    self.state = State::Running { request_id: current, invocation_id, reply };
                    return Err(Refusal::Gone);
                }
                self.last_request_id = request_id;
                Ok(reply)
            }
            other => {
                let refusal = match &other {
                    State::Closed { .. } => Refusal::Gone,
                    State::Idle | State::Offered(..) if request_id.is_some() && request_id == self.last_request_id => {
                        Refusal::InvalidState { from: "InvocationResponseSent", request: "InvocationResponse" }
                    }
                    _ => Refusal::InvalidRequestId,
                };
                self.state = other;
                Err(refusal)
            }
        }
    }

    /// `POST /runtime/init/error`
    pub(crate) fn fail_start(&mut self) -> Result<oneshot::Sender<Started>, Refusal> {
        match std::mem::replace(&mut self.state, State::Closed { unfetched: false }) {
            State::Starting(started) => Ok(started),
            other => {
                self.state = other;
                Err(Refusal::InvalidState { from: "Ready", request: "InitError" })
            }
        }
    }

    /// The process ended or is about to: nothing is taken from it any more.
    pub(crate) fn close(&mut self) {
        let unfetched = matches!(self.state, State::Offered(..) | State::Closed { unfetched: true });
        self.state = State::Closed { unfetched };
    }

    /// Whether an offer was still waiting when the session was closed: the function never saw it.
    pub(crate) fn was_unfetched(&self) -> bool {
        matches!(self.state, State::Closed { unfetched: true })
    }

    /// The request that the process is working on.
    pub(crate) fn running(&self) -> Option<Uuid> {
        match self.state {
            State::Running { request_id, .. } => Some(request_id),
            _ => None,
        }
    }

    pub(crate) fn is_starting(&self) -> bool {
        matches!(self.state, State::Starting(_))
    }
}

#[cfg(test)]
mod tests;
