//! S3 as a sink: one object for each range, a line of JSON for each entry.

use crate::Clients;
use crate::call::reason;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use recovery::{RangeName, RangeSink, RangeWriter, S3Prefix, SinkEntry, SinkError};

/// What is kept in memory before it is sent, in bytes. S3 wants at least 5 MiB in each part of an upload but the last; few
/// ranges have more than this, and those that do not are one request.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// The most parts that S3 takes. Together they hold 78 GiB.
const PARTS_MAX: usize = 10_000;

const CONTENT_TYPE: &str = "application/x-ndjson";

/// Writes each range into the object `<prefix>/<name of the range>.jsonl`; one without entries makes none.
#[derive(Debug, Clone)]
pub struct S3Sink {
    clients: Clients,
    target: S3Prefix,
}

impl S3Sink {
    /// A sink below a prefix. No client is built before there is something to write.
    #[must_use]
    pub fn new(clients: &Clients, target: S3Prefix) -> Self {
        Self { clients: clients.clone(), target }
    }
}

impl RangeSink for S3Sink {
    type Writer<'s> = S3RangeWriter<'s>;

    fn open<'s>(&'s self, name: &RangeName) -> S3RangeWriter<'s> {
        let key = self.target.key(&format!("{}.jsonl", name.as_str()));
        S3RangeWriter {
            sink: self,
            key,
            part_bytes: PART_BYTES,
            buffer: Vec::new(),
            upload: None,
            entries: 0,
            dead: None,
        }
    }
}

/// Writes one range. The object is there when it is closed, and not before.
///
/// Up to 8 MiB become one request at the end; what is longer is uploaded in parts meanwhile. Dropped before it is closed, a
/// writer leaves no object, but may leave the parts of an unfinished upload, since a drop cannot wait for a call. S3 keeps
/// and charges them until a lifecycle rule of the bucket (`AbortIncompleteMultipartUpload`) removes them.
#[derive(Debug)]
pub struct S3RangeWriter<'s> {
    sink: &'s S3Sink,
    key: String,
    part_bytes: usize,
    buffer: Vec<u8>,
    upload: Option<Upload>,
    /// How many were written so far: none of them is safe before the end.
    entries: usize,
    /// Why the upload was aborted. An object without what was in the part that failed must not be closed.
    dead: Option<String>,
}

#[derive(Debug)]
struct Upload {
    id: String,
    parts: Vec<CompletedPart>,
}

impl RangeWriter for S3RangeWriter<'_> {
    async fn write(&mut self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        self.entries += entries.len();
        self.alive()?;
        for entry in entries {
            self.buffer.extend_from_slice(entry.body.as_bytes());
            self.buffer.push(b'\n');
            if self.buffer.len() >= self.part_bytes {
                let uploaded = self.upload_part().await;
                self.or_abort(uploaded).await?;
            }
        }
        Ok(())
    }

    async fn close(mut self) -> Result<(), SinkError> {
        self.alive()?;
        let closed = match self.upload {
            None if self.buffer.is_empty() => Ok(()),
            None => self.put().await,
            Some(_) => self.complete().await,
        };
        self.or_abort(closed).await
    }

    async fn abort(mut self) {
        // What it says is said already.
        let _ = self.or_abort(Err("the range was given up".to_owned())).await;
    }
}

