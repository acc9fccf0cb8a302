//! The services that a run has, and what it makes in them.

use crate::place::{Place, Places, ensure_one_answers, out_of_reach};
use crate::table_stream::readable;
use crate::{Behaviour, Cleanup, Endpoints, Kind, OnAws, OneAttempt, Resource, Target, executable};
use anyhow::Context;
use aws_edge::provision::{
    Queue, QueueSettings, create_bucket, create_kinesis_stream, create_queue, create_table, probe, tag_bucket,
    tag_kinesis_stream, tag_queue, tag_table,
};
use aws_edge::{CallError, Clients, Service};
use emulator::Emulator;
use pipeline::{Binaries, Names, Site, Stack, StackConfig};
use records::StreamArn;
use std::path::{Path, PathBuf};

/// What every name begins with. A random part follows, so that runs do not meet.
const PREFIX: &str = "stream-recovery-it";

/// Every resource has this tag, where the service takes tags.
const TAG: (&str, &str) = ("created-by", "stream-recovery-integration-tests");

/// Nobody listens there: a function that asks a service which the run does not have fails, and does not ask AWS.
const NO_ENDPOINT: &str = "http://127.0.0.1:0";

/// A stand-in has no bound on reads, and no test should wait for one.
const READS_PER_SECOND: &str = "1000";

/// Runs also what a stand-in is known not to do: to see whether it still does not.
const NO_EXCUSES: &str = "INTEGRATION_NO_EXCUSES";

/// The account that stand-ins use unless told otherwise.
const ACCOUNT: &str = "000000000000";

/// The attribute that is the key of a table here.
pub(crate) const TABLE_KEY: &str = "order_id";

/// A run: its services, and what it has made in them.
#[derive(Debug)]
pub struct World {
    /// Clients, and how a function on this machine finds the services.
    pub site: Site,
    /// Where it runs.
    pub target: Target,
    /// What was made so far.
    pub cleanup: Cleanup,
    prefix: String,
    emulator: Option<Emulator>,
    places: Places,
    /// `INTEGRATION_BINARIES`.
    built_elsewhere: Option<PathBuf>,
    binaries: OneAttempt<Binaries>,
}

