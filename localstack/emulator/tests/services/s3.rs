//! S3 by plain HTTP and unsigned: what the service does, whatever client there is.

use emulator::Emulator;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The least that a part may hold which is not the last.
const PART_MIN_BYTES: usize = 5 * 1024 * 1024;

struct Answer {
    status: StatusCode,
    length: Option<usize>,
    body: Bytes,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The text of the first element of this name.
    fn element(&self, name: &str) -> &str {
        let (_, rest) = self.text().split_once(&format!("<{name}>")).unwrap();
        rest.split_once(&format!("</{name}>")).unwrap().0
    }

    /// The texts of all elements of this name.
    fn elements(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        self.text().split(&open).skip(1).map(|rest| rest.split_once(&close).unwrap().0).collect()
    }
}

async fn call(emulator: &Emulator, method: &str, target: &str, body: impl Into<Bytes>) -> Answer {
    let uri: Uri = format!("{}{target}", emulator.endpoints().s3).parse().unwrap();
    let authority = uri.authority().unwrap().as_str();
    let socket = TcpStream::connect(authority).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(target).header("host", authority);
    let response = sender.send_request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let length = head.headers.get("content-length").map(|value| value.to_str().unwrap().parse().unwrap());
    Answer { status: head.status, length, body: body.collect().await.unwrap().to_bytes() }
}

async fn start() -> Emulator {
    let emulator = Emulator::start().await.unwrap();
    assert_eq!(call(&emulator, "PUT", "/payloads", "").await.status, StatusCode::OK);
    emulator
}

fn large(bytes: usize) -> Bytes {
    (0..bytes).map(|n| (n % 251) as u8).collect()
}

#[tokio::test]
async fn objects_are_put_got_headed_listed_and_deleted() {
    let emulator = start().await;
    for key in ["orders/2", "orders/1", "users/1"] {
        assert_eq!(call(&emulator, "PUT", &format!("/payloads/{key}"), key).await.status, StatusCode::OK);
    }
    let got = call(&emulator, "GET", "/payloads/orders/1", "").await;
    assert_eq!((got.status, got.text()), (StatusCode::OK, "orders/1"));
    let head = call(&emulator, "HEAD", "/payloads/orders/1", "").await;
    assert_eq!((head.status, head.length), (StatusCode::OK, Some(8)));
    call(&emulator, "PUT", "/payloads/orders/1", "again").await;
    assert_eq!(call(&emulator, "GET", "/payloads/orders/1", "").await.text(), "again");

    let page = call(&emulator, "GET", "/payloads?list-type=2&max-keys=2", "").await;
    assert_eq!((page.elements("Key"), page.element("IsTruncated")), (vec!["orders/1", "orders/2"], "true"));
    let next = format!("/payloads?list-type=2&continuation-token={}", page.element("NextContinuationToken"));
    assert_eq!(call(&emulator, "GET", &next, "").await.elements("Key"), ["users/1"]);
    let users = call(&emulator, "GET", "/payloads?list-type=2&prefix=users/", "").await;
    assert_eq!(users.elements("Key"), ["users/1"]);

    for _ in 0..2 {
        let deleted = call(&emulator, "DELETE", "/payloads/orders/1", "").await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT, "also where there is nothing to delete");
    }
    let gone = call(&emulator, "GET", "/payloads/orders/1", "").await;
    assert_eq!((gone.status, gone.element("Code")), (StatusCode::NOT_FOUND, "NoSuchKey"));
    emulator.shutdown().await;
}

