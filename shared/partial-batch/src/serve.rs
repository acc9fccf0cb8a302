//! Invocations as bytes: the thinnest possible shell around `lambda_runtime`.
//!
//! `lambda_runtime` reads an event into a type before a handler sees it, stops reading at the end of the first JSON value,
//! and logs whole events at `trace`. What a function here promises about broken events starts with their bytes, so this
//! takes them out of the invocation in front of all that. The runtime still does what it is good at: polling, answering,
//! reporting errors.

use bytes::Bytes;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::Layer;
use lambda_runtime::{Context, Diagnostic, Error, LambdaEvent, LambdaInvocation, Runtime, Service, service_fn};
use serde::Serialize;
use serde::de::IgnoredAny;
use std::sync::{Arc, Mutex, PoisonError};
use std::task;

/// An invocation: the event as it came, and what Lambda says of it.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The event, whatever its bytes.
    pub event: Bytes,
    /// Request id, deadline and the like.
    pub context: Context,
}

/// Serves invocations, one at a time, until Lambda ends the environment.
///
/// # Errors
///
/// When the Lambda Runtime API cannot be reached.
pub async fn serve<F, Fut, R>(handle: F) -> Result<(), Error>
where
    F: Fn(Invocation) -> Fut,
    Fut: Future<Output = Result<R, Diagnostic>>,
    R: Serialize,
{
    keep_freed_memory();
    let slot = Slot::default();
    let events = slot.clone();
    let handler = service_fn(move |event: LambdaEvent<IgnoredAny>| {
        handle(Invocation { event: events.take(), context: event.context })
    });
    Runtime::new(handler).layer(TracingLayer::new()).layer(TakeEvent(slot)).run().await
}

/// Keeps the memory of one invocation for the next.
///
/// glibc hands freed memory back to the kernel at once when it is large, and asks for it again, page by page, for the next
/// event: a third of the time that a batch of 6 MB takes. The largest block that it ever sees freed moves that bound, to
/// the block's size and twice that for what is at the end of the heap. This block is the largest that counts, and no page
/// of it is touched. To other allocators it is nothing.
fn keep_freed_memory() {
    const LARGEST_THAT_COUNTS: usize = 32 * 1024 * 1024;
    const PAGES_OF_ITS_OWN: usize = 2 * 4096;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST_THAT_COUNTS - PAGES_OF_ITS_OWN)));
}

/// Where the event waits between the layer and the handler. There is one invocation at a time in an environment.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<Bytes>>);

impl Slot {
    fn put(&self, event: Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = event;
    }

    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts the event into the slot and leaves `null` in its place.
struct TakeEvent(Slot);

impl<S> Layer<S> for TakeEvent {
    type Service = EventTaken<S>;

    fn layer(&self, inner: S) -> EventTaken<S> {
        EventTaken { slot: self.0.clone(), inner }
    }
}

struct EventTaken<S> {
    slot: Slot,
    inner: S,
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for EventTaken<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> task::Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> S::Future {
        self.slot.put(std::mem::replace(&mut invocation.body, Bytes::from_static(b"null")));
        self.inner.call(invocation)
    }
}
