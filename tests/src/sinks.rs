//! Sinks for invalid records: how a processor is told of one, and endpoints that are none.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

/// The environment of a processor that quarantines invalid records to a queue of the SQS at this endpoint.
#[must_use]
pub fn quarantine_to(endpoint: &str, queue_url: &str) -> Vec<(String, String)> {
    [
        ("ON_INVALID", "quarantine"),
        ("SINK", queue_url),
        ("SINK_BATCH_MAX_BYTES", "262144"),
        ("AWS_ENDPOINT_URL_SQS", endpoint),
        ("AWS_ACCESS_KEY_ID", "emulator"),
        ("AWS_SECRET_ACCESS_KEY", "emulator"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// An endpoint that refuses every connection for as long as this lives, for its port is taken and nobody listens.
#[derive(Debug)]
pub struct ClosedEndpoint(TcpSocket);

impl ClosedEndpoint {
    /// Takes a port.
    ///
    /// # Errors
    ///
    /// When the system gives none.
    pub fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self(socket))
    }

    /// The environment of a processor that quarantines to it.
    ///
    /// # Errors
    ///
    /// When the system does not say which port it is.
    pub fn environment(&self) -> io::Result<Vec<(String, String)>> {
        Ok(environment_at(self.0.local_addr()?))
    }
}

/// An endpoint that accepts connections, counts them, and never says a word.
#[derive(Debug)]
pub struct SilentEndpoint {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl SilentEndpoint {
    /// Listens on a port.
    ///
    /// # Errors
    ///
    /// When the system gives none.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            // They are held: one that is dropped would be an answer.
            let mut held = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                held.push(connection);
            }
        });
        Ok(Self { address, connections, accepting })
    }

    /// The environment of a processor that quarantines to it.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        environment_at(self.address)
    }

    /// How many connections there have been.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for SilentEndpoint {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn environment_at(address: SocketAddr) -> Vec<(String, String)> {
    let endpoint = format!("http://{address}");
    quarantine_to(&endpoint, &format!("{endpoint}/000000000000/recovered"))
}
