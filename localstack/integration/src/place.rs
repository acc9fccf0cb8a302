//! Where each service of a run is, and what that rules out.

use crate::kind::address_of;
use crate::{Kind, Target};
use anyhow::ensure;
use aws_edge::Service;
use std::collections::BTreeMap;

/// One service of the run.
#[derive(Debug)]
pub(crate) struct Place {
    pub kind: Kind,
    /// `None` on AWS, and where there is none.
    pub url: Option<String>,
    /// Why it does not answer, if it does not.
    pub silence: Option<String>,
}

/// All of them.
pub(crate) type Places = BTreeMap<Service, Place>;

impl Place {
    fn description(&self) -> String {
        match &self.url {
            Some(url) => format!("{} at {url}", self.kind.name()),
            None => self.kind.name().to_owned(),
        }
    }
}

/// Why Lambda cannot see what a test needs, if it cannot. A mapping polls the streams and queues of its own endpoint: what
/// its functions are told of other places does not move it.
pub(crate) fn out_of_reach(places: &Places, services: &[Service]) -> Option<String> {
    let lambda = places.get(&Service::Lambda).filter(|_| services.contains(&Service::Lambda))?;
    let elsewhere = |service: &&Service| places.get(service).is_some_and(|place| !is_one_place(place, lambda));
    let service = services.iter().find(elsewhere)?;
    let other = places.get(service)?;
    Some(format!("the Lambda of {} does not see {} of {}", lambda.description(), service.name(), other.description()))
}

fn is_one_place(one: &Place, other: &Place) -> bool {
    one.url.as_deref().map(host_and_port) == other.url.as_deref().map(host_and_port)
}

/// Where a URL leads, with one name for all that lead to this machine. Nothing is resolved: LocalStack's name does so by
/// its definition.
fn host_and_port(url: &str) -> String {
    const OF_THIS_MACHINE: [&str; 2] = ["localhost", "localhost.localstack.cloud"];
    let address = address_of(url).to_lowercase();
    let (host, port) = address.rsplit_once(':').unwrap_or((&address, ""));
    let is_named = |name: &str| host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let is_here = OF_THIS_MACHINE.into_iter().any(is_named) || ip.is_ok_and(|ip| ip.is_loopback());
    format!("{}:{port}", if is_here { OF_THIS_MACHINE[0] } else { host })
}

/// A run whose services are all silent would skip everything, and look like one that found nothing wrong.
pub(crate) fn ensure_one_answers(target: &Target, places: &Places) -> anyhow::Result<()> {
    let named = |service: Service| match target {
        Target::Embedded => false,
        Target::StandIns(endpoints) => endpoints.of(service).is_some(),
        Target::Aws(_) => true,
    };
    let mut asked = places.iter().filter(|(service, _)| named(**service)).map(|(_, place)| &place.silence).peekable();
    let Some(Some(first)) = asked.peek() else { return Ok(()) };
    let first = first.clone();
    ensure!(asked.any(Option::is_none), "none of the services that variables name answers: {first}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [Service; 3] = [Service::Kinesis, Service::Sqs, Service::Lambda];

    fn place(kind: Kind, url: &str) -> Place {
        Place { kind, url: Some(url.to_owned()), silence: None }
    }

    /// LocalStack for all services, and Kinesis at another place.
    fn with_kinesis(kinesis: Place) -> Places {
        let local_stack = || place(Kind::LocalStack, "http://127.0.0.1:4566");
        let mut places: Places = Service::ALL.into_iter().map(|service| (service, local_stack())).collect();
        places.insert(Service::Kinesis, kinesis);
        places
    }

    #[test]
    fn a_lambda_is_not_asked_for_what_is_at_another_place() {
        let places = with_kinesis(place(Kind::Unknown, "http://127.0.0.1:4568"));
        let reason = out_of_reach(&places, &NEEDED).unwrap();
        let expected = "the Lambda of LocalStack at http://127.0.0.1:4566 does not see Kinesis of \
                        an endpoint of no known kind at http://127.0.0.1:4568";
        assert_eq!(reason, expected);
        assert_eq!(out_of_reach(&places, &[Service::Sqs, Service::Lambda]), None, "no Kinesis is needed");
        assert_eq!(out_of_reach(&places, &[Service::Kinesis, Service::Sqs]), None, "no Lambda is needed");
    }

    #[test]
    fn a_lambda_does_not_see_the_emulator_in_this_process() {
        let places = with_kinesis(place(Kind::Embedded, "http://127.0.0.1:40001"));
        assert!(out_of_reach(&places, &NEEDED).unwrap().ends_with("the embedded emulator at http://127.0.0.1:40001"));
    }

    #[test]
    fn one_place_may_have_several_names() {
        for (kinesis, sees) in [
            ("http://127.0.0.1:4566/", true),
            ("http://localhost:4566", true),
            ("https://LOCALHOST.localstack.cloud:4566", true),
            ("http://kinesis.us-east-1.localhost.localstack.cloud:4566", true),
            ("http://[::1]:4566", true),
            ("http://localhost", false),
            ("http://notlocalhost:4566", false),
            ("http://localhost.example.com:4566", false),
            ("http://10.0.0.1:4566", false),
        ] {
            let places = with_kinesis(place(Kind::LocalStack, kinesis));
            assert_eq!(out_of_reach(&places, &NEEDED).is_none(), sees, "{kinesis}");
        }
    }

    #[test]
    fn aws_is_one_place_and_an_endpoint_is_another() {
        let aws = || Place { kind: Kind::Aws, url: None, silence: None };
        let mut places: Places = Service::ALL.into_iter().map(|service| (service, aws())).collect();
        assert_eq!(out_of_reach(&places, &NEEDED), None);
        places.insert(Service::Sqs, place(Kind::Ministack, "http://127.0.0.1:4566"));
        let reason = out_of_reach(&places, &NEEDED).unwrap();
        assert_eq!(reason, "the Lambda of AWS does not see SQS of ministack at http://127.0.0.1:4566");
    }
}
