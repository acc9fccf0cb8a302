//! SQS by `rustack-sqs-core`, one actor per queue, behind `rustack-sqs-http`.
//!
//! Seen to work: batches, message attributes, visibility, long polling, FIFO queues, redrive to the dead-letter queue
//! (at the first receive after `maxReceiveCount` receives, as AWS's). Queue URLs are `http://127.0.0.1:PORT/ACCOUNT/NAME`
//! and answer as they are. Different from AWS:
//!
//! - A body may hold 262,144 bytes, AWS's 1,048,576. Only the body counts, where AWS counts attributes too.
//! - A batch is bounded by its ten entries and by the 16 MiB of a request, where AWS allows 1 MiB in all.
//! - `MessageRetentionPeriod` is stored and has no effect: messages stay until they are deleted.
//! - `maxReceiveCount` in a redrive policy has to be a JSON number, where AWS takes a text too.
//! - Deleting with an unknown or outdated receipt handle succeeds and deletes nothing.
//! - `MessageGroupId` on a standard queue is refused, where AWS takes it for fair queues. No move tasks.

use crate::servers::{accept, bind};
use crate::{ACCOUNT, EmulatorError, REGION};
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};
use std::sync::Arc;

/// Serves SQS until the runtime ends, and returns its URL.
pub(crate) async fn serve() -> Result<String, EmulatorError> {
    let (listener, address) = bind("sqs").await?;
    let provider = RustackSqs::new(SqsConfig {
        skip_signature_validation: true,
        default_region: REGION.to_owned(),
        account_id: ACCOUNT.to_owned(),
        host: address.ip().to_string(),
        port: address.port(),
    });
    let http = SqsHttpConfig { skip_signature_validation: true, region: REGION.to_owned(), credential_provider: None };
    let service = SqsHttpService::new(Arc::new(RustackSqsHandler::new(Arc::new(provider))), http);
    tokio::spawn(accept("sqs", listener, service));
    Ok(format!("http://{address}"))
}
