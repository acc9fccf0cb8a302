//! A function: invocations in, results out, environments in between.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use axum::http::HeaderValue;
use bytes::Bytes;
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    EnvironmentState, EnvironmentStatus, FunctionConfig, FunctionError, FunctionErrorKind, InvocationResult,
    InvokeError, InvokeOptions, Outcome,
    environment::{Ended, Environment, InitFailure},
    invocation::{Invocation, header},
    outcome::PAYLOAD_LIMIT_BYTES,
    pool::{Full, Pool},
    session::Reply,
};

/// How long a process may take to end by itself after SIGTERM.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

/// A function and its environments. Clones are handles on the same function; the last one to go kills every process.
#[derive(Clone, Debug)]
pub struct Function {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: FunctionConfig,
    arn: HeaderValue,
    pool: Mutex<Pool>,
}

impl Function {
    /// A function without environments: the first invocation starts one.
    pub fn new(config: FunctionConfig) -> Self {
        // An ARN with a line break in it is no ARN, and no runtime depends on the header.
        let arn = header(&config.arn()).unwrap_or(HeaderValue::from_static(""));
        Self { shared: Arc::new(Shared { config, arn, pool: Mutex::default() }) }
    }

    /// How the function is run.
    pub fn config(&self) -> &FunctionConfig {
        &self.shared.config
    }

    /// Invokes the function and waits for its result. An error means that the function never saw the event.
    ///
    /// Dropping the future ends the invocation and kills its environment.
    pub async fn invoke(&self, payload: impl Into<Bytes>) -> Result<InvocationResult, InvokeError> {
        self.invoke_with(payload, InvokeOptions::default()).await
    }

    /// Invokes the function with a client context or a Cognito identity.
    pub async fn invoke_with(
        &self,
        payload: impl Into<Bytes>,
        options: InvokeOptions,
    ) -> Result<InvocationResult, InvokeError> {
        let shared = &self.shared;
        let payload = payload.into();
        if payload.len() > PAYLOAD_LIMIT_BYTES {
            let function = shared.config.name.clone();
            return Err(InvokeError::RequestTooLarge { function, payload_bytes: payload.len() });
        }
        let _slot = Slot::take(shared)?;
        let request_id = Uuid::new_v4();

        while let Some(mut environment) = shared.take_warm() {
            match shared.run(&mut environment, request_id, payload.clone(), options.clone()).await {
                // It died between the look at it and the event: nothing is lost, the next one gets it.
                (Ended::NeverFetched, _) => {}
                (ended, duration) => return Ok(shared.settle(environment, request_id, ended, duration, None)),
            }
        }

        let mut environment = shared.start().await?;
        let started = Instant::now();
        if let Err(failure) = environment.ready(shared.config.init_timeout).await {
            environment.member.kill().await;
            return Ok(InvocationResult {
                request_id: request_id.to_string(),
                outcome: Outcome::FunctionError(init_error(failure, request_id, shared.config.init_timeout)),
                duration: Duration::ZERO,
                init_duration: Some(started.elapsed()),
                pid: environment.member.group.pid(),
            });
        }
        let init_duration = Some(started.elapsed());
        let (ended, duration) = shared.run(&mut environment, request_id, payload, options).await;
        Ok(shared.settle(environment, request_id, ended, duration, init_duration))
    }

    /// The processes of all environments, idle ones included.
    pub fn pids(&self) -> Vec<u32> {
        self.environments().into_iter().map(|environment| environment.pid).collect()
    }

    /// All environments and what they do.
    pub fn environments(&self) -> Vec<EnvironmentStatus> {
        self.shared.pool().statuses()
    }

    /// The environments that have an event in hand.
    pub fn running(&self) -> Vec<EnvironmentStatus> {
        let mut environments = self.environments();
        environments.retain(|environment| matches!(environment.state, EnvironmentState::Running { .. }));
        environments
    }

    /// Ends all environments, with SIGTERM and then with SIGKILL, and waits until their processes and ports are gone.
    ///
    /// An invocation in flight ends with `Runtime.ExitError`, and a later one with [`InvokeError::ShutDown`].
    pub async fn shutdown(&self) {
        let (idle, members) = self.shared.pool().close();
        for member in &members {
            member.group.terminate();
        }
        let all_exited = async {
            for member in &members {
                member.exited().await;
            }
        };
        if timeout(SHUTDOWN_GRACE, all_exited).await.is_err() {
            for member in &members {
                member.group.kill();
            }
            for member in &members {
                member.kill().await;
            }
        }
        drop(idle);
    }
}

