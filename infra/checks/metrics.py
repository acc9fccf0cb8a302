"""What is measured: by AWS, and by the functions, as their code says."""

import re

from template import ROOT

METRICS = ROOT / "shared" / "telemetry" / "src" / "metrics.rs"
# Whose code writes metrics and log lines, by the functions that run it.
WRITERS = {
    "kinesis-processor": ("functions/kinesis-processor/src", "shared/partial-batch/src"),
    "dynamodb-processor": ("functions/dynamodb-processor/src", "shared/partial-batch/src"),
    "dlq-hydrator": ("functions/dlq-hydrator/src", "shared/recovery/src"),
}

# What AWS measures, of what template and runbook name, and by which dimension.
OF_AWS = {
    ("AWS/Lambda", "IteratorAge"): "FunctionName",
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Throttles"): "FunctionName",
    ("AWS/Lambda", "DestinationDeliveryFailures"): "FunctionName",
    ("AWS/Lambda", "DroppedEventCount"): "EventSourceMappingUUID",
    ("AWS/Lambda", "OnFailureDestinationDeliveredEventCount"): "EventSourceMappingUUID",
    ("AWS/Lambda", "PolledEventCount"): "EventSourceMappingUUID",
    ("AWS/Kinesis", "IncomingRecords"): "StreamName",
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): "TableName",
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "QueueName",
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
}


def read_code():
    """The metrics' definitions, and the code that writes them and the log lines, {path: text}."""
    folders = {folder for folders in WRITERS.values() for folder in folders}
    paths = (path for folder in sorted(folders) for path in (ROOT / folder).rglob("*.rs") if path.stem != "tests")
    texts = {str(path.relative_to(ROOT)): path.read_text().split("#[cfg(test)]\nmod tests")[0] for path in paths}
    return METRICS.read_text(), texts


def written_by(function, code):
    """The code that a function writes by, {path: text}."""
    return {path: text for path, text in code[1].items() if path.startswith(WRITERS.get(function, ()))}


def own_metrics(code, texts=None):
    """Names of the metrics that the functions really write, or that some of their code does."""
    written = "".join((code[1] if texts is None else texts).values())
    defined = re.findall(r'pub const (\w+): Metric = Metric \{ name: "(\w+)"', code[0])
    return {name for constant, name in defined if re.search(rf"\b{constant}\b", written)}


def own_names(code):
    """The namespace and the dimensions, as the functions write them."""
    named = dict(re.findall(r'pub const (\w+): &str = "(\w+)"', code[0]))
    return named["NAMESPACE"], [named["FUNCTION_NAME"], named["EVENT_SOURCE"]]


def of_metric(namespace, metric, dimensions, code):
    """What is wrong with a metric that somebody asks for."""
    own, own_dimensions = own_names(code)
    if not namespace.startswith("AWS/"):
        if namespace != own:
            yield f"the functions write to {own}, not to {namespace}"
        if metric not in own_metrics(code):
            yield f"no function writes {metric}"
        if dimensions != own_dimensions:
            yield f"{metric} is written by {own_dimensions}, not by {dimensions}"
    elif dimensions != [OF_AWS.get((namespace, metric))]:
        yield f"{namespace} has no {metric} by {dimensions}"
