//! Reading what a process posts, up to Lambda's limit.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::outcome::PAYLOAD_LIMIT_BYTES;

/// The most bytes that are read and thrown away, so that a client that is still writing gets to read its 413.
const DRAIN_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// A body, or the size of one that is too large.
#[derive(Debug)]
pub(crate) enum Posted {
    Whole(Bytes),
    TooLarge { bytes: usize },
}

/// Reads a body to its end. A body of one frame is not copied.
pub(crate) async fn read(mut body: Body) -> Result<Posted, axum::Error> {
    let mut whole = Whole::Empty;
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        bytes += data.len();
        if bytes > DRAIN_LIMIT_BYTES {
            break;
        }
        whole = if bytes > PAYLOAD_LIMIT_BYTES { Whole::Empty } else { whole.and(data) };
    }
    Ok(if bytes > PAYLOAD_LIMIT_BYTES { Posted::TooLarge { bytes } } else { Posted::Whole(whole.into_bytes()) })
}

enum Whole {
    Empty,
    One(Bytes),
    Many(BytesMut),
}

impl Whole {
    fn and(self, data: Bytes) -> Self {
        match self {
            Self::Empty => Self::One(data),
            Self::One(first) => {
                let mut many = BytesMut::with_capacity((first.len() + data.len()) * 2);
                many.extend_from_slice(&first);
                many.extend_from_slice(&data);
                Self::Many(many)
            }
            Self::Many(mut many) => {
                many.extend_from_slice(&data);
                Self::Many(many)
            }
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::One(data) => data,
            Self::Many(many) => many.freeze(),
        }
    }
}
