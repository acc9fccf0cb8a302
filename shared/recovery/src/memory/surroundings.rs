//! Objects, filters and a queue in memory.

use crate::{ObjectRef, ServiceError, Surroundings};
use records::StreamArn;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Surroundings that know what they were told, and keep what is sent.
#[derive(Debug, Default)]
pub struct MemorySurroundings {
    objects: HashMap<(String, String), String>,
    patterns: Option<Vec<String>>,
    sent: Mutex<Vec<String>>,
    lookups: Mutex<Vec<(String, String)>>,
    refuses_to_send: bool,
}

impl MemorySurroundings {
    /// With this object as well.
    #[must_use]
    pub fn with_object(mut self, bucket: &str, key: &str, text: &str) -> Self {
        self.objects.insert((bucket.to_owned(), key.to_owned()), text.to_owned());
        self
    }

    /// Every mapping has these filters.
    #[must_use]
    pub fn with_patterns(mut self, patterns: &[&str]) -> Self {
        self.patterns = Some(patterns.iter().map(ToString::to_string).collect());
        self
    }

    /// Nothing can be sent.
    #[must_use]
    pub fn refusing_to_send(mut self) -> Self {
        self.refuses_to_send = true;
        self
    }

    /// What was sent, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Functions and streams whose filters were looked up, in order.
    #[must_use]
    pub fn lookups(&self) -> Vec<(String, String)> {
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Surroundings for MemorySurroundings {
    async fn object(&self, object: &ObjectRef) -> Result<String, ServiceError> {
        let text = self.objects.get(&(object.bucket.clone(), object.key.clone())).cloned();
        let message = || format!("no object `{}` in bucket `{}` in memory", object.key, object.bucket);
        text.ok_or_else(|| ServiceError { message: message(), is_missing: true })
    }

    async fn filter_patterns(
        &self,
        function_arn: &str,
        stream: &StreamArn,
    ) -> Result<Option<Vec<String>>, ServiceError> {
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        lookups.push((function_arn.to_owned(), stream.to_string()));
        Ok(self.patterns.clone())
    }

    async fn send(&self, queue_arn: &str, body: &str) -> Result<(), ServiceError> {
        if self.refuses_to_send {
            return Err(ServiceError { message: format!("`{queue_arn}` takes nothing"), is_missing: false });
        }
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(body.to_owned());
        Ok(())
    }
}
