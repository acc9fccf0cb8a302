//! Keys that are too long for `s3s-fs`: it writes each into the name of a file, in base64, where S3 allows 1,024 bytes.
//!
//! Objects of such keys are kept under short ones, and a list of what these stand for is in memory, as the objects are
//! the emulator's own for as long as it lives.

use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};
use s3s_fs::FileSystem;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The longest key that is kept as it is. A file's name has 255 bytes: of a bucket's name of 63 bytes, and of all else that
/// stands beside the key, 97 are left, which are 72 before base64.
const KEPT_KEY_BYTES_MAX: usize = 72;

/// Where objects of longer keys are kept.
const FOLDER: &str = "long-keys";

/// A file system whose keys may have any length.
pub(super) struct LongKeys {
    files: FileSystem,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    by_key: HashMap<String, String>,
    by_short: HashMap<String, String>,
}

impl LongKeys {
    pub fn new(files: FileSystem) -> Self {
        Self { files, keys: Mutex::default() }
    }

    /// The key under which the object is kept.
    fn short(&self, key: &mut String) {
        if key.len() > KEPT_KEY_BYTES_MAX {
            let Keys { by_key, by_short } = &mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            let number = by_key.len();
            let short = by_key.entry(key.clone()).or_insert_with(|| format!("{FOLDER}/{number}"));
            by_short.entry(short.clone()).or_insert_with(|| key.clone());
            key.clone_from(short);
        }
    }

    /// The key that the object was put under.
    fn long(&self, key: &mut String) {
        if let Some(long) = self.keys.lock().unwrap_or_else(PoisonError::into_inner).by_short.get(key) {
            key.clone_from(long);
        }
    }
}

/// An operation on one object: the same on its short key.
macro_rules! on_one_object {
    ($($name:ident: $input:ty => $output:ty;)*) => {
        #[async_trait]
        impl S3 for LongKeys {
            $(async fn $name(&self, mut request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                self.short(&mut request.input.key);
                self.files.$name(request).await
            })*

            async fn create_multipart_upload(
                &self,
                mut request: S3Request<CreateMultipartUploadInput>,
            ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
                self.short(&mut request.input.key);
                let mut created = self.files.create_multipart_upload(request).await?;
                created.output.key.iter_mut().for_each(|key| self.long(key));
                Ok(created)
            }

            async fn complete_multipart_upload(
                &self,
                mut request: S3Request<CompleteMultipartUploadInput>,
            ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
                self.short(&mut request.input.key);
                let mut completed = self.files.complete_multipart_upload(request).await?;
                // S3 answers before it is done, so that nobody hangs up meanwhile; here it is done at once.
                if let Some(done) = completed.output.future.take() {
                    completed.output = done.await?;
                }
                completed.output.key.iter_mut().for_each(|key| self.long(key));
                Ok(completed)
            }

            async fn create_bucket(
                &self,
                request: S3Request<CreateBucketInput>,
            ) -> S3Result<S3Response<CreateBucketOutput>> {
                self.files.create_bucket(request).await
            }

            async fn delete_bucket(
                &self,
                request: S3Request<DeleteBucketInput>,
            ) -> S3Result<S3Response<DeleteBucketOutput>> {
                self.files.delete_bucket(request).await
            }

            async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
                self.files.head_bucket(request).await
            }

            async fn list_buckets(
                &self,
                request: S3Request<ListBucketsInput>,
            ) -> S3Result<S3Response<ListBucketsOutput>> {
                self.files.list_buckets(request).await
            }

            async fn list_objects_v2(
                &self,
                request: S3Request<ListObjectsV2Input>,
            ) -> S3Result<S3Response<ListObjectsV2Output>> {
                self.list(request).await
            }
        }
    };
}

on_one_object! {
    put_object: PutObjectInput => PutObjectOutput;
    get_object: GetObjectInput => GetObjectOutput;
    head_object: HeadObjectInput => HeadObjectOutput;
    delete_object: DeleteObjectInput => DeleteObjectOutput;
    upload_part: UploadPartInput => UploadPartOutput;
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput;
}

impl LongKeys {
    /// Lists everything, and then what was asked for: order, prefix and page are those of the keys as they were put.
    async fn list(&self, request: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let asked = request.input.clone();
        if asked.delimiter.is_some() {
            return self.files.list_objects_v2(request).await;
        }
        let all = request.map_input(|input| ListObjectsV2Input {
            prefix: None,
            start_after: None,
            continuation_token: None,
            max_keys: Some(i32::MAX),
            ..input
        });
        let mut listed = self.files.list_objects_v2(all).await?;
        let mut objects = listed.output.contents.take().unwrap_or_default();
        objects.iter_mut().filter_map(|object| object.key.as_mut()).for_each(|key| self.long(key));
        objects.sort_by(|one, other| one.key.cmp(&other.key));
        let prefix = asked.prefix.as_deref().unwrap_or_default();
        let after = asked.continuation_token.as_deref().max(asked.start_after.as_deref());
        objects.retain(|object| {
            let key = object.key.as_deref();
            key.is_some_and(|key| key.starts_with(prefix)) && (after.is_none() || key > after)
        });
        let max_keys = asked.max_keys.unwrap_or(MAX_KEYS).clamp(0, MAX_KEYS);
        let max = usize::try_from(max_keys).unwrap_or_default();
        let is_truncated = objects.len() > max;
        objects.truncate(max);
        let next = objects.last().filter(|_| is_truncated).and_then(|last| last.key.clone());
        listed.output = ListObjectsV2Output {
            key_count: i32::try_from(objects.len()).ok(),
            max_keys: Some(max_keys),
            is_truncated: Some(is_truncated),
            next_continuation_token: next,
            prefix: asked.prefix,
            start_after: asked.start_after,
            continuation_token: asked.continuation_token,
            contents: Some(objects).filter(|objects| !objects.is_empty()),
            ..listed.output
        };
        Ok(listed)
    }
}

/// The most keys in one list.
const MAX_KEYS: i32 = 1_000;
