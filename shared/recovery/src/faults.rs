//! Faults around the traits, for tests: calls that fail by a script, and calls that give the runtime a turn, so that a run
//! can be dropped at each of them.

use crate::{
    EntryByEntry, ObjectRef, Page, Position, RangeName, RangeSink, RangeWriter, ReadError, ReadErrorKind, ServiceError,
    ShardIterator, SinkEntry, SinkError, StreamReader, StreamSummary, Surroundings,
};
use records::{ShardId, StreamArn};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use tokio::task::yield_now;

/// Around a reader, a sink or surroundings.
#[derive(Debug, Default)]
pub struct Faulty<T> {
    pub inner: T,
    /// What the calls with these numbers, counted from 0, answer.
    pub reads: HashMap<u32, ReadErrorKind>,
    /// The writes with these numbers are refused.
    pub refused_writes: Vec<u32>,
    calls: AtomicU32,
}

impl<T> Faulty<T> {
    pub fn new(inner: T) -> Self {
        Self { inner, reads: HashMap::new(), refused_writes: Vec::new(), calls: AtomicU32::new(0) }
    }

    fn next_call(&self) -> u32 {
        self.calls.fetch_add(1, Relaxed)
    }

    fn read(&self) -> Result<(), ReadError> {
        match self.reads.get(&self.next_call()) {
            Some(kind) => Err(ReadError { kind: *kind, message: format!("told to answer {kind:?}") }),
            None => Ok(()),
        }
    }
}

impl<R: StreamReader + Sync> StreamReader for Faulty<R> {
    async fn iterator(&self, stream: &StreamArn, shard: &ShardId, at: &Position) -> Result<ShardIterator, ReadError> {
        yield_now().await;
        self.read()?;
        let iterator = self.inner.iterator(stream, shard, at).await;
        yield_now().await;
        iterator
    }

    async fn page(&self, stream: &StreamArn, iterator: &ShardIterator, limit: u32) -> Result<Page, ReadError> {
        yield_now().await;
        self.read()?;
        let page = self.inner.page(stream, iterator, limit).await;
        yield_now().await;
        page
    }

    async fn summary(&self, stream: &StreamArn) -> Result<StreamSummary, ReadError> {
        yield_now().await;
        self.inner.summary(stream).await
    }
}

impl<S: crate::Sink + Sync> RangeSink for Faulty<S> {
    type Writer<'s>
        = FaultyWriter<'s, S>
    where
        S: 's;

    fn open<'s>(&'s self, name: &RangeName) -> FaultyWriter<'s, S> {
        FaultyWriter { sink: self, inner: self.inner.open(name) }
    }
}

pub struct FaultyWriter<'s, S> {
    sink: &'s Faulty<S>,
    inner: EntryByEntry<'s, S>,
}

impl<S: crate::Sink + Sync> RangeWriter for FaultyWriter<'_, S> {
    async fn write(&mut self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        yield_now().await;
        if self.sink.refused_writes.contains(&self.sink.next_call()) {
            let (count, of) = (entries.len(), entries.len());
            return Err(SinkError::Failed { count, of, sink: "faulty".to_owned(), reason: "told to".to_owned() });
        }
        let written = self.inner.write(entries).await;
        yield_now().await;
        written
    }

    async fn close(self) -> Result<(), SinkError> {
        yield_now().await;
        let closed = self.inner.close().await;
        yield_now().await;
        closed
    }

    async fn abort(self) {
        self.inner.abort().await;
        yield_now().await;
    }
}

impl<A: Surroundings + Sync> Surroundings for Faulty<A> {
    async fn object(&self, object: &ObjectRef) -> Result<String, ServiceError> {
        yield_now().await;
        self.inner.object(object).await
    }

    async fn filter_patterns(&self, function: &str, stream: &StreamArn) -> Result<Option<Vec<String>>, ServiceError> {
        yield_now().await;
        self.inner.filter_patterns(function, stream).await
    }

    async fn send(&self, queue_arn: &str, body: &str) -> Result<(), ServiceError> {
        yield_now().await;
        let sent = self.inner.send(queue_arn, body).await;
        yield_now().await;
        sent
    }
}
