"""The template passes every gate; and every gate catches what it is there for."""

import sys
from pathlib import Path

import pytest

import alarms
import iam
import metrics
import runbook
from broken import BROKEN, TEXT, changed
from gates import GATES
from template import parse

RUNBOOK = runbook.RUNBOOK.read_text()

OF_THE_HOUSE = ("alarms.py", "iam.py", "metrics.py", "runbook.py", "settings.py", "wiring.py")

# The rules of the house: each is a line that yields what it found.
RULES = {
    (path.name, number)
    for path in Path(__file__).parent.glob("*.py")
    if path.name in OF_THE_HOUSE
    for number, line in enumerate(path.read_text().splitlines(), 1)
    if line.strip().startswith(('yield f"', 'yield "'))
}


REACHED = set()


def watched(findings, text, **others):
    """What a rule finds; the lines of rules that found something are kept."""
    parse(text)  # Before anything is traced, which takes ten times as long.
    sys.settrace(lambda frame, *_: in_a_rule if Path(frame.f_code.co_filename).name in OF_THE_HOUSE else None)
    try:
        return findings(text, **others)
    finally:
        sys.settrace(None)


def in_a_rule(frame, event, _):
    if event == "line":
        REACHED.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
    return in_a_rule


@pytest.mark.parametrize("gate", GATES)
def test_the_template_passes(gate):
    assert GATES[gate](TEXT) == []


@pytest.mark.parametrize(
    "broken,gate,word", [pytest.param(text, gate, word, id=f"{gate}: {name}") for name, text, gate, word in BROKEN]
)
def test_the_gate_catches(broken, gate, word):
    findings = watched(GATES[gate], broken)
    assert any(word in finding for finding in findings), f"{gate} said: {findings}"


@pytest.mark.parametrize("gate", GATES)
def test_no_gate_is_there_for_nothing(gate):
    assert any(caught_by == gate for _, _, caught_by, _ in BROKEN)


@pytest.mark.parametrize(
    "code,word",
    [
        ('self.clients.s3().delete_object().bucket("x")', "s3:DeleteObject"),
        (
            "let client = self.clients.dynamodb_streams();\n    client\n        .describe_stream()",
            "dynamodb:DescribeStream",
        ),
    ],
)
def test_a_new_call_needs_its_action(code, word):
    sources = iam.read_sources()
    sources["surroundings.rs"] += code
    assert any(f"Function needs {word}" in finding for finding in iam.findings(TEXT, sources))


def test_a_call_that_is_gone_leaves_no_action():
    sources = iam.read_sources()
    sources["surroundings.rs"] = sources["surroundings.rs"].replace(".get_queue_url()", ".queue()")
    assert any("sqs:GetQueueUrl is granted" in finding for finding in iam.findings(TEXT, sources))


def test_a_new_file_that_calls_aws_is_asked_whose_it_is():
    sources = {**iam.read_sources(), "news.rs": "clients.sqs().purge_queue()"}
    assert any(finding.startswith("news.rs calls AWS") for finding in iam.findings(TEXT, sources))


