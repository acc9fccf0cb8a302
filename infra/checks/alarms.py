"""Alarms and dashboard agree with each other, with the metrics that there are, and with the runbook's sections."""

import json
import re

from metrics import of_metric, read_code
from runbook import RUNBOOK, read_sections
from template import STREAM_ARN, TABLE_ARN, default, of_type, parse, references, spelled

QUESTIONS = ("Are we losing anything?", "Are we falling behind?", "How long do we have?")

# How a metric is summed up, if not by Sum; and the section of the runbook that it leads to.
STATISTICS = {
    "IteratorAge": "Maximum",
    "BatchSuccessRate": "Average",
    "ProcessingLatency": "p95",
    "SecondsUntilExpiry": "Minimum",
    "ApproximateAgeOfOldestMessage": "Maximum",
    "ApproximateNumberOfMessagesVisible": "Maximum",
}
SECTIONS = {
    "IteratorAge": {"falling-behind"},
    "BatchSuccessRate": {"failing-records"},
    "ProcessingLatency": {"slow-records"},
    "Errors": {"failing-invocations"},
    "Throttles": {"throttled"},
    "OnFailureDestinationDeliveredEventCount": {"given-up"},
    "DestinationDeliveryFailures": {"destination-failures"},
    "DroppedEventCount": {"destination-failures"},
    "RecordsQuarantined": {"recovered-records"},
    "SecondsUntilExpiry": {"expiring"},
    "RecordsLost": {"lost"},
    "MessagesFailed": {"failures-wait"},
    "ApproximateAgeOfOldestMessage": {"failures-wait", "recovered-records"},
    "ApproximateNumberOfMessagesVisible": {"dead-letters"},
}
# What happens once and is over: the minute after it has no data, which is no alarm. So one period alone has to do.
ONCE = {
    "OnFailureDestinationDeliveredEventCount",
    "DestinationDeliveryFailures",
    "DroppedEventCount",
    "RecordsQuarantined",
    "SecondsUntilExpiry",
    "RecordsLost",
    "MessagesFailed",
}
# Nobody waits longer than this to hear of it, in seconds.
SILENCE_MAX = 900

# What belongs to a source, by the beginning of an alarm's id.
OWNED = {
    "Kinesis": {
        "KinesisProcessor",
        "KinesisMapping",
        "KinesisFailureQueue",
        "Stream",
        "KinesisStreamArn",
        "CreateStream",
    },
    "DynamoDb": {
        "DynamoDbProcessor",
        "DynamoDbMapping",
        "DynamoDbFailureQueue",
        "Table",
        "TableStreamArn",
        "CreateTable",
    },
}
# The hydrator's word for the stream of a message that names none.
UNKNOWN = "unknown"
OF_BOTH = {"Hydrator", "HydratorDeadLetterQueue", "RecoveredQueue"}

# What has to be watched: metric, whose, and the thresholds by default. The first of two is a warning, the last critical.
_EACH_PROCESSOR = {
    "IteratorAge": [1000, 10000],
    "BatchSuccessRate": [95, 80],
    "ProcessingLatency": [100, 500],
    "Errors": [0],
    "Throttles": [0],
    "DestinationDeliveryFailures": [0],
    "RecordsQuarantined": [0],
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
    ("MessagesFailed", "Hydrator"): [0],
}
# What is watched for each stream, and for messages that name none.
TIMES = {"MessagesFailed": 3, "SecondsUntilExpiry": 2, "RecordsLost": 2}


def _name_in(arn):
    return {"Fn::Select": [1, {"Fn::Split": ["/", arn]}]}


# By a formula, which goes off above 0: what is written to what, and what is polled by what.
STANDING_STILL = {
    "KinesisStandsStill": {
        "written": ("IncomingRecords", _name_in(STREAM_ARN)),
        "polled": ("PolledEventCount", "${KinesisMapping}"),
    },
    "DynamoDbStandsStill": {
        "written": ("ConsumedWriteCapacityUnits", _name_in(TABLE_ARN)),
        "polled": ("PolledEventCount", "${DynamoDbMapping}"),
    },
}
FORMULA = "IF(written > 0 AND FILL(polled, 0) == 0, 1, 0)"
LESS_IS_WORSE = {"BatchSuccessRate", "SecondsUntilExpiry"}


def findings(text, runbook=None, code=None):
    """What is wrong with the alarms and the dashboard of a template. code: what functions run."""
    template, code = parse(text), code or read_code()
    sections = read_sections(runbook or RUNBOOK.read_text())
    alarms = dict(of_type(template, "AWS::CloudWatch::Alarm"))
    found = [
        f"{name}: {problem}" for name, alarm in alarms.items() for problem in _of_alarm(name, alarm, sections, code)
    ]
    found += _missing(template, alarms)
    named = {_section(alarm) for alarm in alarms.values()}
    found += [f"no alarm names the runbook's section {name}" for name in sections if name not in named]
    for name, dashboard in of_type(template, "AWS::CloudWatch::Dashboard"):
        found += [f"{name}: {problem}" for problem in _of_dashboard(dashboard["DashboardBody"], alarms, code)]
    return found


def _section(alarm):
    match = re.search(r"Runbook: docs/runbook\.md#([a-z-]+)$", alarm.get("AlarmDescription", ""))
    return match and match.group(1)


