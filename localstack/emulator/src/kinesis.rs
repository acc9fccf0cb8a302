//! Kinesis by `ferrokinesis`.
//!
//! Seen to work, through the AWS SDK: empty data, arbitrary bytes, records of up to 1 MiB (1,048,576 bytes of data).
//! Different from AWS:
//!
//! - A larger record is refused whatever the stream says: `UpdateMaxRecordSize` is stored, up to 10 MiB, and has no
//!   effect. A `PutRecords` is limited to 5 MiB in all.
//! - `MillisBehindLatest` is 0 while records are unread.
//! - Records leave by the retention's hours only, or by [`Records::trim`]. Reading at a forgotten sequence number silently
//!   begins at the oldest record left, as AWS's does.
//! - `GetShardIterator`, `ListShards` and some others know streams by name only; `stream_arn` translates.
//! - Reads are never throttled, and writes are not by these settings.

use crate::servers::bind;
use crate::stream_arn::add_stream_name;
use crate::{ACCOUNT, EmulatorError, REGION};
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::serve::ListenerExt;
use ferrokinesis::store::{Store, StoreOptions};
use records::{SequenceNumber, ShardId};
use std::fmt;

/// Bounds a request's body, in bytes. The 5 MiB of a full `PutRecords` are 7 MiB in base64, with keys on top; axum's
/// default of 2 MB would refuse them.
const REQUEST_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Bounds the open shards of all streams together: more than a test of resharding needs, and AWS's order of magnitude.
const OPEN_SHARDS_MAX: u32 = 100;

/// Serves Kinesis until the runtime ends, and returns its URL and a handle to what it stores.
pub(crate) async fn serve() -> Result<(String, Records), EmulatorError> {
    let (listener, address) = bind("kinesis").await?;
    let options = StoreOptions {
        create_stream_ms: 0,
        delete_stream_ms: 0,
        update_stream_ms: 0,
        shard_limit: OPEN_SHARDS_MAX,
        aws_account_id: ACCOUNT.to_owned(),
        aws_region: REGION.to_owned(),
        ..StoreOptions::default()
    };
    let (app, store) = ferrokinesis::create_app(options);
    let app = app.layer(from_fn(add_stream_name)).layer(DefaultBodyLimit::max(REQUEST_MAX_BYTES));
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "could not switch off Nagle's algorithm for a connection to kinesis");
        }
    });
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "the emulated kinesis ended");
        }
    });
    Ok((format!("http://{address}"), Records(store)))
}

/// The records of all streams.
pub(crate) struct Records(Store);

impl Records {
    /// Forgets the records of a shard up to and including `last`; returns how many there were.
    pub async fn trim(
        &self,
        stream_name: &str,
        shard: &ShardId,
        last: &SequenceNumber,
    ) -> Result<usize, EmulatorError> {
        let shard = store_shard(shard)?;
        // The store orders its keys as text, `SHARD/NUMBER` with numbers of one length, and ranges exclude their end.
        let (start, end) = (format!("{shard}/"), format!("{shard}/{last}\0"));
        let trimmed = self.0.get_records_range(stream_name, &start, &end).await;
        let keys: Vec<String> = trimmed.into_iter().map(|(key, _)| key).collect();
        self.0.delete_record_keys(stream_name, &keys).await;
        Ok(keys.len())
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

/// The store's own name of a shard, `00000003` for `shardId-000000000003`.
fn store_shard(shard: &ShardId) -> Result<String, EmulatorError> {
    let index = shard.as_str().strip_prefix("shardId-").filter(|digits| digits.len() == 12);
    let index: u32 = index.and_then(|digits| digits.parse().ok()).ok_or_else(|| EmulatorError::Shard(shard.clone()))?;
    Ok(format!("{index:08x}"))
}
