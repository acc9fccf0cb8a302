//! The routes of the Runtime API of one process.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. The words and the status of refusals are those of
//! AWS's runtime interface emulator; 410 for what is gone is what the `lambda_runtime` crate knows it as.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde_json::json;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    invocation::INVOCATION_ID,
    outcome::PAYLOAD_LIMIT_BYTES,
    response_body::{self, Posted},
    session::{Next, Refusal, Reply, Session, Started},
};

/// The state behind the routes.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    session: Mutex<Session>,
    /// Wakes the process that waits in `next`.
    changed: Notify,
}

impl RuntimeApi {
    pub(crate) fn new(session: Session) -> Self {
        Self { session: Mutex::new(session), changed: Notify::new() }
    }

    /// Looks at the session without changing what `next` waits for.
    pub(crate) fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the session and wakes `next`.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Session)) {
        change(&mut self.session());
        self.changed.notify_one();
    }
}

/// The routes, for one process.
pub(crate) fn routes(api: Arc<RuntimeApi>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(api)
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    loop {
        let next = api.session().next();
        match next {
            Next::Invocation(invocation) => return (invocation.headers, invocation.payload).into_response(),
            Next::Refused(refusal) => return refused(refusal),
            Next::Wait => api.changed.notified().await,
        }
    }
}

async fn response(
    State(api): State<Arc<RuntimeApi>>,
    Path(request_id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(&api, &request_id, &headers, body, Reply::Response).await
}

async fn error(
    State(api): State<Arc<RuntimeApi>>,
    Path(request_id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let header_type = error_type(&headers);
    finish(&api, &request_id, &headers, body, |body| Reply::Error { header_type, body }).await
}

async fn init_error(State(api): State<Arc<RuntimeApi>>, headers: HeaderMap, body: Body) -> Response {
    let body = match response_body::read(body).await {
        Ok(Posted::Whole(body)) => body,
        Ok(Posted::TooLarge { .. }) => Bytes::new(),
        Err(error) => return unreadable(&error),
    };
    let started = api.session().fail_start();
    match started {
        Ok(started) => {
            let _ = started.send(Started::Failed { header_type: error_type(&headers), body });
            accepted()
        }
        Err(refusal) => refused(refusal),
    }
}

async fn finish(
    api: &RuntimeApi,
    request_id: &str,
    headers: &HeaderMap,
    body: Body,
    reply: impl FnOnce(Bytes) -> Reply,
) -> Response {
    // The body first: an invocation is over when its response has arrived, not when its headers have.
    let posted = match response_body::read(body).await {
        Ok(posted) => posted,
        Err(error) => return unreadable(&error),
    };
    let invocation_id = headers.get(INVOCATION_ID).map(|value| value.to_str().unwrap_or_default());
    // What is no id at all is as wrong as another's.
    let invocation_id = invocation_id.map(|text| Uuid::parse_str(text).unwrap_or_default());
    let told = api.session().finish(Uuid::parse_str(request_id).ok(), invocation_id);
    match (told, posted) {
        (Ok(told), Posted::Whole(body)) => {
            let _ = told.send(reply(body));
            accepted()
        }
        (Ok(told), Posted::TooLarge { bytes }) => {
            let _ = told.send(Reply::TooLarge { response_bytes: bytes });
            let message = format!("Exceeded maximum allowed payload size ({PAYLOAD_LIMIT_BYTES} bytes).");
            failed(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
        }
        (Err(refusal), _) => refused(refusal),
    }
}

fn error_type(headers: &HeaderMap) -> Option<String> {
    headers.get("lambda-runtime-function-error-type")?.to_str().ok().map(str::to_owned)
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
}

fn unreadable(error: &axum::Error) -> Response {
    failed(StatusCode::BAD_REQUEST, "InvalidRequest", &error.to_string())
}

fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::InvalidRequestId => failed(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        Refusal::InvalidState { from, request } => {
            let message = format!("Transition from {from} to {request} is not allowed");
            failed(StatusCode::FORBIDDEN, "InvalidStateTransition", &message)
        }
        Refusal::Gone => failed(StatusCode::GONE, "InvocationGone", "The invocation is over"),
    }
}

fn failed(status: StatusCode, error_type: &str, message: &str) -> Response {
    (status, Json(json!({ "errorType": error_type, "errorMessage": message }))).into_response()
}
