"""Alarms, dashboard and runbook agree with each other and with the metrics that the functions write."""

import json
import re

from template import ROOT, default, of_type, parse, references

METRICS = ROOT / "shared" / "telemetry" / "src" / "metrics.rs"
RUNBOOK = ROOT / "docs" / "runbook.md"
OWN = "StreamRecovery"

# What AWS measures, of what the template names, and by which dimension.
OF_AWS = {
    ("AWS/Lambda", "IteratorAge"): "FunctionName",
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Throttles"): "FunctionName",
    ("AWS/Lambda", "DestinationDeliveryFailures"): "FunctionName",
    ("AWS/Lambda", "DroppedEventCount"): "EventSourceMappingUUID",
    ("AWS/Lambda", "OnFailureDestinationDeliveredEventCount"): "EventSourceMappingUUID",
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "QueueName",
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
}

# What has to be watched: metric, whose, and the thresholds by default. The first of two is a warning, the last critical.
_EACH_PROCESSOR = {
    "IteratorAge": [1000, 10000],
    "BatchSuccessRate": [95, 80],
    "ProcessingLatency": [100, 500],
    "Errors": [0],
    "Throttles": [0],
    "DestinationDeliveryFailures": [0],
}
WATCHED = {
    **{
        (metric, f"{source}Processor"): bounds
        for metric, bounds in _EACH_PROCESSOR.items()
        for source in ("Kinesis", "DynamoDb")
    },
    ("DroppedEventCount", "KinesisMapping"): [0],
    ("DroppedEventCount", "DynamoDbMapping"): [0],
    ("OnFailureDestinationDeliveredEventCount", "KinesisMapping"): [0],
    ("OnFailureDestinationDeliveredEventCount", "DynamoDbMapping"): [0],
    ("ApproximateAgeOfOldestMessage", "KinesisFailureQueue"): [3600],
    ("ApproximateAgeOfOldestMessage", "DynamoDbFailureQueue"): [3600],
    ("ApproximateAgeOfOldestMessage", "RecoveredQueue"): [86400],
    # Not its age: a dead letter is too old from the start.
    ("ApproximateNumberOfMessagesVisible", "HydratorDeadLetterQueue"): [0],
    ("Errors", "Hydrator"): [0],
    ("Throttles", "Hydrator"): [0],
    ("SecondsUntilExpiry", "Hydrator"): [43200, 14400],
    ("RecordsLost", "Hydrator"): [0],
}
LESS_IS_WORSE = {"BatchSuccessRate", "SecondsUntilExpiry"}
PARTS = ("Means", "Look", "Run", "Over when")


def findings(text, runbook=None):
    """What is wrong with the alarms and the dashboard of a template, and with the runbook."""
    template, sections = parse(text), read_sections(runbook or RUNBOOK.read_text())
    alarms = dict(of_type(template, "AWS::CloudWatch::Alarm"))
    found = [f"{name}: {problem}" for name, alarm in alarms.items() for problem in _of_alarm(template, alarm, sections)]
    found += _missing(template, alarms)
    found += [
        f"the runbook's section {name} has no part {part}"
        for name, parts in sections.items()
        for part in PARTS
        if part not in parts
    ]
    named = {_section(alarm) for alarm in alarms.values()}
    found += [f"no alarm names the runbook's section {name}" for name in sections if name not in named]
    for name, dashboard in of_type(template, "AWS::CloudWatch::Dashboard"):
        found += [f"{name}: {problem}" for problem in _of_dashboard(dashboard["DashboardBody"], alarms)]
    return found


def read_sections(runbook):
    """The runbook's sections by their anchors, and the parts of each. The opening ones are no sections of an alarm."""
    sections = {}
    for section in runbook.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        if title != "Before anything else":
            sections[title.lower().replace(" ", "-")] = re.findall(r"^\*\*(Means|Look|Run|Over when)\b", body, re.M)
    return sections


def own_metrics():
    """Names of the metrics that the functions write."""
    return set(re.findall(r'Metric \{ name: "(\w+)"', METRICS.read_text()))


def _section(alarm):
    match = re.search(r"Runbook: docs/runbook\.md#([a-z-]+)$", alarm.get("AlarmDescription", ""))
    return match and match.group(1)


def _of_alarm(template, alarm, sections):
    if _section(alarm) not in sections:
        yield "its description does not end with a section of the runbook"
    if len(alarm.get("AlarmDescription", "").split()) < 10:
        yield "its description does not say what to do"
    severity = re.match(r"\$\{AWS::StackName\}-(warning|critical)-", alarm["AlarmName"]["Fn::Sub"])
    topic = {"warning": "WarningTopic", "critical": "CriticalTopic"}.get(severity and severity.group(1))
    if not (alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]):
        yield "its name's severity and its topics differ"
    yield from _of_metric(alarm["Namespace"], alarm["MetricName"], [each["Name"] for each in alarm["Dimensions"]])
    expected = "LessThanThreshold" if alarm["MetricName"] in LESS_IS_WORSE else "GreaterThanThreshold"
    if alarm["ComparisonOperator"] != expected:
        yield f"it compares by {alarm['ComparisonOperator']}, not by {expected}"
    if alarm.get("TreatMissingData") != "notBreaching":
        yield "it goes off where nothing happens"


def _of_metric(namespace, metric, dimensions):
    if namespace == OWN:
        if metric not in own_metrics():
            yield f"no function writes {metric}"
        if dimensions != ["FunctionName", "EventSource"]:
            yield f"{metric} is written by FunctionName and EventSource, not by {dimensions}"
    elif dimensions != [OF_AWS.get((namespace, metric))]:
        yield f"{namespace} has no {metric} by {dimensions}"


def _missing(template, alarms):
    watched = {}
    for alarm in alarms.values():
        for owner in references(alarm["Dimensions"]):
            watched.setdefault((alarm["MetricName"], owner), []).append(default(template, alarm["Threshold"]))
    for (metric, owner), bounds in WATCHED.items():
        # What is written by stream as well is watched for each of the two.
        times = 2 if owner == "Hydrator" and metric in own_metrics() else 1
        if sorted(watched.get((metric, owner), [])) != sorted(bounds * times):
            yield f"{metric} of {owner} is watched at {watched.get((metric, owner), 'nothing')}, and should be at {bounds}"


def _of_dashboard(body, alarms):
    text, names = body["Fn::Sub"]
    board = json.loads(re.sub(r"(?<=: )\$\{\w+\}", "0", text))
    listed = {name for name in re.findall(r"\$\{(\w+)\.Arn\}", text)}
    yield from (f"the alarm {name} is not on it" for name in alarms if name not in listed)
    unknown = set(re.findall(r'\["[^"]+", "[^"]+", "EventSource", "\$\{(\w+)\}', text)) - set(names)
    yield from (f"{name} is not defined" for name in unknown)
    taken = {}
    for widget in board["widgets"]:
        properties = widget["properties"]
        for metric in properties.get("metrics", []):
            namespace, name, *rest = [part for part in metric if isinstance(part, str)]
            yield from _of_metric(namespace, name, rest[::2])
        for cell in (
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        ):
            if cell in taken or cell[0] >= 24:
                yield f"a widget at {widget['x']}, {widget['y']} lies over another, or out of the board"
                break
            taken[cell] = True
