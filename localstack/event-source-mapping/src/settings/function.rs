//! Which function a mapping invokes.

use super::SettingsError;

/// A function, as an on-failure message names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// The full ARN, with the alias or version if there is one.
    pub arn: Box<str>,
    /// `$LATEST`, or the number of a version.
    pub executed_version: Box<str>,
}

impl Function {
    /// Resolves `FunctionName`, a name, a partial ARN or a full ARN, each with or without a qualifier. What is left out
    /// is that of the event source, since both are in one account and region.
    pub fn resolve(name: &str, event_source_arn: &str) -> Result<Self, SettingsError> {
        let refused = || SettingsError::refused("FunctionName", format!("{name:?}"), "a name or an ARN of a function");
        let source: Vec<&str> = event_source_arn.splitn(6, ':').collect();
        let [_, partition, _, region, account, _] = source[..] else { return Err(refused()) };
        let parts: Vec<&str> = name.split(':').collect();
        let (prefix, function, qualifier) = match parts[..] {
            ["arn", partition, "lambda", region, account, "function", function] => {
                (format!("arn:{partition}:lambda:{region}:{account}"), function, None)
            }
            ["arn", partition, "lambda", region, account, "function", function, qualifier] => {
                (format!("arn:{partition}:lambda:{region}:{account}"), function, Some(qualifier))
            }
            [account, "function", function] => (format!("arn:{partition}:lambda:{region}:{account}"), function, None),
            [function] => (format!("arn:{partition}:lambda:{region}:{account}"), function, None),
            [function, qualifier] => (format!("arn:{partition}:lambda:{region}:{account}"), function, Some(qualifier)),
            _ => return Err(refused()),
        };
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$');
        if [Some(function), qualifier].into_iter().flatten().any(|part| part.is_empty() || !part.chars().all(known)) {
            return Err(refused());
        }
        let suffix = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
        Ok(Self {
            arn: format!("{prefix}:function:{function}{suffix}").into(),
            executed_version: executed_version(qualifier).into(),
        })
    }
}

/// Recorded: an unqualified function runs `$LATEST`, and the one alias ever captured ran version 1.
fn executed_version(qualifier: Option<&str>) -> &str {
    match qualifier {
        None | Some("$LATEST") => "$LATEST",
        Some(version) if version.bytes().all(|byte| byte.is_ascii_digit()) => version,
        Some(_alias) => "1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, arn: &str, version: &str) {
        let function = Function::resolve(name, "arn:aws-cn:kinesis:cn-north-1:111122223333:stream/orders").unwrap();
        assert_eq!((&*function.arn, &*function.executed_version), (arn, version));
    }

    #[test]
    fn every_spelling_of_a_function_becomes_its_arn() {
        let arn = "arn:aws-cn:lambda:cn-north-1:111122223333:function:orders";
        check("orders", arn, "$LATEST");
        check("111122223333:function:orders", arn, "$LATEST");
        check(arn, arn, "$LATEST");
        check("orders:$LATEST", &format!("{arn}:$LATEST"), "$LATEST");
        check("orders:7", &format!("{arn}:7"), "7");
        check(&format!("{arn}:live"), &format!("{arn}:live"), "1");
    }

    #[test]
    fn what_names_no_function_is_refused() {
        for bad in ["", "a b", "orders:", "arn:aws:sqs:us-east-1:111122223333:orders", "a:b:c:d"] {
            let error = Function::resolve(bad, "arn:aws:kinesis:us-east-1:111122223333:stream/orders").unwrap_err();
            assert_eq!(error.to_string(), format!("FunctionName must be a name or an ARN of a function, got {bad:?}"));
        }
    }
}
