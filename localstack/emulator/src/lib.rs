//! Kinesis, DynamoDB with its streams, SQS and S3 on loopback, inside this process.
//!
//! The services are other people's crates, wired up here and pinned in the workspace: each module says which one, what
//! it was seen to do and where it differs from AWS. State ends with the [`Emulator`]: it is in memory, and for S3 in a
//! temporary directory, which stays behind where the process is killed. Ports are chosen by the system, so that any
//! number of emulators run side by side. Permissions are not checked, and signatures by S3 alone, which takes each key
//! whose secret is the same text.
//!
//! The servers run on a runtime of their own. That is what makes stopping complete: the crates spawn tasks they give no
//! handle to (a pair per queue, one per connection), and all of them end with the runtime. It also lets a test with a
//! single-threaded runtime block, or pause its clock, while the services go on.
//!
//! Measured in a dev build on two cores, clients and services in one process: 22,000 Kinesis records of 500 bytes in
//! 0.4 s by `PutRecords`, 2,000 DynamoDB items in 1.2 s, 2,000 SQS messages sent one by one in 0.5 s and received and
//! deleted by ten in 0.2 s, at 53 MB of memory in all. `cargo bench -p emulator` prints such numbers.
//!
//! ```no_run
//! # async fn example() -> Result<(), emulator::EmulatorError> {
//! let emulator = emulator::Emulator::start().await?;
//! let mut child = std::process::Command::new("target/debug/dlq-hydrator");
//! child.envs(emulator.endpoints().environment());
//! emulator.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod dynamodb;
mod endpoints;
mod kinesis;
mod s3;
mod servers;
mod sqs;
mod stream_arn;

pub use endpoints::Endpoints;

use records::{SequenceNumber, ShardId};
use servers::Servers;
use std::error::Error as StdError;
use std::io;
use tempfile::TempDir;
use thiserror::Error;

/// The account that owns every stream, table, queue and bucket.
pub const ACCOUNT: &str = "000000000000";

/// The region clients have to sign for. The ARNs of Kinesis and SQS name it; those of DynamoDB name `dynoxide`.
pub const REGION: &str = "us-east-1";

/// The running services. Dropping it stops them without waiting; [`Emulator::shutdown`] waits.
#[derive(Debug)]
pub struct Emulator {
    servers: Servers,
    endpoints: Endpoints,
    kinesis: kinesis::Records,
    /// Behind `servers`, so that it is removed when these have stopped.
    objects: TempDir,
}

/// Why the emulator could not start or do as asked.
#[derive(Debug, Error)]
pub enum EmulatorError {
    /// The system gave no threads.
    #[error("failed to start the emulator's runtime")]
    Runtime(#[source] io::Error),
    /// The system gave no port.
    #[error("failed to bind {service} to a loopback port")]
    Bind {
        /// The service that was to listen.
        service: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// SQLite gave no database.
    #[error("failed to open the in-memory database of dynamodb")]
    Database(#[source] dynoxide::errors::DynoxideError),
    /// The system gave no directory for the objects.
    #[error("failed to make the temporary directory of s3")]
    Directory(#[source] Box<dyn StdError + Send + Sync>),
    /// A server ended while it was starting.
    #[error("failed to start the emulator's servers")]
    Stopped(#[source] tokio::task::JoinError),
    /// The shard's name is none that the emulated Kinesis gives.
    #[error("failed to trim `{0}`: expected the name of a shard of the emulator, `shardId-` and twelve digits")]
    Shard(ShardId),
}

impl Emulator {
    /// Starts all services. They accept requests when this returns.
    ///
    /// # Errors
    ///
    /// When the system gives no thread, port, memory or temporary directory.
    pub async fn start() -> Result<Self, EmulatorError> {
        let servers = Servers::new().map_err(EmulatorError::Runtime)?;
        let started = servers.spawn(async {
            let (kinesis, records) = kinesis::serve().await?;
            let dynamodb = dynamodb::serve().await?;
            let sqs = sqs::serve().await?;
            let (s3, objects) = s3::serve().await?;
            Ok((Endpoints { kinesis, dynamodb, sqs, s3 }, records, objects))
        });
        let (endpoints, kinesis, objects) = started.await.map_err(EmulatorError::Stopped)??;
        Ok(Self { servers, endpoints, kinesis, objects })
    }

    /// Where the services listen.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Forgets the records of one Kinesis shard up to and including `last`, as if they had outlived the retention, and
    /// returns how many there were. Retention cannot be waited for: its unit is the hour, and the clock is the system's.
    ///
    /// # Errors
    ///
    /// When the shard's name is none of the emulator's. A stream or shard that does not exist holds no records.
    pub async fn trim_kinesis(
        &self,
        stream_name: &str,
        shard: &ShardId,
        last: &SequenceNumber,
    ) -> Result<usize, EmulatorError> {
        self.kinesis.trim(stream_name, shard, last).await
    }

    /// Stops all services, cutting requests under way, and returns when their tasks are gone, their ports free and the
    /// objects removed.
    pub async fn shutdown(self) {
        self.servers.shutdown().await;
        if let Err(error) = self.objects.close() {
            tracing::warn!(%error, "failed to remove the temporary directory of the emulated s3");
        }
    }
}
