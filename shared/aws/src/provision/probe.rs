//! Whether a service answers, by the cheapest call that it has.

use crate::call::{Call, CallError};
use crate::{Clients, Service};

/// Asks a service for a list of what it has, of one entry where it can be that short.
///
/// # Errors
///
/// When it does not answer, or refuses.
pub async fn probe(clients: &Clients, service: Service) -> Result<(), CallError> {
    let call = Call { operation: "reach", object: service.name() };
    match service {
        Service::Kinesis => {
            clients.kinesis().list_streams().limit(1).send().await.map(drop).map_err(|e| call.failed(e))
        }
        Service::DynamoDb => {
            clients.dynamodb().list_tables().limit(1).send().await.map(drop).map_err(|e| call.failed(e))
        }
        Service::DynamoDbStreams => {
            clients.dynamodb_streams().list_streams().limit(1).send().await.map(drop).map_err(|e| call.failed(e))
        }
        Service::Sqs => clients.sqs().list_queues().send().await.map(drop).map_err(|e| call.failed(e)),
        Service::S3 => clients.s3().list_buckets().send().await.map(drop).map_err(|e| call.failed(e)),
        Service::Lambda => {
            clients.lambda().list_functions().max_items(1).send().await.map(drop).map_err(|e| call.failed(e))
        }
    }
}
