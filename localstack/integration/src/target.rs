//! Where the tests run: decided from variables alone, so that nobody meets AWS by accident.

use aws_edge::Service;
use std::collections::BTreeMap;
use thiserror::Error;

/// Has to be `yes` for AWS itself.
const ON_AWS: &str = "INTEGRATION_ON_AWS";

/// The role that deployed functions run under.
const ROLE: &str = "INTEGRATION_ROLE_ARN";

/// The endpoint of all services that have none of their own.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Where the tests run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// On the embedded emulator alone.
    Embedded,
    /// On the services that variables name; what none names is the embedded emulator's.
    StandIns(Endpoints),
    /// On AWS.
    Aws(OnAws),
}

/// URLs by service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoints(BTreeMap<Service, String>);

/// What has to be known for AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnAws {
    /// The role that deployed functions run under.
    pub role_arn: String,
    /// The account that the role is in.
    pub account: String,
    /// The region.
    pub region: String,
}

/// Variables that say where to run, and do not say enough.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TargetError {
    /// The variable is neither unset nor `yes`.
    #[error("`{ON_AWS}` is `{0}`: expected `yes`, or nothing for the embedded emulator")]
    Unclear(String),
    /// A variable is missing.
    #[error("`{ON_AWS}` is `yes`, and `{name}` is not set: expected {expected}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// The role is none.
    #[error("`{ROLE}` is `{0}`: expected the ARN of a role, `arn:aws:iam::ACCOUNT:role/NAME`")]
    Role(String),
}

impl Target {
    /// Decides. An endpoint goes first: AWS is used only where none is set, and where it was asked for.
    ///
    /// # Errors
    ///
    /// When AWS was asked for, and not all is said that it needs.
    pub fn decide(variable: impl Fn(&str) -> Option<String>) -> Result<Self, TargetError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let endpoints = Endpoints::named(variable);
        if !endpoints.0.is_empty() {
            return Ok(Self::StandIns(endpoints));
        }
        match variable(ON_AWS) {
            None => Ok(Self::Embedded),
            Some(yes) if yes == "yes" => OnAws::read(variable).map(Self::Aws),
            Some(other) => Err(TargetError::Unclear(other)),
        }
    }
}

impl Endpoints {
    fn named(variable: impl Fn(&str) -> Option<String>) -> Self {
        let all = variable(ENDPOINT);
        let url = |service: Service| variable(service.endpoint_variable()).or_else(|| all.clone());
        let urls = Service::ALL.into_iter().filter_map(|service| Some((service, url(service)?)));
        let mut urls: BTreeMap<_, _> = urls.collect();
        // A table and its stream are in one place, whichever of the two was named.
        for (one, other) in
            [(Service::DynamoDb, Service::DynamoDbStreams), (Service::DynamoDbStreams, Service::DynamoDb)]
        {
            if let Some(url) = urls.get(&one).cloned() {
                urls.entry(other).or_insert(url);
            }
        }
        Self(urls)
    }

    /// The URL of a service, if it was named.
    #[must_use]
    pub fn of(&self, service: Service) -> Option<&str> {
        self.0.get(&service).map(String::as_str)
    }

    /// Whether each service that the pipeline itself needs was named.
    #[must_use]
    pub fn are_complete(&self) -> bool {
        Service::ALL.into_iter().all(|service| service == Service::Lambda || self.0.contains_key(&service))
    }
}

impl OnAws {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, TargetError> {
        let needed = |name: &'static str, expected| variable(name).ok_or(TargetError::Missing { name, expected });
        let role_arn = needed(ROLE, "the ARN of the role that the functions run under")?;
        let parts: Vec<&str> = role_arn.split(':').collect();
        let account = match parts[..] {
            ["arn", _, "iam", "", account, role] if account.len() == 12 && role.starts_with("role/") => {
                account.to_owned()
            }
            _ => return Err(TargetError::Role(role_arn)),
        };
        let region = variable("AWS_DEFAULT_REGION").map_or_else(|| needed("AWS_REGION", "the region to run in"), Ok)?;
        let region = variable("AWS_REGION").unwrap_or(region);
        // Functions behind the local host see no profile.
        let keys = "keys, as `aws configure export-credentials --format env` prints them";
        needed("AWS_ACCESS_KEY_ID", keys)?;
        needed("AWS_SECRET_ACCESS_KEY", keys)?;
        Ok(Self { role_arn, account, region })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(variables: &[(&str, &str)]) -> Result<Target, String> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Target::decide(find).map_err(|error| error.to_string())
    }

