use std::time::UNIX_EPOCH;

use axum::http::HeaderValue;

use super::*;
use crate::InvokeOptions;

fn invocation(request_id: u128) -> Invocation {
    let arn = HeaderValue::from_static("arn");
    let options = InvokeOptions::default();
    Invocation::new(Uuid::from_u128(request_id), &arn, Bytes::new(), options, UNIX_EPOCH, UNIX_EPOCH)
}

fn ready() -> Session {
    let mut session = Session::new(oneshot::channel().0);
    assert!(matches!(session.next(), Next::Wait));
    session
}

/// A session in which request 1 runs; its invocation id.
fn running() -> (Session, Uuid, oneshot::Receiver<Reply>) {
    let mut session = ready();
    let (reply, replied) = oneshot::channel();
    session.offer(invocation(1), reply);
    let Next::Invocation(invocation) = session.next() else { panic!("nothing was handed out") };
    (session, invocation.invocation_id, replied)
}

#[track_caller]
fn check(session: &mut Session, request_id: u128, invocation_id: Option<Uuid>, expect: Option<Refusal>) {
    assert_eq!(session.finish(Some(Uuid::from_u128(request_id)), invocation_id).err(), expect);
}

#[test]
fn the_first_next_makes_a_session_ready() {
    let (started, mut has_started) = oneshot::channel();
    let mut session = Session::new(started);
    assert!(session.is_starting());
    assert!(matches!(session.next(), Next::Wait));
    assert!(matches!(has_started.try_recv(), Ok(Started::Ready)));
}

#[test]
fn an_invocation_is_handed_out_once() {
    let (mut session, ..) = running();
    assert_eq!(session.running(), Some(Uuid::from_u128(1)));
    assert!(matches!(session.next(), Next::Refused(Refusal::InvalidState { .. })));
}

#[test]
fn the_right_ids_end_an_invocation() {
    let (mut session, invocation_id, _) = running();
    check(&mut session, 1, Some(invocation_id), None);
    assert_eq!(session.running(), None);
}

#[test]
fn a_runtime_may_know_nothing_of_invocation_ids() {
    let (mut session, ..) = running();
    check(&mut session, 1, None, None);
}

#[test]
fn a_wrong_request_id_is_refused_and_changes_nothing() {
    let (mut session, ..) = running();
    check(&mut session, 2, None, Some(Refusal::InvalidRequestId));
    assert_eq!(session.finish(None, None).err(), Some(Refusal::InvalidRequestId));
    check(&mut session, 1, None, None);
}

#[test]
fn a_stale_attempt_is_gone() {
    let (mut session, ..) = running();
    check(&mut session, 1, Some(Uuid::nil()), Some(Refusal::Gone));
    check(&mut session, 1, None, None);
}

#[test]
fn a_second_response_is_refused() {
    let (mut session, ..) = running();
    check(&mut session, 1, None, None);
    let refusal = Refusal::InvalidState { from: "InvocationResponseSent", request: "InvocationResponse" };
    check(&mut session, 1, None, Some(refusal));
}

#[test]
fn closing_drops_the_reply_and_tells_whether_the_event_was_seen() {
    let (mut session, _, mut replied) = running();
    session.close();
    assert!(!session.was_unfetched());
    assert!(matches!(replied.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
    check(&mut session, 1, None, Some(Refusal::Gone));

    let mut session = ready();
    session.offer(invocation(1), oneshot::channel().0);
    session.close();
    assert!(session.was_unfetched());
}

#[test]
fn an_offer_after_the_end_was_never_seen() {
    let mut session = ready();
    session.close();
    session.offer(invocation(1), oneshot::channel().0);
    session.close();
    assert!(session.was_unfetched());
}

#[test]
fn a_start_fails_only_before_the_first_next() {
    assert!(Session::new(oneshot::channel().0).fail_start().is_ok());
    assert!(ready().fail_start().is_err());
}