impl Shared {
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_warm(&self) -> Option<Environment> {
        loop {
            let environment = self.pool().take()?;
            if environment.is_alive() {
                return Some(environment);
            }
        }
    }

    async fn start(self: &Arc<Self>) -> Result<Environment, InvokeError> {
        let weak = Arc::downgrade(self);
        let on_exit = move || {
            // Dead environments are dropped outside of the lock.
            let _dead = weak.upgrade().map(|shared| shared.pool().prune());
        };
        let environment = Environment::start(&self.config, on_exit)
            .await
            .map_err(|source| InvokeError::Start { program: self.config.program.clone(), source })?;
        self.pool().enter(&environment.member).map_err(|full| self.refusal(full))?;
        Ok(environment)
    }

    /// Hands the event over. The clock starts here: the start of a process has a bound of its own.
    async fn run(
        &self,
        environment: &mut Environment,
        request_id: Uuid,
        payload: Bytes,
        options: InvokeOptions,
    ) -> (Ended, Duration) {
        let (started, now) = (Instant::now(), SystemTime::now());
        let deadline = now + self.config.timeout;
        let invocation = Invocation::new(request_id, &self.arn, payload, options, now, deadline);
        let ended = environment.run(invocation, self.config.timeout).await;
        (ended, started.elapsed())
    }

    /// Keeps the environment if it can be used again, and words the result.
    fn settle(
        &self,
        environment: Environment,
        request_id: Uuid,
        ended: Ended,
        duration: Duration,
        init_duration: Option<Duration>,
    ) -> InvocationResult {
        let pid = environment.member.group.pid();
        if matches!(ended, Ended::Replied(_)) {
            let _unneeded = self.pool().give_back(environment);
        }
        let request_id = request_id.to_string();
        let outcome = outcome(ended, &request_id, self.config.timeout);
        InvocationResult { request_id, outcome, duration, init_duration, pid }
    }

    fn refusal(&self, full: Full) -> InvokeError {
        let function = self.config.name.clone();
        match full {
            Full::Throttled => {
                InvokeError::TooManyRequests { function, maximum_concurrency: self.config.maximum_concurrency }
            }
            Full::Closed => InvokeError::ShutDown { function },
        }
    }
}

/// The right to run one invocation.
struct Slot<'a>(&'a Shared);

impl<'a> Slot<'a> {
    fn take(shared: &'a Shared) -> Result<Self, InvokeError> {
        let begun = shared.pool().begin(shared.config.maximum_concurrency);
        begun.map(|()| Self(shared)).map_err(|full| shared.refusal(full))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.pool().end();
    }
}

fn outcome(ended: Ended, request_id: &str, bound: Duration) -> Outcome {
    Outcome::FunctionError(match ended {
        Ended::Replied(Reply::Response(body)) => return Outcome::Response(body),
        Ended::Replied(Reply::Error { header_type, body }) => {
            FunctionError::posted(FunctionErrorKind::Posted, header_type.as_deref(), body)
        }
        Ended::Replied(Reply::TooLarge { response_bytes }) => FunctionError::response_too_large(response_bytes),
        Ended::Exited(reason) => FunctionError::exited(FunctionErrorKind::Exited, request_id, &reason),
        Ended::NeverFetched => {
            FunctionError::exited(FunctionErrorKind::Exited, request_id, "Runtime exited without fetching the event")
        }
        Ended::TimedOut => FunctionError::timed_out(FunctionErrorKind::TimedOut, request_id, bound),
    })
}

fn init_error(failure: InitFailure, request_id: Uuid, bound: Duration) -> FunctionError {
    let request_id = request_id.to_string();
    match failure {
        InitFailure::Posted { header_type, body } => {
            FunctionError::posted(FunctionErrorKind::Init, header_type.as_deref(), body)
        }
        InitFailure::Exited(reason) => FunctionError::exited(FunctionErrorKind::Init, &request_id, &reason),
        InitFailure::TimedOut => FunctionError::timed_out(FunctionErrorKind::Init, &request_id, bound),
    }
}
