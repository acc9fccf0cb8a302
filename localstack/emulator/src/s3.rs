//! S3 by `s3s-fs`, on a temporary directory, behind `s3s`.
//!
//! Seen to work with `aws-sdk-s3` 1.157: creating a bucket; putting, getting, heading, listing and deleting objects;
//! multipart uploads, completed and aborted; objects of 16 MiB; the checksums that the SDK sends and asks for by default
//! (CRC-32 in a header, and in the trailer of an `aws-chunked` body when it streams).
//!
//! A client needs the URL and nothing else. Buckets are addressed by path, since `BUCKET.127.0.0.1` is no host name; the
//! SDK's endpoint rules do so of their own accord where the host is an IP address, whatever `force_path_style` says.
//!
//! Different from AWS:
//!
//! - A secret access key has to equal its access key id, as it does for every client here: `s3s` checks signatures where
//!   there are any, with a clock that may differ by 15 minutes. Whoever does not sign may do everything as well, but not
//!   in `aws-chunked` bodies, which are decoded for signed requests only.
//! - Keys are paths of files: `a//b` is `a/b`, and `a` and `a/b` exclude each other. Those of more than 72 bytes are kept
//!   elsewhere (`s3/long_keys.rs`); a list with a delimiter shows where.
//! - What is done to several objects at once, and copies, are not there; neither is the first version of the list.
//! - `PutObject` refuses a wrong checksum and has stored the object. `UploadPart` does not check, and neither it nor the
//!   completed object shows a checksum.
//! - Parts have to be numbered from 1 without a gap. All but the last hold 5 MiB at least, as on AWS.
//! - Creating one's own bucket again gives `BucketAlreadyExists`, not `BucketAlreadyOwnedByYou`.
//! - Lists show no ETags. No versions, tags, encryption, retention or life cycle.
//! - `s3s` logs each refusal as an error, also that of an unknown key, under the target `s3s`.

mod long_keys;

use crate::EmulatorError;
use crate::servers::{accept, bind};
use async_trait::async_trait;
use long_keys::LongKeys;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;
use s3s::{S3Error, S3Result, s3_error};
use s3s_fs::FileSystem;
use std::path::PathBuf;
use tempfile::TempDir;

/// Serves S3 until the runtime ends, and returns its URL and the directory that holds the objects.
pub(crate) async fn serve() -> Result<(String, TempDir), EmulatorError> {
    let (listener, address) = bind("s3").await?;
    let directory = TempDir::with_prefix("emulated-s3-").map_err(|error| EmulatorError::Directory(error.into()))?;
    let files =
        FileSystem::new(directory.path()).map_err(|error| EmulatorError::Directory(S3Error::from(error).into()))?;
    let mut service = S3ServiceBuilder::new(LongKeys::new(files));
    service.set_auth(SecretIsKeyId);
    service.set_access(ExistingBuckets { root: directory.path().to_owned() });
    tokio::spawn(accept("s3", listener, service.build()));
    Ok((format!("http://{address}"), directory))
}

/// `s3s` has no switch for signatures, so that each key gets a secret that every client can know.
struct SecretIsKeyId;

#[async_trait]
impl S3Auth for SecretIsKeyId {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        Ok(SecretKey::from(access_key))
    }
}

/// Lets everybody do everything to a bucket that was created. `s3s-fs` would create it by the first object put.
struct ExistingBuckets {
    root: PathBuf,
}

#[async_trait]
impl S3Access for ExistingBuckets {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        match context.s3_path().get_bucket_name() {
            Some(bucket) if context.s3_op().name() != "CreateBucket" && !self.root.join(bucket).is_dir() => {
                Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"))
            }
            _ => Ok(()),
        }
    }
}
