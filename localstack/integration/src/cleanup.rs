//! What was made, and its removal.

use anyhow::ensure;
use aws_edge::provision::{delete_bucket, delete_function, delete_kinesis_stream, delete_queue, delete_table};
use aws_edge::{CallError, Clients};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the removal of one thing is tried that is busy: on AWS, up to a minute after it was made.
const ATTEMPTS_MAX: u32 = 12;

/// What services say of a thing that is still being made or changed, or of too many calls.
const BUSY: [&str; 4] =
    ["ResourceInUseException", "ResourceConflictException", "LimitExceededException", "TooManyRequestsException"];
const PAUSE: Duration = Duration::from_secs(5);

/// Something that was made, by what it is removed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A Kinesis stream's name.
    Stream(String),
    /// A table's name.
    Table(String),
    /// A queue's name.
    Queue(String),
    /// A bucket's name.
    Bucket(String),
    /// The name of a function. The mappings in front of it go with it.
    Function(String),
}

/// What will have to be removed.
#[derive(Debug, Default)]
pub struct Cleanup {
    made: Mutex<Made>,
    removal: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Made {
    resources: Vec<Resource>,
    is_closed: bool,
}

impl Cleanup {
    /// Takes note of something that is about to be made: half made, it has to go as well.
    ///
    /// # Errors
    ///
    /// When the removal has begun: what is made from then on would stay.
    pub fn expect(&self, resource: Resource) -> anyhow::Result<()> {
        let mut made = self.made();
        ensure!(!made.is_closed, "{resource} is not made any more: what was made is being removed");
        made.resources.push(resource);
        Ok(())
    }

    /// Lets nothing be made from now on, removes everything, what came last first, and returns what could not be removed.
    /// Whoever comes second waits for the first: the process must not end before.
    pub async fn run(&self, clients: &Clients) -> Vec<String> {
        self.made().is_closed = true;
        let _alone = self.removal.lock().await;
        let mut left = Vec::new();
        loop {
            let next = self.made().resources.pop();
            let Some(resource) = next else { return left };
            if let Err(error) = remove(clients, &resource).await {
                left.push(format!("{resource}: {error:#}"));
            }
        }
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Stream(name) => ("kinesis stream", name),
            Self::Table(name) => ("table", name),
            Self::Queue(name) => ("queue", name),
            Self::Bucket(name) => ("bucket", name),
            Self::Function(name) => ("function", name),
        };
        write!(f, "{kind} `{name}`")
    }
}

async fn remove(clients: &Clients, resource: &Resource) -> anyhow::Result<()> {
    let mut attempt = 1;
    loop {
        match remove_once(clients, resource).await {
            Err(error) if is_busy(&error) && attempt < ATTEMPTS_MAX => tokio::time::sleep(PAUSE).await,
            ended => return ended,
        }
        attempt += 1;
    }
}

fn is_busy(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<CallError>().and_then(CallError::code);
    code.is_some_and(|code| BUSY.contains(&code))
}

async fn remove_once(clients: &Clients, resource: &Resource) -> anyhow::Result<()> {
    match resource {
        Resource::Stream(name) => delete_kinesis_stream(clients, name).await?,
        Resource::Table(name) => delete_table(clients, name).await?,
        Resource::Queue(name) => delete_queue(clients, name).await?,
        Resource::Bucket(name) => delete_bucket(clients, name).await?,
        Resource::Function(name) => delete_function(clients, name).await?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_made_once_the_removal_has_begun() {
        let cleanup = Cleanup::default();
        let nowhere = Clients::of_stand_ins(|_| None, "us-east-1", ("test", "test"));
        assert!(cleanup.run(&nowhere).await.is_empty());
        let error = cleanup.expect(Resource::Queue("late".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), "queue `late` is not made any more: what was made is being removed");
        assert!(cleanup.made().resources.is_empty());
    }

    #[tokio::test]
    async fn a_removal_ends_for_nobody_before_all_is_removed() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let clients = Clients::of_stand_ins(|_| Some(url.clone()), "us-east-1", ("test", "test"));
        let cleanup = Cleanup::default();
        cleanup.expect(Resource::Queue("slow".to_owned())).unwrap();
        let either = async {
            tokio::select! {
                left = cleanup.run(&clients) => left,
                left = cleanup.run(&clients) => left,
            }
        };
        assert!(tokio::time::timeout(Duration::from_millis(200), either).await.is_err());
    }
}
