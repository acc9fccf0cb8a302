//! What answers at an endpoint, by the path at which it speaks of its own health.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The emulator in this process.
    Embedded,
    /// ministack.
    Ministack,
    /// LocalStack.
    LocalStack,
    /// AWS itself.
    Aws,
    /// Something else, which is held to all that AWS does.
    Unknown,
}

/// The paths, in the order in which they are asked: ministack answers LocalStack's as well.
const HEALTH_PATHS: [(&str, Kind); 3] = [
    ("/_ministack/health", Kind::Ministack),
    ("/_localstack/health", Kind::LocalStack),
    ("/_localstack/info", Kind::LocalStack),
];

const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// The health of all services, with room.
const ANSWER_BYTES_MAX: u64 = 256 * 1024;

impl Kind {
    /// Asks an endpoint. One that answers at none of the paths is [`Kind::Unknown`].
    pub async fn at(url: &str) -> Self {
        for (path, kind) in HEALTH_PATHS {
            let answer = tokio::time::timeout(ANSWER_LIMIT, get(url, path)).await;
            if let Ok(Ok(answer)) = answer
                && is_health(&answer)
            {
                return kind;
            }
        }
        Self::Unknown
    }

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "the embedded emulator",
            Self::Ministack => "ministack",
            Self::LocalStack => "LocalStack",
            Self::Aws => "AWS",
            Self::Unknown => "an endpoint of no known kind",
        }
    }
}

/// Plain HTTP, whatever the URL says: the two that have such a path take both on one port.
async fn get(url: &str, path: &str) -> std::io::Result<String> {
    let address = address_of(url);
    let mut stream = TcpStream::connect(&address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Host and port of a URL.
pub(crate) fn address_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split('/').next().unwrap_or_default();
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match (has_port, scheme) {
        (true, _) => authority.to_owned(),
        (false, "https") => format!("{authority}:443"),
        (false, _) => format!("{authority}:80"),
    }
}

/// A 200 whose body is an object: a service that takes any path for a bucket's answers otherwise.
fn is_health(answer: &str) -> bool {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let is_ok = head.lines().next().is_some_and(|line| line.split(' ').nth(1) == Some("200"));
    is_ok && body.contains("{\"") && (body.contains("\"services\"") || body.contains("\"version\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_off_a_url() {
        for (url, address) in [
            ("http://127.0.0.1:4566", "127.0.0.1:4566"),
            ("https://localhost.localstack.cloud:4566/", "localhost.localstack.cloud:4566"),
            ("http://[::1]:80/x", "[::1]:80"),
            ("https://example.com", "example.com:443"),
            ("http://example.com/", "example.com:80"),
        ] {
            assert_eq!(address_of(url), address);
        }
    }

    #[test]
    fn health_is_a_200_that_speaks_of_services_or_a_version() {
        assert!(is_health("HTTP/1.1 200 OK\r\nx: y\r\n\r\n{\"services\": {}}"));
        assert!(!is_health("HTTP/1.1 404 Not Found\r\n\r\n{\"services\": {}}"));
        assert!(!is_health("HTTP/1.1 200 OK\r\n\r\n<ListBucketResult/>"));
        assert!(!is_health(""));
    }
}