    fn endpoints(variables: &[(&str, &str)]) -> Endpoints {
        match decide(variables) {
            Ok(Target::StandIns(endpoints)) => endpoints,
            other => panic!("expected stand-ins, got {other:?}"),
        }
    }

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    const ROLE_ARN: &str = "arn:aws:iam::111122223333:role/it";

    #[test]
    fn without_an_endpoint_it_is_the_emulator_whatever_credentials_there_are() {
        assert_eq!(decide(&[]), Ok(Target::Embedded));
        assert_eq!(decide(&KEYS), Ok(Target::Embedded));
        let profile = [("AWS_PROFILE", "production"), ("AWS_REGION", "eu-west-1"), (ROLE, ROLE_ARN)];
        assert_eq!(decide(&profile), Ok(Target::Embedded));
        assert_eq!(decide(&[(ENDPOINT, ""), (ON_AWS, "")]), Ok(Target::Embedded));
    }

    #[test]
    fn an_endpoint_goes_before_aws() {
        let both = [(ENDPOINT, "http://h:1"), (ON_AWS, "yes")];
        assert!(Service::ALL.into_iter().all(|service| endpoints(&both).of(service) == Some("http://h:1")));
        let one = [("AWS_ENDPOINT_URL_KINESIS", "http://h:2"), (ON_AWS, "yes")];
        assert_eq!(endpoints(&one).of(Service::Sqs), None, "the emulator's, and not AWS's");
    }

    #[test]
    fn a_service_is_where_its_own_variable_says() {
        let named = endpoints(&[(ENDPOINT, "http://all"), ("AWS_ENDPOINT_URL_S3", "http://s3")]);
        assert_eq!((named.of(Service::S3), named.of(Service::Sqs)), (Some("http://s3"), Some("http://all")));
        assert!(named.are_complete());
        let kinesis = endpoints(&[("AWS_ENDPOINT_URL_KINESIS", "https://k")]);
        assert_eq!((kinesis.of(Service::Kinesis), kinesis.of(Service::Lambda)), (Some("https://k"), None));
        assert!(!kinesis.are_complete());
    }

    #[test]
    fn a_table_and_its_stream_are_in_one_place() {
        for name in ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS"] {
            let named = endpoints(&[(name, "http://d")]);
            assert_eq!(named.of(Service::DynamoDb), Some("http://d"));
            assert_eq!(named.of(Service::DynamoDbStreams), Some("http://d"));
        }
    }

    #[test]
    fn aws_is_asked_for_by_name_and_with_a_role() {
        let mut variables = vec![(ON_AWS, "yes"), ("AWS_REGION", "eu-west-1"), (ROLE, ROLE_ARN)];
        let keys = decide(&variables).unwrap_err();
        assert!(keys.contains("`AWS_ACCESS_KEY_ID` is not set"), "{keys}");
        variables.extend(KEYS);
        let aws =
            OnAws { role_arn: ROLE_ARN.to_owned(), account: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
        assert_eq!(decide(&variables), Ok(Target::Aws(aws)));
        let without = |name| decide(&variables.iter().copied().filter(|pair| pair.0 != name).collect::<Vec<_>>());
        assert!(without(ROLE).unwrap_err().contains("`INTEGRATION_ROLE_ARN` is not set: expected the ARN of the role"));
        assert!(without("AWS_REGION").unwrap_err().contains("`AWS_REGION` is not set"));
        assert_eq!(without(ON_AWS), Ok(Target::Embedded));
        let unclear = decide(&[(ON_AWS, "1")]).unwrap_err();
        assert!(unclear.contains("expected `yes`"), "{unclear}");
        let no_role = decide(&[(ON_AWS, "yes"), (ROLE, "admin")]).unwrap_err();
        assert!(no_role.contains("expected the ARN of a role"), "{no_role}");
    }
}