#[tokio::test]
async fn keys_of_a_thousand_bytes_are_keys_like_others() {
    let emulator = start().await;
    let long = ["a", "b", "c"].map(|last| format!("orders/{}/{last}", "x".repeat(1_015)));
    for key in [&long[2], &long[0], "orders/1", "users/1", &long[1]] {
        assert_eq!(call(&emulator, "PUT", &format!("/payloads/{key}"), key.to_owned()).await.status, StatusCode::OK);
    }
    assert_eq!(call(&emulator, "GET", &format!("/payloads/{}", long[1]), "").await.text(), long[1]);
    let page = call(&emulator, "GET", "/payloads?list-type=2&prefix=orders/&max-keys=3", "").await;
    assert_eq!(page.elements("Key"), ["orders/1", &long[0], &long[1]]);
    let next =
        format!("/payloads?list-type=2&prefix=orders/&continuation-token={}", page.element("NextContinuationToken"));
    assert_eq!(call(&emulator, "GET", &next, "").await.elements("Key"), [&long[2]]);
    call(&emulator, "DELETE", &format!("/payloads/{}", long[1]), "").await;
    assert_eq!(call(&emulator, "GET", &format!("/payloads/{}", long[1]), "").await.status, StatusCode::NOT_FOUND);

    let created = call(&emulator, "POST", &format!("/payloads/{}?uploads", long[1]), "").await;
    assert_eq!(created.element("Key"), long[1]);
    let target = format!("/payloads/{}?uploadId={}", long[1], created.element("UploadId"));
    let put = call(&emulator, "PUT", &format!("{target}&partNumber=1"), "part").await;
    assert_eq!(put.status, StatusCode::OK);
    let parts = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>";
    assert_eq!(call(&emulator, "POST", &target, parts).await.element("Key"), long[1]);
    assert_eq!(call(&emulator, "GET", &format!("/payloads/{}", long[1]), "").await.text(), "part");
    emulator.shutdown().await;
}

#[tokio::test]
async fn an_object_of_sixteen_mebibytes_comes_back_as_it_was() {
    let emulator = start().await;
    let object = large(16 * 1024 * 1024);
    assert_eq!(call(&emulator, "PUT", "/payloads/large", object.clone()).await.status, StatusCode::OK);
    let got = call(&emulator, "GET", "/payloads/large", "").await;
    assert!(got.length == Some(object.len()) && got.body == object);
    emulator.shutdown().await;
}

#[tokio::test]
async fn an_upload_in_parts_is_an_object_once_it_is_completed() {
    let emulator = start().await;
    let created = call(&emulator, "POST", "/payloads/large?uploads", "").await;
    let upload = format!("uploadId={}", created.element("UploadId"));
    let object = large(PART_MIN_BYTES + 3);
    for (number, part) in [(1, object.slice(..PART_MIN_BYTES)), (2, object.slice(PART_MIN_BYTES..))] {
        let target = format!("/payloads/large?partNumber={number}&{upload}");
        assert_eq!(call(&emulator, "PUT", &target, part).await.status, StatusCode::OK);
    }
    assert_eq!(call(&emulator, "GET", "/payloads/large", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(call(&emulator, "GET", "/payloads?list-type=2", "").await.elements("Key"), Vec::<&str>::new());

    let parts: String = (1..=2).map(|n| format!("<Part><PartNumber>{n}</PartNumber></Part>")).collect();
    let parts = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let completed = call(&emulator, "POST", &format!("/payloads/large?{upload}"), parts).await;
    assert_eq!((completed.status, completed.element("Key")), (StatusCode::OK, "large"));
    assert_eq!(call(&emulator, "GET", "/payloads/large", "").await.body, object);
    emulator.shutdown().await;
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let emulator = start().await;
    let created = call(&emulator, "POST", "/payloads/large?uploads", "").await;
    let upload = format!("uploadId={}", created.element("UploadId"));
    let part = format!("/payloads/large?partNumber=1&{upload}");
    assert_eq!(call(&emulator, "PUT", &part, "x").await.status, StatusCode::OK);
    let aborted = call(&emulator, "DELETE", &format!("/payloads/large?{upload}"), "").await;
    assert_eq!(aborted.status, StatusCode::NO_CONTENT);
    assert_ne!(call(&emulator, "PUT", &part, "x").await.status, StatusCode::OK, "the upload is gone");
    assert_eq!(call(&emulator, "GET", "/payloads/large", "").await.status, StatusCode::NOT_FOUND);
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_bucket_exists_once_it_is_created_and_not_by_an_object() {
    let emulator = start().await;
    for (method, target) in [("PUT", "/missing/key"), ("GET", "/missing/key"), ("GET", "/missing?list-type=2")] {
        let refused = call(&emulator, method, target, "x").await;
        assert_eq!((refused.status, refused.element("Code")), (StatusCode::NOT_FOUND, "NoSuchBucket"), "{target}");
    }
    let again = call(&emulator, "PUT", "/payloads", "").await;
    assert_eq!((again.status, again.element("Code")), (StatusCode::CONFLICT, "BucketAlreadyExists"));
    emulator.shutdown().await;
}
