//! The runtime the services live on, and end with.

use crate::EmulatorError;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Enough to serve two services at once; the work is small and the machine is shared with what is being tested.
const WORKER_THREADS: usize = 2;

/// How long a stop waits for a request that computes. None of the services blocks for longer.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(5);

/// How long a server rests after a failed accept. The usual reason is a lack of file descriptors, which passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A runtime that may be dropped anywhere, also in asynchronous code, where Tokio's own panics.
#[derive(Debug)]
pub(crate) struct Servers {
    /// `None` only once it is being stopped.
    runtime: Option<Runtime>,
}

impl Servers {
    pub fn new() -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(WORKER_THREADS).thread_name("emulator").enable_all().build()?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Runs the future, and whatever it spawns, on the servers' runtime.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        match &self.runtime {
            Some(runtime) => runtime.spawn(future),
            None => unreachable!("only `shutdown` and `drop` take the runtime, and nothing is spawned after them"),
        }
    }

    /// Drops every task and waits until the threads are gone.
    pub async fn shutdown(mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        // Waiting for threads blocks, so that it happens on a thread where blocking is allowed.
        let stopped = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(SHUTDOWN_PATIENCE)).await;
        if let Err(error) = stopped {
            tracing::warn!(%error, "the emulator's runtime did not stop cleanly");
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Binds a port of the system's choice on loopback.
pub(crate) async fn bind(service: &'static str) -> Result<(TcpListener, SocketAddr), EmulatorError> {
    let error = |source| EmulatorError::Bind { service, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(error)?;
    let address = listener.local_addr().map_err(error)?;
    Ok((listener, address))
}

/// Serves a service of hyper's on each connection, until the runtime ends.
pub(crate) async fn accept<S, B>(name: &'static str, listener: TcpListener, service: S)
where
    S: HttpService<Incoming, ResBody = B, Future: Send, Error: Into<Box<dyn Error + Send + Sync>>>
        + Clone
        + Send
        + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    loop {
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection to {name}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "could not switch off Nagle's algorithm for a connection to {name}");
        }
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service.clone());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to {name} ended early");
            }
        });
    }
}
