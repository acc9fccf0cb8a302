//! One execution environment: a process, its Runtime API, and the task that waits for its end.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use axum::serve::ListenerExt;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{oneshot, watch},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use crate::{
    FunctionConfig, Log, OutputLine, OutputStream,
    exit_reason::exit_reason,
    invocation::Invocation,
    output::read_lines,
    process_group::{EndOnDrop, ProcessGroup},
    runtime_api::{RuntimeApi, routes},
    session::{Reply, Session, Started},
    variables::{INHERITED, log_stream_name, variables},
};

/// How long the last output of a killed process is waited for: only a process that left the group can keep a pipe open.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// How long a SIGKILL may take: the kernel may be busy taking down a large process.
const KILL_BOUND: Duration = Duration::from_secs(5);

/// The part of an environment that others may look at and stop while an invocation owns the rest.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) group: Arc<ProcessGroup>,
    pub(crate) api: Arc<RuntimeApi>,
    exit: watch::Receiver<Option<Arc<str>>>,
}

impl Member {
    /// Waits until the process was reaped and its port freed: why it ended.
    pub(crate) async fn exited(&self) -> Arc<str> {
        let mut exit = self.exit.clone();
        let reason = exit.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_else(|| "Runtime was abandoned by its host".into())
    }

    /// Kills the process and its children, and waits until they are gone.
    pub(crate) async fn kill(&self) {
        self.api.change(Session::close);
        self.group.kill();
        if timeout(KILL_BOUND, self.exited()).await.is_err() {
            tracing::warn!(pid = self.group.pid(), "process outlives its SIGKILL");
        }
    }
}

/// An environment, owned by the pool while it is idle and by an invocation while it runs. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) member: Arc<Member>,
    started: oneshot::Receiver<Started>,
}

/// How an invocation ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Replied(Reply),
    Exited(Arc<str>),
    /// The process ended before it fetched the event: another may have it.
    NeverFetched,
    TimedOut,
}

/// Why a process is not ready.
#[derive(Debug)]
pub(crate) enum InitFailure {
    Posted { header_type: Option<String>, body: bytes::Bytes },
    Exited(Arc<str>),
    TimedOut,
}

impl Environment {
    /// Starts a process. `on_exit` runs after it was reaped.
    pub(crate) async fn start(config: &FunctionConfig, on_exit: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut child = command(config, listener.local_addr()?)?.spawn()?;
        let group = child.id().and_then(ProcessGroup::of_leader).ok_or(io::ErrorKind::NotFound)?;
        let group = Arc::new(group);

        let (started_sender, started) = oneshot::channel();
        let api = Arc::new(RuntimeApi::new(Session::new(started_sender)));
        let (exit_sender, exit) = watch::channel(None);
        let readers = read_output(&mut child, group.pid(), &config.log);
        let end = EndOnDrop(Arc::clone(&group));
        tokio::spawn(supervise(child, end, listener, Arc::clone(&api), readers, exit_sender, on_exit));
        Ok(Self { member: Arc::new(Member { group, api, exit }), started })
    }

    /// Waits until a new process asks for work.
    pub(crate) async fn ready(&mut self, bound: Duration) -> Result<(), InitFailure> {
        match timeout(bound, &mut self.started).await {
            Ok(Ok(Started::Ready)) => Ok(()),
            Ok(Ok(Started::Failed { header_type, body })) => Err(InitFailure::Posted { header_type, body }),
            // The session was closed, so the process has ended.
            Ok(Err(_)) => Err(InitFailure::Exited(self.member.exited().await)),
            Err(_) => Err(InitFailure::TimedOut),
        }
    }

    /// Runs one invocation. After anything but a reply, the process is gone.
    pub(crate) async fn run(&mut self, invocation: Invocation, bound: Duration) -> Ended {
        let member = &self.member;
        let (reply_sender, reply) = oneshot::channel();
        member.api.change(|session| session.offer(invocation, reply_sender));
        let ended = async {
            match reply.await {
                Ok(reply) => Ended::Replied(reply),
                // The session dropped its end: it is closed, because the process has ended.
                Err(_) => {
                    let reason = member.exited().await;
                    if member.api.session().was_unfetched() { Ended::NeverFetched } else { Ended::Exited(reason) }
                }
            }
        };
        match timeout(bound, ended).await {
            Ok(ended) => ended,
            Err(_) => {
                member.kill().await;
                Ended::TimedOut
            }
        }
    }

    /// Whether the process can take an invocation.
    pub(crate) fn is_alive(&self) -> bool {
        self.member.group.is_alive()
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.member.group.kill();
    }
}

fn command(config: &FunctionConfig, runtime_api: SocketAddr) -> io::Result<Command> {
    // The working directory changes, so a relative path would mean another file.
    let program = std::path::absolute(&config.program)?;
    let task_root = program.parent().unwrap_or(Path::new("/"));
    let log_stream = log_stream_name(jiff::Timestamp::now(), Uuid::new_v4());
    let inherited = INHERITED.iter().filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)));
    let variables = variables(config, inherited, runtime_api, task_root, &log_stream);

    let mut command = Command::new(&program);
    command
        .args(&config.arguments)
        .current_dir(task_root)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(config.log.stdio()?)
        .stderr(config.log.stdio()?)
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

fn read_output(child: &mut Child, pid: u32, log: &Log) -> JoinSet<()> {
    let mut readers = JoinSet::new();
    let Log::Lines(take) = log else { return readers };
    let to = |stream| {
        let take = Arc::clone(take);
        move |text| take(OutputLine { pid, stream, text })
    };
    if let Some(pipe) = child.stdout.take() {
        readers.spawn(read_lines(pipe, to(OutputStream::Stdout)));
    }
    if let Some(pipe) = child.stderr.take() {
        readers.spawn(read_lines(pipe, to(OutputStream::Stderr)));
    }
    readers
}

/// Serves the Runtime API until the process ends, and then cleans up behind it. What waits for the exit finds everything
/// done: children killed, port free, output delivered.
async fn supervise(
    mut child: Child,
    end: EndOnDrop,
    listener: TcpListener,
    api: Arc<RuntimeApi>,
    mut readers: JoinSet<()>,
    exit: watch::Sender<Option<Arc<str>>>,
    on_exit: impl FnOnce(),
) {
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let status = {
        let server = axum::serve(listener, routes(Arc::clone(&api))).into_future();
        tokio::select! {
            status = child.wait() => status,
            _ = server => child.wait().await,
        }
    };
    drop(end);
    let _ = timeout(LAST_OUTPUT, async { while readers.join_next().await.is_some() {} }).await;
    readers.abort_all();
    let reason: Arc<str> = exit_reason(&status).into();
    tracing::debug!(pid = child.id(), %reason, "environment ended");
    api.change(Session::close);
    exit.send_replace(Some(reason));
    on_exit();
}
