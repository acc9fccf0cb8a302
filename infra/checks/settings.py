"""The template's settings are safe by default, and those that the functions read."""

import re

from template import FUNCTIONS, ROOT, choices, default, of_type, parse, references

HOUR = 3600
STREAM_MAPPINGS = ("KinesisMapping", "DynamoDbMapping")
QUEUE_MAPPINGS = {"KinesisFailureMapping", "DynamoDbFailureMapping"}
SENSIBLE_RETRIES = 100
STATEFUL = {"AWS::KMS::Key", "AWS::Kinesis::Stream", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket"}
# Of all functions, read beside their configuration.
READ_BY_ALL = {"LOG_LEVEL"}


def findings(text):
    """What is wrong with the settings of a template."""
    template = parse(text)
    found = list(_of_text(text, template))
    mappings = dict(of_type(template, "AWS::Lambda::EventSourceMapping"))
    for name in STREAM_MAPPINGS:
        found += [f"{name}: {problem}" for problem in _of_stream_mapping(template, mappings.get(name, {}))]
        found += [f"{name}: {problem}" for problem in _of_defaults(template, mappings.get(name, {}))]
    for name in sorted(QUEUE_MAPPINGS):
        found += [f"{name}: {problem}" for problem in _of_queue_mapping(template, mappings.get(name, {}))]
    found += [
        f"{name} is a mapping that no rule looks at"
        for name in sorted(set(mappings) - set(STREAM_MAPPINGS) - QUEUE_MAPPINGS)
    ]
    found += _of_queues(template)
    found += [
        f"{name}: {problem}"
        for name, function in of_type(template, "AWS::Serverless::Function")
        for problem in _of_function(name, function)
    ]
    found += _of_resources(template)
    found += _of_sources(template)
    return found


def _of_text(text, template):
    if re.search(r"^[^#]*(?:: |- )[&*][A-Za-z]", text, re.M):
        yield "CloudFormation knows no YAML anchors"
    used = references({key: value for key, value in template.items() if key != "Metadata"})
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = {name for group in groups for name in group["Parameters"]}
    for name, parameter in template["Parameters"].items():
        if name not in used:
            yield f"the parameter {name} is used nowhere"
        if name not in grouped:
            yield f"the parameter {name} is in no group"
        if "Default" not in parameter:
            yield f"the parameter {name} has no default"


def _of_stream_mapping(template, mapping):
    if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        yield "partial batch responses are off: FunctionResponseTypes has to be [ReportBatchItemFailures]"
    if default(template, mapping.get("BisectBatchOnFunctionError")) != "true":
        yield "BisectBatchOnFunctionError is off by default"
    if not mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
        yield "it has no on-failure destination, so that what is given up is dropped"
    if mapping.get("MetricsConfig") != {"Metrics": ["EventCount"]}:
        yield "the EventCount metrics are off"
    retries = _parameter(template, mapping.get("MaximumRetryAttempts"))
    if retries.get("MinValue", -1) < 0 or retries.get("Default", -1) < 0:
        yield "it may retry for ever: MaximumRetryAttempts has to be 0 or more"
    age, retention = (
        _parameter(template, mapping.get("MaximumRecordAgeInSeconds")),
        template["Parameters"]["StreamRetentionHours"],
    )
    if (
        not 60
        <= age.get("MinValue", 0)
        <= age.get("Default", 0)
        <= age.get("MaxValue", 1e9)
        <= retention["MinValue"] * HOUR / 2
    ):
        yield "MaximumRecordAgeInSeconds has to leave the hydrator half of the least retention"


def _of_defaults(template, mapping):
    if default(template, mapping.get("Enabled")) != "true":
        yield "it is off by default"
    if default(template, mapping.get("StartingPosition")) != "TRIM_HORIZON":
        yield "it begins behind what is there already"
    if default(template, mapping.get("MaximumRetryAttempts", -1)) > SENSIBLE_RETRIES:
        yield f"it retries more than {SENSIBLE_RETRIES} times by default"


def _of_queue_mapping(template, mapping):
    if default(template, mapping.get("Enabled")) != "true":
        yield "it does not invoke the hydrator by default"
    if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        yield "partial batch responses are off: a message that fails would bring its batch back"
    concurrency = _parameter(template, mapping.get("ScalingConfig", {}).get("MaximumConcurrency"))
    if concurrency.get("MinValue", 0) < 2:
        yield "Lambda takes no MaximumConcurrency below 2"


def _of_queues(template):
    for seconds, visibility in template["Mappings"]["HydratorTimeout"].items():
        if visibility["VisibilitySeconds"] != 6 * int(seconds):
            yield f"a time-out of {seconds} s wants a visibility time-out of six times as long"
    allowed = template["Parameters"]["HydratorTimeoutSeconds"]["AllowedValues"]
    if sorted(map(str, allowed)) != sorted(template["Mappings"]["HydratorTimeout"]):
        yield "HydratorTimeoutSeconds and its visibility time-outs differ"
    receives = template["Parameters"]["HydratorMaximumReceives"]
    if not 5 <= receives["MinValue"] <= receives["Default"] <= receives["MaxValue"] <= 20:
        yield "fewer than 5 receives are used up by throttling, and more than 20 outlast the records"
    for name, queue in of_type(template, "AWS::SQS::Queue"):
        if queue.get("MessageRetentionPeriod") != 14 * 24 * HOUR:
            yield f"{name} does not keep its messages for 14 days"


def _of_function(name, function):
    if "Events" in function:
        yield "its mappings stand under Events, where linters do not look"
    package = FUNCTIONS.get(name)
    if package is None:
        yield "it is a function that no rule looks at"
        return
    if function["LoggingConfig"]["LogFormat"] != "JSON":
        yield "it does not log JSON"
    known = variables_of(package)
    for variable in function["Environment"]["Variables"]:
        if variable not in known:
            yield f"the function does not read the variable {variable}"


def _of_sources(template):
    parameters = template["Parameters"]
    if parameters["StreamRetentionHours"]["Default"] < 168:
        yield "a created stream keeps its records for less than a week"
    if not set(parameters["LogLevel"]["AllowedValues"]) <= {"TRACE", "DEBUG", "INFO"}:
        yield "above INFO Lambda drops the lines that carry the metrics"
    table = dict(of_type(template, "AWS::DynamoDB::Table"))["Table"]
    if table.get("StreamSpecification") != {"StreamViewType": "NEW_AND_OLD_IMAGES"}:
        yield "the table's stream does not show both images"


def variables_of(package):
    """The variables that a function reads, by its code."""
    crate = ROOT / "functions" / package if package == "dlq-hydrator" else ROOT / "shared" / "partial-batch"
    code = (crate / "src" / "config.rs").read_text().split("#[cfg(test)]")[0]
    return set(re.findall(r'"([A-Z]+(?:_[A-Z]+)*)"', code)) | READ_BY_ALL


def _of_resources(template):
    for name, resource in template["Resources"].items():
        if resource["Type"] in STATEFUL and not str(resource.get("DeletionPolicy", "")).startswith("Retain"):
            yield f"{name} is deleted with the stack, and what it holds with it"
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    for kind, where in (
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
    ):
        for name, properties in of_type(template, kind):
            if properties.get(where) not in (key, {"Fn::GetAtt": "Key.Arn"}):
                yield f"{name} is not encrypted with the stack's key"


def _parameter(template, value):
    """The parameter that a value refers to, or what it would be as one."""
    found = choices(value)
    name = found[0].get("Ref") if found and isinstance(found[0], dict) else None
    if name in template["Parameters"]:
        return template["Parameters"][name]
    return {} if value is None else {"MinValue": value, "Default": value, "MaxValue": value}