@pytest.mark.parametrize(
    "old,new,word",
    [
        ("## Dead letters\n\n**Means.**", "## Dead letters\n\n", "dead-letters has no part Means"),
        ("set_parameter OnInvalid", "set_parameter OnInvalids", "sets the parameter OnInvalids"),
        ("output HydratorDeadLetterQueueArn", "output DeadLetterQueueArn", "asks for the output DeadLetterQueueArn"),
        ("`BatchSuccessRate`", "`BatchSuccesRate`", "speaks of BatchSuccesRate"),
        ("`OldestFailureSeconds`", "`OldestFailuresSeconds`", "speaks of OldestFailuresSeconds"),
        ("--metric-name DestinationDeliveryFailures", "--metric-name DeliveryFailures", "has no DeliveryFailures"),
        ("--metric-name DestinationDeliveryFailures", "--metric-name=Errors", "asks for a metric in a way"),
        ('$.message = "record failed"', '$.message = "record broke"', "say 'record broke', which it does not write"),
        ("lines dlq-hydrator", "lines kinesis-processor", "lines of kinesis-processor that say 'message hydrated'"),
        ('$.message = "records lost"', '$.massage = "records lost"', "filters lines of dlq-hydrator by massage"),
        ('$.message = "batch done"', '$.message = "batch done" && $.batch.records = 1', "by batch.records"),
        ("$.record.status", "$.record.state", "by record.state"),
        ('."records.lost"', '."records.losst"', "reads records.losst of lines of dlq-hydrator"),
        ('."error.kind"', '."error.knd"', "reads error.knd of lines of dynamodb-processor"),
        ('."batch.passed"', '."batch.past"', "reads batch.past of lines of kinesis-processor"),
        ("{verdict, recovered", "{verdikt, recovered", "reads verdikt of lines of dlq-hydrator"),
        (".ProcessingLatency}", ".ProcessingLatencies}", "reads ProcessingLatencies of lines"),
        ("Messages, MessagesFailed}", "Messages, MessagesLost}", "reads MessagesLost of lines"),
        (", MessagesFailed}", ", IteratorAge}", "reads IteratorAge of lines of dlq-hydrator"),
        ('== "too_slow"', '== "slow"', "looks for 'slow' in lines of kinesis-processor"),
        (
            "lines dlq-hydrator '{ $.message = \"records lost\" }'",
            'lines dlq-hydrator "$LOST"',
            "into the log in a way",
        ),
        ("startSequenceNumber, endSequenceNumber", "first, last", "reads first of a recovered record"),
        (".failure.reason", ".failure.why", "reads why of a recovered record"),
        ("jq --raw-output .source.streamArn", "jq --raw-output .source.stream", "reads stream of a recovered record"),
        ('.type == "loss"', '.type == "lost"', "looks for 'lost' in recovered records"),
    ],
)
def test_the_runbook_is_held_to_what_there_is(old, new, word):
    findings = watched(runbook.findings, TEXT, runbook=changed(old, new, RUNBOOK))
    assert any(word in finding for finding in findings), findings


@pytest.mark.parametrize(
    "old,new,word",
    [
        ("## Throttled\n", "## Held back\n", "KinesisThrottles"),
        ("## Lost\n", "## New\n\n**Means.** **Look.** **Run.** **Over when**\n\n## Lost\n", "section new"),
    ],
)
def test_the_runbook_is_held_to_the_alarms(old, new, word):
    findings = watched(alarms.findings, TEXT, runbook=changed(old, new, RUNBOOK))
    assert any(word in finding for finding in findings), findings


@pytest.mark.parametrize(
    "old,new,word",
    [
        ('NAMESPACE: &str = "StreamRecovery"', 'NAMESPACE: &str = "Other"', "the functions write to Other"),
        (
            'EVENT_SOURCE: &str = "EventSource"',
            'EVENT_SOURCE: &str = "Stream"',
            "is written by ['FunctionName', 'Stream']",
        ),
        ("RECORDS_LOST", "RECORDS_MISSING", "no function writes RecordsLost"),
        ('"message hydrated"', '"hydrated"', "'message hydrated', which it does not write"),
        ("error.kind = %", "error.sort = %", "reads error.kind of lines of kinesis-processor"),
        ('.field("batch.passed"', '.field("batch.done"', "reads batch.passed of lines of kinesis-processor"),
        ("range.start = $", "range.first = $", "reads range.start of lines of dlq-hydrator"),
        ("    certainty: Certainty", "    sureness: Certainty", "reads certainty of a recovered record"),
    ],
)
def test_what_the_functions_write_is_what_is_asked_for(old, new, word):
    definitions, writers = metrics.read_code()
    # A definition that nobody uses is not written: the name is changed where it is used.
    if "&str" in old:
        definitions = changed(old, new, definitions)
    else:
        assert any(old in text for text in writers.values()), f"no function writes {old!r} any more"
        writers = {path: text.replace(old, new) for path, text in writers.items()}
    code = definitions, writers
    found = alarms.findings(TEXT, code=code) + runbook.findings(TEXT, code=code)
    assert any(word in finding for finding in found), found


def test_every_rule_has_found_something(request):
    """A rule without a negative test would not be missed when it is gone."""
    if request.config.option.keyword or request.config.args_source.name != "ARGS":
        pytest.skip("it takes all tests of this file")
    assert sorted(RULES - REACHED) == []