impl S3RangeWriter<'_> {
    async fn put(&mut self) -> Result<(), String> {
        let put = self.s3().put_object().bucket(self.bucket()).key(&self.key).content_type(CONTENT_TYPE);
        let body = ByteStream::from(std::mem::take(&mut self.buffer));
        put.body(body).send().await.map(drop).map_err(|error| reason(&error))
    }

    async fn upload_part(&mut self) -> Result<(), String> {
        let mut upload = match self.upload.take() {
            Some(upload) => upload,
            None => self.begin().await?,
        };
        let body = ByteStream::from(std::mem::take(&mut self.buffer));
        let number = i32::try_from(upload.parts.len() + 1).unwrap_or(i32::MAX);
        let request = self.s3().upload_part().bucket(self.bucket()).key(&self.key).upload_id(&upload.id);
        let request = request.part_number(number).body(body);
        let uploaded = if upload.parts.len() < PARTS_MAX {
            request.send().await.map_err(|error| reason(&error))
        } else {
            Err(format!("the range has more than {PARTS_MAX} parts of {} bytes", self.part_bytes))
        };
        let uploaded = uploaded.map(|part| {
            upload.parts.push(CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build());
        });
        self.upload = Some(upload);
        uploaded
    }

    async fn begin(&self) -> Result<Upload, String> {
        let request = self.s3().create_multipart_upload().bucket(self.bucket()).key(&self.key);
        let created = request.content_type(CONTENT_TYPE).send().await.map_err(|error| reason(&error))?;
        let id = created.upload_id.ok_or_else(|| "the answer has no id of an upload".to_owned())?;
        Ok(Upload { id, parts: Vec::new() })
    }

    async fn complete(&mut self) -> Result<(), String> {
        if !self.buffer.is_empty() {
            self.upload_part().await?;
        }
        let Some(upload) = &self.upload else { return Ok(()) };
        let parts = CompletedMultipartUpload::builder().set_parts(Some(upload.parts.clone())).build();
        let request = self.s3().complete_multipart_upload().bucket(self.bucket()).key(&self.key);
        let request = request.upload_id(&upload.id).multipart_upload(parts);
        request.send().await.map(drop).map_err(|error| reason(&error))
    }

    /// After an error nothing of the range is safe, and nothing of it is to stay.
    async fn or_abort(&mut self, outcome: Result<(), String>) -> Result<(), SinkError> {
        let Err(reason_of_failure) = outcome else { return Ok(()) };
        self.buffer = Vec::new();
        if let Some(upload) = self.upload.take() {
            let abort = self.s3().abort_multipart_upload().bucket(self.bucket()).key(&self.key).upload_id(upload.id);
            if let Err(error) = abort.send().await {
                tracing::warn!(object.key = self.key, error = reason(&error), "upload not aborted: its parts stay");
            }
        }
        let error = self.failed(&reason_of_failure);
        self.dead = Some(reason_of_failure);
        Err(error)
    }

    fn alive(&self) -> Result<(), SinkError> {
        self.dead.as_ref().map_or(Ok(()), |reason| Err(self.failed(reason)))
    }

    fn failed(&self, reason: &str) -> SinkError {
        let sink = format!("s3://{}/{}", self.bucket(), self.key);
        SinkError::Failed { count: self.entries, of: self.entries, sink, reason: reason.to_owned() }
    }

    fn s3(&self) -> &aws_sdk_s3::Client {
        self.sink.clients.s3()
    }

    fn bucket(&self) -> &str {
        self.sink.target.bucket()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{Answer, StandIn};

    fn entry(body: &str) -> SinkEntry {
        SinkEntry { id: body.to_owned(), group: String::new(), body: body.to_owned() }
    }

    /// An S3 of one bucket, where what the path and query of a request begin with can be refused.
    fn s3(refused: &'static str) -> StandIn {
        StandIn::new(move |request| {
            if !refused.is_empty() && request.line.starts_with(refused) {
                return Answer::xml(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
            }
            match request.line.as_str() {
                line if line.contains("?uploads") => Answer::xml(
                    200,
                    "<InitiateMultipartUploadResult><UploadId>u-1</UploadId></InitiateMultipartUploadResult>",
                ),
                line if line.starts_with("POST") => {
                    Answer::xml(200, "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
                }
                line if line.starts_with("DELETE") => Answer::xml(204, ""),
                _ => Answer::xml(200, "").header("ETag", "\"e\""),
            }
        })
    }

    /// What is asked of S3 when ranges of these entries are written, and what comes of it.
    async fn requests(part_bytes: usize, bodies: &[&str], refused: &'static str) -> (Vec<String>, Result<(), String>) {
        let s3 = s3(refused);
        let clients = Clients::for_endpoints("http://h", "http://h", "http://h", "us-east-1").with_s3(s3.url());
        let sink = S3Sink::new(&clients, "s3://archive/dlq".parse().unwrap());
        let mut writer = sink.open(&RangeName::new("kinesis/orders/1-9"));
        writer.part_bytes = part_bytes;
        let mut outcome = Ok(());
        for body in bodies {
            outcome = outcome.and(writer.write(&[entry(body)]).await);
        }
        let outcome = outcome.and(writer.close().await).map_err(|error| error.to_string());
        let requests = s3.requests().into_iter();
        (requests.map(|request| format!("{} {}", request.line, request.body.replace('\n', "|"))).collect(), outcome)
    }

    #[tokio::test]
    async fn a_range_without_entries_makes_no_object() {
        assert_eq!(requests(PART_BYTES, &[], "").await, (vec![], Ok(())));
    }

    #[tokio::test]
    async fn a_range_that_fits_into_memory_is_one_request() {
        let (requests, outcome) = requests(PART_BYTES, &["{1}", "{2}"], "").await;
        assert_eq!(requests, ["PUT /archive/dlq/kinesis/orders/1-9.jsonl?x-id=PutObject {1}|{2}|"]);
        outcome.unwrap();
    }

    #[tokio::test]
    async fn a_longer_range_is_uploaded_in_parts() {
        let (requests, outcome) = requests(8, &["{1}", "{2}", "{3}"], "").await;
        let object = "/archive/dlq/kinesis/orders/1-9.jsonl";
        assert_eq!(requests[0], format!("POST {object}?uploads "));
        assert_eq!(requests[1], format!("PUT {object}?x-id=UploadPart&partNumber=1&uploadId=u-1 {{1}}|{{2}}|"));
        assert_eq!(requests[2], format!("PUT {object}?x-id=UploadPart&partNumber=2&uploadId=u-1 {{3}}|"));
        assert!(requests[3].starts_with(&format!("POST {object}?uploadId=u-1 <CompleteMultipartUpload")));
        assert_eq!(requests[3].matches("<PartNumber>").count(), 2, "{}", requests[3]);
        assert_eq!(requests.len(), 4);
        outcome.unwrap();
    }

    #[tokio::test]
    async fn an_upload_that_fails_is_aborted_and_never_completed() {
        let (requests, outcome) = requests(4, &["{1}", "{2}"], "PUT").await;
        let methods: Vec<_> = requests.iter().filter_map(|request| request.split(' ').next()).collect();
        assert_eq!(methods, ["POST", "PUT", "DELETE"]);
        let expected = "failed to write 1 of 1 records to s3://archive/dlq/kinesis/orders/1-9.jsonl: AccessDenied: no";
        assert_eq!(outcome.unwrap_err(), expected);
    }

    #[tokio::test]
    async fn an_object_is_signed_over_its_bytes_and_says_what_it_is() {
        let s3 = s3("");
        let clients = Clients::for_endpoints("http://h", "http://h", "http://h", "us-east-1").with_s3(s3.url());
        let sink = S3Sink::new(&clients, "s3://archive".parse().unwrap());
        let mut writer = sink.open(&RangeName::new("r"));
        writer.write(&[entry("abc")]).await.unwrap();
        writer.close().await.unwrap();
        let head = s3.requests().remove(0).head;
        assert!(head.contains("content-type: application/x-ndjson"), "{head}");
        assert!(head.contains(&format!("x-amz-content-sha256: {}", crate::sha256::sha256_hex("abc\n"))), "{head}");
        assert!(!head.contains("x-amz-checksum"), "{head}");
    }
}
