//! What the processes print.

use std::{fmt, fs::OpenOptions, io, path::PathBuf, process::Stdio, sync::Arc};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The most bytes of one line, as many as CloudWatch Logs takes in one event; a longer line arrives in pieces.
const LINE_LIMIT_BYTES: usize = 256 * 1024;

/// How much is read at once.
const CHUNK_BYTES: usize = 8 * 1024;

/// Where stdout and stderr of the processes go.
#[derive(Clone, Default)]
pub enum Log {
    /// Nowhere.
    #[default]
    Null,
    /// To the end of a file, which is created if need be. The processes write to it by themselves.
    File(PathBuf),
    /// To a callback, line by line. It must not block: the process waits as long as its pipe is full.
    Lines(Arc<dyn Fn(OutputLine) + Send + Sync>),
}

impl Log {
    /// To a callback, or to a channel's sender in one.
    pub fn lines(take: impl Fn(OutputLine) + Send + Sync + 'static) -> Self {
        Self::Lines(Arc::new(take))
    }

    /// What a child gets as its stdout or stderr.
    pub(crate) fn stdio(&self) -> io::Result<Stdio> {
        Ok(match self {
            Self::Null => Stdio::null(),
            Self::File(path) => OpenOptions::new().create(true).append(true).open(path)?.into(),
            Self::Lines(_) => Stdio::piped(),
        })
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Lines(_) => f.write_str("Lines"),
        }
    }
}

/// One line that a process printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// The process.
    pub pid: u32,
    /// Where it printed.
    pub stream: OutputStream,
    /// The line without its end; what is not UTF-8 is replaced.
    pub text: String,
}

/// An output of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Reads until nobody can write any more, and hands each line to `take`.
pub(crate) async fn read_lines(mut pipe: impl AsyncRead + Unpin, mut take: impl FnMut(String)) {
    let mut lines = Lines::new(LINE_LIMIT_BYTES);
    let mut chunk = vec![0; CHUNK_BYTES];
    // A pipe that cannot be read has ended like one that nobody writes to.
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        lines.push(&chunk[..read], &mut take);
    }
    lines.finish(&mut take);
}

/// Cuts bytes into lines of a bounded length.
struct Lines {
    partial: Vec<u8>,
    limit_bytes: usize,
}

impl Lines {
    fn new(limit_bytes: usize) -> Self {
        Self { partial: Vec::new(), limit_bytes }
    }

    fn push(&mut self, bytes: &[u8], take: &mut impl FnMut(String)) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (line, ended) = piece.strip_suffix(b"\n").map_or((piece, false), |line| (line, true));
            self.partial.extend_from_slice(line);
            while self.partial.len() > self.limit_bytes {
                let rest = self.partial.split_off(self.limit_bytes);
                self.emit(take);
                self.partial = rest;
            }
            if ended {
                self.emit(take);
            }
        }
    }

    fn finish(&mut self, take: &mut impl FnMut(String)) {
        if !self.partial.is_empty() {
            self.emit(take);
        }
    }

    fn emit(&mut self, take: &mut impl FnMut(String)) {
        let line = self.partial.strip_suffix(b"\r").unwrap_or(&self.partial);
        take(String::from_utf8_lossy(line).into_owned());
        self.partial.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(chunks: &[&str], expect: &[&str]) {
        let mut got = Vec::new();
        let mut take = |line| got.push(line);
        let mut lines = Lines::new(4);
        for chunk in chunks {
            lines.push(chunk.as_bytes(), &mut take);
        }
        lines.finish(&mut take);
        assert_eq!(got, expect);
    }

    #[test]
    fn lines_arrive_whole_whatever_the_chunks() {
        check(&["ab\ncd\n"], &["ab", "cd"]);
        check(&["a", "b\nc", "d"], &["ab", "cd"]);
        check(&["ab\r\n", "\n"], &["ab", ""]);
        check(&[], &[]);
    }

    #[test]
    fn a_long_line_arrives_in_pieces() {
        check(&["abcdefghij\nk"], &["abcd", "efgh", "ij", "k"]);
        check(&["abcd\n"], &["abcd"]);
    }
}
