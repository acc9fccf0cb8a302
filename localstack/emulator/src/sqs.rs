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

use crate::servers::bind;
use crate::{ACCOUNT, EmulatorError, REGION};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long the server rests after a failed accept. The usual reason is a lack of file descriptors, which passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Service = SqsHttpService<RustackSqsHandler>;

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
    tokio::spawn(accept(listener, service));
    Ok(format!("http://{address}"))
}

async fn accept(listener: TcpListener, service: Service) {
    loop {
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection to sqs");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "could not switch off Nagle's algorithm for a connection to sqs");
        }
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service.clone());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to sqs ended early");
            }
        });
    }
}
