//! DynamoDB and DynamoDB Streams by `dynoxide`, on SQLite in memory.
//!
//! Different from AWS:
//!
//! - A table's stream is one shard that never splits, and shows an `EndingSequenceNumber` while it is open.
//! - ARNs name the region `dynoxide`, whatever region a client signs for.
//! - Nothing is ever trimmed: an unknown old sequence number gives `ValidationException`.

use crate::EmulatorError;
use crate::servers::bind;
use dynoxide::Database;

/// Serves DynamoDB until the runtime ends, and returns its URL.
pub(crate) async fn serve() -> Result<String, EmulatorError> {
    let (listener, address) = bind("dynamodb").await?;
    let database = Database::memory().map_err(EmulatorError::Database)?;
    tokio::spawn(async move {
        let never = std::future::pending();
        if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, never).await {
            tracing::error!(error, "the emulated dynamodb ended");
        }
    });
    Ok(format!("http://{address}"))
}