def _of_alarm(name, alarm, sections, code):
    if _section(alarm) not in sections:
        yield "its description does not end with a section of the runbook"
    if len(alarm.get("AlarmDescription", "").split()) < 10:
        yield "its description does not say what to do"
    severity = re.match(r"\$\{AWS::StackName\}-(warning|critical)-", alarm["AlarmName"]["Fn::Sub"])
    topic = {"warning": "WarningTopic", "critical": "CriticalTopic"}.get(severity and severity.group(1))
    if not (alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]):
        yield "its name's severity and its topics differ"
    if "ActionsEnabled" in alarm:
        yield "its actions can be switched off"
    if alarm.get("TreatMissingData") != "notBreaching":
        yield "it goes off where nothing happens"
    yield from _of_time(alarm)
    if "Metrics" in alarm:
        yield from _of_formula(name, alarm, code)
    else:
        yield from _of_one_metric(name, alarm, code)
    strangers = references(alarm.get("Dimensions", alarm.get("Metrics"))) - OF_BOTH
    for source, owned in OWNED.items():
        if name.startswith(source) and not strangers <= owned:
            yield f"it watches {', '.join(sorted(strangers - owned))}, which is not of {source}"


def _of_one_metric(name, alarm, code):
    metric = alarm["MetricName"]
    yield from of_metric(alarm["Namespace"], metric, [each["Name"] for each in alarm["Dimensions"]], code)
    sources = [spelled(each["Value"]) for each in alarm["Dimensions"] if each["Name"] == "EventSource"]
    if not set(sources) <= {STREAM_ARN, TABLE_ARN, UNKNOWN}:
        yield f"no function writes {metric} for {sources}"
    if _section(alarm) not in SECTIONS.get(metric, ()):
        yield f"{metric} leads to {_section(alarm)}, not to {SECTIONS.get(metric)}"
    expected = "LessThanThreshold" if metric in LESS_IS_WORSE else "GreaterThanThreshold"
    if alarm["ComparisonOperator"] != expected:
        yield f"it compares by {alarm['ComparisonOperator']}, not by {expected}"
    if alarm.get("Statistic", alarm.get("ExtendedStatistic")) != STATISTICS.get(metric, "Sum"):
        yield f"{metric} is summed up by {STATISTICS.get(metric, 'Sum')}"
    if metric in ONCE and alarm["EvaluationPeriods"] != 1:
        yield f"{metric} happens once, and not in {alarm['EvaluationPeriods']} periods"


def _of_time(alarm):
    stats = [each["MetricStat"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
    period, periods = max(each["Period"] for each in stats or [alarm]), alarm["EvaluationPeriods"]
    if period * periods > SILENCE_MAX:
        yield f"it takes longer than {SILENCE_MAX} s to go off"
    if alarm.get("DatapointsToAlarm", periods) > periods:
        yield f"it wants {alarm['DatapointsToAlarm']} of {periods} periods, which never come"


def _of_formula(name, alarm, code):
    stats = {each["Id"]: each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each}
    metrics = {
        each: (stat["Metric"]["MetricName"], spelled(stat["Metric"]["Dimensions"][0]["Value"]))
        for each, stat in stats.items()
    }
    if metrics != STANDING_STILL.get(name):
        yield f"its formula has {metrics}, not {STANDING_STILL.get(name)}"
    for stat in stats.values():
        metric = stat["Metric"]
        dimensions = [each["Name"] for each in metric["Dimensions"]]
        yield from of_metric(metric["Namespace"], metric["MetricName"], dimensions, code)
    returned = [each.get("Expression") for each in alarm["Metrics"] if each.get("ReturnData", True)]
    if returned != [FORMULA] or {stat["Stat"] for stat in stats.values()} != {"Sum"}:
        yield "its formula is not: something written, and nothing polled"
    if (alarm["ComparisonOperator"], alarm["Threshold"]) != ("GreaterThanThreshold", 0):
        yield "it does not go off where its formula says so"


def _missing(template, alarms):
    watched = {}
    for alarm in alarms.values():
        for owner in references(alarm.get("Dimensions", [])):
            watched.setdefault((alarm["MetricName"], owner), []).append(default(template, alarm["Threshold"]))
    for (metric, owner), bounds in WATCHED.items():
        if sorted(watched.get((metric, owner), [])) != sorted(bounds * TIMES.get(metric, 1)):
            yield f"{metric} of {owner} is watched at {watched.get((metric, owner), 'nothing')}, and should be at {bounds}"
    yield from (f"{name} is not there" for name in STANDING_STILL if name not in alarms)


def _of_dashboard(body, alarms, code):
    text, names = body["Fn::Sub"]
    if spelled(names) != {"StreamArn": STREAM_ARN, "TableArn": TABLE_ARN}:
        yield "it is about other streams"
    board = json.loads(re.sub(r"(?<=: )\$\{\w+\}", "0", text))
    listed = {name for name in re.findall(r"\$\{(\w+)\.Arn\}", text)}
    yield from (f"the alarm {name} is not on it" for name in alarms if name not in listed)
    yield from (f"it does not ask: {question}" for question in QUESTIONS if question not in text)
    taken = set()
    for widget in board["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            yield from _of_line(metric, names, code)
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        if cells & taken or max(x for x, _ in cells) >= 24:
            yield f"a widget at {widget['x']}, {widget['y']} lies over another, or out of the board"
        taken |= cells


def _of_line(metric, names, code):
    namespace, name, *dimensions = [part for part in metric if isinstance(part, str)]
    yield from of_metric(namespace, name, dimensions[::2], code)
    values = dict(zip(dimensions[::2], dimensions[1::2], strict=True))
    source = {"${StreamArn}": "Kinesis", "${TableArn}": "DynamoDb"}.get(values.get("EventSource"))
    function = values.get("FunctionName", "")
    if source and function != "${Hydrator}" and function != f"${{{source}Processor}}":
        yield f"{name} of {function} is shown for the stream of {source}"