impl World {
    /// Finds out where to run, and asks each service whether it answers.
    ///
    /// # Errors
    ///
    /// When variables say too little or name what is not there, or the emulator does not start.
    pub async fn open() -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        let target = Target::decide(variable)?;
        let built_elsewhere = executable::built_elsewhere()?;
        let (emulator, site, mut places) = match &target {
            Target::Aws(aws) => (None, on_aws(aws).await, aws_places()),
            Target::Embedded => stand_ins(&Endpoints::default()).await?,
            Target::StandIns(endpoints) => stand_ins(endpoints).await?,
        };
        for (service, place) in &mut places {
            place.silence = match (&place.kind, &place.url) {
                (Kind::Embedded, None) => Some("the embedded emulator has none".to_owned()),
                (Kind::Embedded, Some(_)) => None,
                _ => {
                    probe(&site.clients, *service).await.err().map(|error| format!("{:#}", anyhow::Error::from(error)))
                }
            };
        }
        ensure_one_answers(&target, &places)?;
        let random = uuid::Uuid::new_v4().simple().to_string();
        let prefix = format!("{PREFIX}-{}", random.get(..8).unwrap_or(&random));
        let cleanup = Cleanup::default();
        Ok(Self { site, target, cleanup, prefix, emulator, places, built_elsewhere, binaries: OneAttempt::new() })
    }

    /// What the run runs on, a line for each service.
    #[must_use]
    pub fn description(&self) -> String {
        let line = |(service, place): (&Service, &Place)| {
            let url = place.url.as_deref().map(|url| format!(" at {url}")).unwrap_or_default();
            let silence = place.silence.as_deref().map(|why| format!(", not there: {why}")).unwrap_or_default();
            format!("{:<17}{}{url}{silence}\n", service.name(), place.kind.name())
        };
        self.places.iter().map(line).collect()
    }

    /// Why a test cannot run here, if it cannot.
    #[must_use]
    pub fn reason_to_skip(&self, services: &[Service], behaviours: &[(Service, Behaviour)]) -> Option<String> {
        let silent = services.iter().find_map(|service| {
            let why = self.places.get(service)?.silence.as_deref()?;
            Some(format!("{} is not there: {why}", service.name()))
        });
        silent.or_else(|| out_of_reach(&self.places, services)).or_else(|| {
            if std::env::var_os(NO_EXCUSES).is_some() {
                return None;
            }
            let mut excuses =
                behaviours.iter().filter_map(|(service, behaviour)| behaviour.excuse(self.kind(*service)));
            excuses.next().map(str::to_owned)
        })
    }

    /// What a service is.
    #[must_use]
    pub fn kind(&self, service: Service) -> Kind {
        self.places.get(&service).map_or(Kind::Unknown, |place| place.kind)
    }

    /// Where a service is, unless it is AWS's or is not there.
    #[must_use]
    pub fn url(&self, service: Service) -> Option<&str> {
        self.places.get(&service)?.url.as_deref()
    }

    /// The emulator, where it has all of the streams.
    #[must_use]
    pub fn emulator_of_kinesis(&self) -> Option<&Emulator> {
        self.emulator.as_ref().filter(|_| self.kind(Service::Kinesis) == Kind::Embedded)
    }

    /// Clients of the services.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.site.clients
    }

    /// A name of this run.
    #[must_use]
    pub fn name(&self, of: &str) -> String {
        format!("{}-{of}", self.prefix)
    }

    /// The tags of all that the run makes.
    #[must_use]
    pub fn tags(&self) -> Vec<(String, String)> {
        vec![(TAG.0.to_owned(), TAG.1.to_owned()), ("run".to_owned(), self.prefix.clone())]
    }

    /// The role of deployed functions.
    #[must_use]
    pub fn role_arn(&self) -> String {
        match &self.target {
            Target::Aws(aws) => aws.role_arn.clone(),
            _ => format!("arn:aws:iam::{ACCOUNT}:role/{PREFIX}"),
        }
    }

    /// Builds the functions, unless those that were built elsewhere are all that a test of these services runs.
    ///
    /// # Errors
    ///
    /// When they do not build.
    pub async fn prepare(&self, services: &[Service]) -> anyhow::Result<()> {
        if needs_build(services, self.built_elsewhere.is_some()) {
            self.binaries().await?;
        }
        Ok(())
    }

    /// Where the functions to deploy are, if they were built elsewhere.
    #[must_use]
    pub fn built_elsewhere(&self) -> Option<&Path> {
        self.built_elsewhere.as_deref()
    }

    /// The functions for this machine, built by whoever comes first.
    ///
    /// # Errors
    ///
    /// When they do not build.
    pub async fn binaries(&self) -> anyhow::Result<&Binaries> {
        self.binaries.get(Binaries::build).await
    }

    /// Makes a Kinesis stream.
    ///
    /// # Errors
    ///
    /// When Kinesis refuses.
    pub async fn stream(&self, of: &str, shards: u16) -> anyhow::Result<StreamArn> {
        let name = self.name(of);
        self.cleanup.expect(Resource::Stream(name.clone()))?;
        let stream = create_kinesis_stream(self.clients(), &name, shards).await?;
        self.tagged(tag_kinesis_stream(self.clients(), &name, &self.tags()).await)?;
        Ok(stream)
    }

    /// Makes a table with a stream: its name, and the stream.
    ///
    /// # Errors
    ///
    /// When DynamoDB refuses.
    pub async fn table(&self, of: &str) -> anyhow::Result<(String, StreamArn)> {
        let name = self.name(of);
        self.cleanup.expect(Resource::Table(name.clone()))?;
        let stream = create_table(self.clients(), &name, TABLE_KEY).await?;
        self.tagged(tag_table(self.clients(), &stream, &self.tags()).await)?;
        readable(self.clients(), &stream).await?;
        Ok((name, stream))
    }

    /// Makes a queue.
    ///
    /// # Errors
    ///
    /// When SQS refuses.
    pub async fn queue(&self, of: &str, settings: &QueueSettings) -> anyhow::Result<Queue> {
        let name = self.name(of);
        self.cleanup.expect(Resource::Queue(name.clone()))?;
        let queue = create_queue(self.clients(), &name, settings).await?;
        self.tagged(tag_queue(self.clients(), &queue.url, &self.tags()).await)?;
        Ok(queue)
    }

    /// Makes a bucket, and returns its name.
    ///
    /// # Errors
    ///
    /// When S3 refuses.
    pub async fn bucket(&self, of: &str) -> anyhow::Result<String> {
        let name = self.name(of);
        self.cleanup.expect(Resource::Bucket(name.clone()))?;
        create_bucket(self.clients(), &name).await?;
        self.tagged(tag_bucket(self.clients(), &name, &self.tags()).await)?;
        Ok(name)
    }

    /// Makes all that the pipeline needs, with functions on this machine and the project's model of the mappings.
    ///
    /// # Errors
    ///
    /// When a service refuses.
    pub async fn stack(&self, of: &str) -> anyhow::Result<Stack> {
        let names = Names::with_prefix(&self.name(of));
        self.cleanup.expect(Resource::Stream(names.stream.clone()))?;
        self.cleanup.expect(Resource::Table(names.table.clone()))?;
        self.cleanup.expect(Resource::Bucket(names.claim_checks.clone()))?;
        for queue in [&names.on_failure, &names.hydrator_dead_letters, &names.recovered] {
            self.cleanup.expect(Resource::Queue(queue.clone()))?;
        }
        let config = StackConfig::new(self.binaries().await?.clone());
        let stack = Stack::on(self.site.clone(), names, config).await.context("failed to set up the pipeline")?;
        let (clients, tags) = (self.clients(), self.tags());
        self.tagged(tag_kinesis_stream(clients, &stack.names.stream, &tags).await)?;
        self.tagged(tag_table(clients, &stack.table_stream, &tags).await)?;
        readable(clients, &stack.table_stream).await?;
        self.tagged(tag_bucket(clients, &stack.names.claim_checks, &tags).await)?;
        for queue in [&stack.queues.on_failure, &stack.queues.hydrator_dead_letters, &stack.queues.recovered] {
            self.tagged(tag_queue(clients, &queue.url, &tags).await)?;
        }
        Ok(stack)
    }

    /// Removes what was made, and returns the names of what could not be removed.
    pub async fn close(&self) -> Vec<String> {
        self.cleanup.run(self.clients()).await
    }

    /// On AWS nothing stays without its tags. A stand-in may know none: what is there is gone with it.
    fn tagged(&self, tagged: Result<(), CallError>) -> anyhow::Result<()> {
        match (&self.target, tagged) {
            (Target::Aws(_), Err(error)) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Where there is a Lambda, nothing runs on this machine.
fn needs_build(services: &[Service], are_built_elsewhere: bool) -> bool {
    !(are_built_elsewhere && services.contains(&Service::Lambda))
}

async fn on_aws(aws: &OnAws) -> Site {
    let passed_on = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let passed_on = passed_on.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
    Site {
        clients: Clients::from_env().await,
        environment: [passed_on.collect(), region_and_roots(&aws.region)].concat(),
        account: aws.account.clone(),
        region: aws.region.clone(),
    }
}

fn aws_places() -> Places {
    Service::ALL.into_iter().map(|service| (service, Place { kind: Kind::Aws, url: None, silence: None })).collect()
}

async fn stand_ins(endpoints: &Endpoints) -> anyhow::Result<(Option<Emulator>, Site, Places)> {
    let emulator = if endpoints.are_complete() { None } else { Some(Emulator::start().await?) };
    let mut places = Places::new();
    for service in Service::ALL {
        let place = match endpoints.of(service) {
            Some(url) => Place { kind: Kind::at(url).await, url: Some(url.to_owned()), silence: None },
            None => Place {
                kind: Kind::Embedded,
                url: emulator.as_ref().and_then(|emulator| embedded_url(emulator, service)),
                silence: None,
            },
        };
        places.insert(service, place);
    }
    let url = |service| places.get(&service).and_then(|place: &Place| place.url.clone());
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // The emulator wants its own region, and a secret that is the same as its key.
    let named = |name: &str, default: &str| match &emulator {
        None => variable(name).unwrap_or_else(|| default.to_owned()),
        Some(_) => default.to_owned(),
    };
    let region = named("AWS_REGION", &named("AWS_DEFAULT_REGION", emulator::REGION));
    let keys = (named("AWS_ACCESS_KEY_ID", "test"), named("AWS_SECRET_ACCESS_KEY", "test"));
    let mut environment = region_and_roots(&region);
    for service in Service::ALL {
        let url = url(service).unwrap_or_else(|| NO_ENDPOINT.to_owned());
        environment.push((service.endpoint_variable().to_owned(), url));
    }
    environment.push(("AWS_ACCESS_KEY_ID".to_owned(), keys.0.clone()));
    environment.push(("AWS_SECRET_ACCESS_KEY".to_owned(), keys.1.clone()));
    environment.push(("READS_PER_SECOND".to_owned(), READS_PER_SECOND.to_owned()));
    let clients = Clients::of_stand_ins(url, &region, (&keys.0, &keys.1));
    let site = Site { clients, environment, account: ACCOUNT.to_owned(), region };
    Ok((emulator, site, places))
}

fn embedded_url(emulator: &Emulator, service: Service) -> Option<String> {
    let endpoints = emulator.endpoints();
    Some(match service {
        Service::Kinesis => endpoints.kinesis.clone(),
        Service::DynamoDb | Service::DynamoDbStreams => endpoints.dynamodb.clone(),
        Service::Sqs => endpoints.sqs.clone(),
        Service::S3 => endpoints.s3.clone(),
        Service::Lambda => return None,
    })
}

/// A function on this machine trusts the roots that the tests trust.
fn region_and_roots(region: &str) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut variables = vec![pair("AWS_REGION", region), pair("AWS_DEFAULT_REGION", region)];
    if let Ok(bundle) = std::env::var("AWS_CA_BUNDLE") {
        // The function has a folder of its own.
        let path = std::path::absolute(&bundle).map_or(bundle, |path| path.to_string_lossy().into_owned());
        variables.push(pair("AWS_CA_BUNDLE", &path));
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_runs_only_for_functions_that_nobody_built() {
        let (deployed, hosted) = ([Service::Sqs, Service::Lambda], [Service::Kinesis, Service::Sqs]);
        for (services, are_built_elsewhere, needs) in
            [(&deployed, true, false), (&deployed, false, true), (&hosted, true, true), (&hosted, false, true)]
        {
            assert_eq!(needs_build(services, are_built_elsewhere), needs, "{services:?}, {are_built_elsewhere}");
        }
    }
}
