//! HTTPS for the SDK's clients: on ring, with one set of roots, and nothing of it before the first call.
//!
//! Over TLS they use ring: the SDK's default provider takes thirty times as long for its first call, and a Lambda pays
//! that on every cold start. Loading the roots costs most of what is left. The SDK's own HTTP client loads them when a
//! client is built, once for each client and once more for the first call; this one does so once, for the first call.

use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

/// Names a PEM file of the only roots to trust, for all of AWS's tools and SDKs.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// Say where OpenSSL, and `rustls-native-certs` like it, finds the roots.
const OPENSSL_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// All roots of the system in one file. The directories beside them hold the same roots again, a file each: reading those
/// takes longer than the rest of a cold start.
const SYSTEM_BUNDLES: [&str; 3] = [
    // Amazon Linux 2023, which Lambda runs on, and Fedora.
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    // Debian and Alpine.
    "/etc/ssl/certs/ca-certificates.crt",
];

/// An HTTP client for all services, which reads the roots when the first call is made.
pub(crate) fn https() -> SharedHttpClient {
    SharedHttpClient::new(LazyHttps::default())
}

#[derive(Debug, Default)]
struct LazyHttps(OnceLock<Result<SharedHttpClient, String>>);

impl HttpClient for LazyHttps {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        match self.0.get_or_init(build) {
            Ok(client) => client.http_connector(settings, components),
            Err(reason) => SharedHttpConnector::new(NoRoots(reason.clone())),
        }
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some("1.x".into())))
    }
}

/// Fails each call, by saying why there are no roots to trust.
#[derive(Debug)]
struct NoRoots(String);

impl HttpConnector for NoRoots {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user(self.0.clone().into())))
    }
}

fn build() -> Result<SharedHttpClient, String> {
    let trust_store = trust_store(|name| std::env::var_os(name).filter(|value| !value.is_empty()))?;
    let context = TlsContext::builder().with_trust_store(trust_store).build().map_err(|error| error.to_string())?;
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    Ok(builder.tls_context(context).build_https())
}

fn trust_store(variable: impl Fn(&str) -> Option<OsString>) -> Result<TrustStore, String> {
    if let Some(path) = variable(CA_BUNDLE) {
        let path = Path::new(&path);
        return bundle(path)
            .map_err(|reason| format!("failed to read `{}`, which `{CA_BUNDLE}` names: {reason}", path.display()));
    }
    if OPENSSL_VARIABLES.iter().all(|name| variable(name).is_none()) {
        let mut bundles = SYSTEM_BUNDLES.iter().map(Path::new).filter(|path| path.exists());
        if let Some(Ok(store)) = bundles.next().map(bundle) {
            return Ok(store);
        }
    }
    Ok(TrustStore::default())
}

/// The roots of a file, and no others. Each is checked here, for the TLS library panics over one that it cannot read.
fn bundle(path: &Path) -> Result<TrustStore, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let number = roots.len() + 1;
        let invalid = |error: &dyn std::fmt::Display| format!("certificate {number}: {error}");
        roots.add(certificate.map_err(|error| invalid(&error))?).map_err(|error| invalid(&error))?;
    }
    if roots.is_empty() {
        return Err("expected certificates in PEM, got none".to_owned());
    }
    Ok(TrustStore::empty().with_pem_certificate(pem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A self-signed certificate on P-256, without a name that any host bears.
    const ROOT: &str = include_str!("../tests/root.pem");

    fn check(pem: &[u8], expected: Result<(), &str>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(pem).unwrap();
        let path = file.path().to_owned();
        let store = trust_store(|name| (name == CA_BUNDLE).then(|| path.clone().into()));
        match (store, expected) {
            (Ok(store), Ok(())) => assert!(!format!("{store:?}").contains("enable_native_roots: true"), "{store:?}"),
            (Err(error), Err(expected)) => {
                assert!(error.starts_with("failed to read `/") && error.ends_with(expected), "{error}");
            }
            (store, expected) => panic!("{:?}, expected {expected:?}", store.map(|_| ())),
        }
    }

    #[test]
    fn a_bundle_is_trusted_alone_or_the_error_names_it() {
        check(ROOT.as_bytes(), Ok(()));
        check(ROOT.repeat(2).as_bytes(), Ok(()));
        check(b"", Err("`AWS_CA_BUNDLE` names: expected certificates in PEM, got none"));
        check(b"hello", Err("`AWS_CA_BUNDLE` names: expected certificates in PEM, got none"));
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        check(empty.as_bytes(), Err("certificate 1: invalid peer certificate: BadEncoding"));
    }

    #[test]
    fn a_bundle_that_is_missing_fails_the_call_and_not_the_process() {
        let error = trust_store(|name| (name == CA_BUNDLE).then(|| "/nowhere.pem".into())).unwrap_err();
        assert!(error.contains("`/nowhere.pem`, which `AWS_CA_BUNDLE` names: No such file"), "{error}");
    }

    #[test]
    fn without_variables_there_are_roots() {
        assert!(trust_store(|_| None).is_ok());
    }
}
