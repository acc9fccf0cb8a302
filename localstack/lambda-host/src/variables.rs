//! The environment variables of an execution environment.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>. `AWS_EXECUTION_ENV` is not among them: Lambda
//! does not define it for OS-only runtimes.

use std::{collections::BTreeMap, ffi::OsString, net::SocketAddr, path::Path};

use jiff::Timestamp;
use uuid::Uuid;

use crate::FunctionConfig;

/// What a process may need from its parent to run at all: where programs and libraries are, where a home and temporary
/// files are, and the switches of Rust's backtraces and coverage. Nothing else is inherited.
pub(crate) const INHERITED: [&str; 8] = [
    "DYLD_LIBRARY_PATH",
    "HOME",
    "LD_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    "PATH",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "TMPDIR",
];

/// The variables of one environment: inherited ones and defaults, then the function's own, then Lambda's reserved ones.
pub(crate) fn variables(
    config: &FunctionConfig,
    inherited: impl IntoIterator<Item = (OsString, OsString)>,
    runtime_api: SocketAddr,
    task_root: &Path,
    log_stream: &str,
) -> BTreeMap<OsString, OsString> {
    let defaults = [("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"), ("LANG", "en_US.UTF-8"), ("TZ", ":UTC")];
    let reserved = [
        ("AWS_DEFAULT_REGION", config.region.clone().into()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mb.to_string().into()),
        ("AWS_LAMBDA_FUNCTION_NAME", config.name.clone().into()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", config.name).into()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.into()),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string().into()),
        ("AWS_REGION", config.region.clone().into()),
        ("LAMBDA_TASK_ROOT", task_root.into()),
        ("_HANDLER", "bootstrap".into()),
    ];

    let mut variables: BTreeMap<OsString, OsString> = inherited.into_iter().collect();
    variables.extend(defaults.map(|(name, value)| (name.into(), value.into())));
    variables.extend(config.environment.iter().map(|(name, value)| (name.into(), value.into())));
    variables.extend(reserved.map(|(name, value): (&str, OsString)| (name.into(), value)));
    variables
}

/// The name of an environment's log stream: `2026/03/04/[$LATEST]0123...`.
pub(crate) fn log_stream_name(now: Timestamp, id: Uuid) -> String {
    format!("{}/[$LATEST]{}", now.strftime("%Y/%m/%d"), id.simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(environment: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
        let mut config = FunctionConfig::new("orders", "/opt/orders/bootstrap");
        config.environment = environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let inherited = [("PATH".into(), "/bin".into())];
        variables(&config, inherited, ([127, 0, 0, 1], 4711).into(), Path::new("/opt/orders"), "stream")
    }

    #[track_caller]
    fn check(environment: &[(&str, &str)], name: &str, expect: Option<&str>) {
        assert_eq!(of(environment).get(&OsString::from(name)).map(|v| v.to_str().unwrap()), expect, "{name}");
    }

    #[test]
    fn lambdas_variables_are_there() {
        check(&[], "AWS_LAMBDA_RUNTIME_API", Some("127.0.0.1:4711"));
        check(&[], "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", Some("128"));
        check(&[], "AWS_LAMBDA_LOG_GROUP_NAME", Some("/aws/lambda/orders"));
        check(&[], "TZ", Some(":UTC"));
        check(&[], "PATH", Some("/bin"));
        check(&[], "AWS_EXECUTION_ENV", None);
    }

    #[test]
    fn the_function_may_change_defaults_but_not_reserved_variables() {
        check(&[("TZ", "Europe/Berlin")], "TZ", Some("Europe/Berlin"));
        check(&[("PATH", "/opt/bin")], "PATH", Some("/opt/bin"));
        check(&[("_HANDLER", "other")], "_HANDLER", Some("bootstrap"));
    }

    #[test]
    fn a_log_stream_is_named_by_its_day() {
        let name = log_stream_name(Timestamp::UNIX_EPOCH, Uuid::nil());
        assert_eq!(name, "1970/01/01/[$LATEST]00000000000000000000000000000000");
    }
}
