"""The runbook names what there is: parameters, outputs, metrics, log lines and their fields, fields of recovered records.

A command that asks for what nobody writes succeeds and shows nothing. And what runs its commands, ministack, holds no log
line against a filter.
"""

import re

from metrics import OF_AWS, of_metric, own_metrics, own_names, read_code, written_by
from template import ROOT, parse

RUNBOOK = ROOT / "docs" / "runbook.md"
RECOVERED = "shared/recovery/src/recovered.rs"
PARTS = ("Means", "Look", "Run", "Over when")

# What is in a line beside the fields that its code gives it: of tracing, and of the platform, whose lines Lambda writes.
OF_EVERY_LINE = {"message", "timestamp", "level", "target"}
OF_THE_PLATFORM = {"type", "record", "record.status"}
# Of Lambda's on-failure message, which a command of the runbook writes by hand.
OF_A_MESSAGE = {"DDBStreamBatchInfo"}

_JQ = r"jq (?:--\S+ )*('[^']*'|\S+)"
# A look into the log: function, filter, and what is read of the lines.
LINES = re.compile(rf"\blines (\S+) '\{{ ([^']*) \}}'(?: \d+)?(?: \| {_JQ})?")
# A look into a recovered record or a loss report.
RECORDS = re.compile(rf'(?:body_of "\$message" \||" - \|)\s+{_JQ}|{_JQ} <<<"\$body"')
# A call of a macro that logs, as deep as its arguments go.
LOGS = re.compile(r"(?:tracing::\$?\w+|say)!\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")


def findings(text, runbook=None, code=None):
    """What the runbook names and there is not. code: what functions run."""
    template, runbook, code = parse(text), runbook or RUNBOOK.read_text(), code or read_code()
    # A command goes on in the next line.
    commands = re.sub(r"\\\n\s*", "", "".join(re.findall(r"^```sh\n(.*?)^```$", runbook, re.M | re.S)))
    prose = re.sub(r"^```sh\n.*?^```$", "", runbook, flags=re.M | re.S)
    return [
        *_of_sections(read_sections(runbook)),
        *_of_names(prose, runbook, template, code),
        *_of_metrics(commands, code),
        *_of_lines(commands, code),
        *_of_records(commands, code),
    ]


def read_sections(runbook):
    """The runbook's sections by their anchors, and the parts of each. The opening ones are no sections of an alarm."""
    sections = {}
    for section in runbook.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        if title != "Before anything else":
            sections[title.lower().replace(" ", "-")] = re.findall(r"^\*\*(Means|Look|Run|Over when)\b", body, re.M)
    return sections


def _of_sections(sections):
    for name, parts in sections.items():
        for part in PARTS:
            if part not in parts:
                yield f"the runbook's section {name} has no part {part}"


def _of_names(prose, runbook, template, code):
    for parameter in re.findall(r"set_parameter (\w+)", runbook):
        if parameter not in template["Parameters"]:
            yield f"the runbook sets the parameter {parameter}, which there is not"
    for output in re.findall(r'\b(?:output|waiting) "?([A-Z]\w+)', runbook):
        if output not in template["Outputs"]:
            yield f"the runbook asks for the output {output}, which there is not"
    measured = own_metrics(code) | {metric for _, metric in OF_AWS}
    known = {*template["Parameters"], *template["Outputs"], *measured, *OF_A_MESSAGE}
    for word in re.findall(r"`([A-Z]\w*[a-z][A-Z]\w*)[`=]", prose):
        # Without a source, of both.
        if word not in known and f"Kinesis{word}" not in known:
            yield f"the runbook speaks of {word}, which is no parameter, output or metric"


def _of_metrics(commands, code):
    asked = re.findall(r"--namespace (\S+) --metric-name (\S+) ([^\n]*)", commands)
    if len(asked) != commands.count("--metric-name"):
        yield "the runbook asks for a metric in a way that no rule understands"
    for namespace, metric, rest in asked:
        yield from of_metric(namespace, metric, re.findall(r"Name=(\w+),", rest), code)


def _of_lines(commands, code):
    looks = list(LINES.finditer(commands))
    if len(looks) != len(re.findall(r"\blines [$\w-]+ ['\"]", commands)):
        yield "the runbook looks into the log in a way that no rule understands"
    for look in looks:
        function, pattern, program = look.groups()
        loops = re.findall(r"for function in ([^;]+);", commands[: look.start()])
        for each in loops[-1].split() if function == "$function" else [function]:
            yield from _of_look(each, pattern, program or "", code)


def _of_look(function, pattern, program, code):
    texts = written_by(function, code)
    fields = OF_EVERY_LINE | (OF_THE_PLATFORM if '"platform.' in pattern else set())
    for message in re.findall(r'\$\.message = "([^"]+)"', pattern):
        writers = {path: text for path, text in texts.items() if f'"{message}"' in text}
        if not writers:
            yield f"the runbook looks for lines of {function} that say {message!r}, which it does not write"
        fields |= own_metrics(code, writers) | set(own_names(code)[1])
        fields |= {field for text in writers.values() for field in _fields(text)}
    for field in re.findall(r"\$\.([\w.]+)", pattern):
        # A dot in a filter looks into an object, and ours are flat.
        if field not in fields or "." in field and field not in OF_THE_PLATFORM:
            yield f"the runbook filters lines of {function} by {field}, which they do not have"
    for field in _read(program):
        if field not in fields:
            yield f"the runbook reads {field} of lines of {function}, which do not have it"
    for value in _compared(program):
        if not any(f'"{value}"' in text for text in texts.values()):
            yield f"the runbook looks for {value!r} in lines of {function}, which it does not write"


def _fields(text):
    """The fields that code gives to log lines: `.field("batch.records", ...)`, `shard.id = ...`, `%error`."""
    yield from re.findall(r'\.field\("([^"]+)"', text)
    for arguments in LOGS.findall(text):
        yield from re.findall(r"(?:^|,)\s*((?:\w+\.)*\w+) = ", arguments)
        yield from re.findall(r"(?:^|,)\s*[%?]((?:\w+\.)*\w+)\s*(?:,|$)", arguments)


def _of_records(commands, code):
    text = code[1][RECOVERED]
    names = re.findall(r"^\s+(?:pub )?(\w+): ", text, re.M)
    fields = {re.sub(r"_(\w)", lambda match: match[1].upper(), name) for name in names}
    fields |= set(re.findall(r'serde\(rename = "(\w+)"\)', text))
    for programs in RECORDS.findall(commands):
        for field in _read("".join(programs)):
            if field not in fields:
                yield f"the runbook reads {field} of a recovered record, which does not have it"
        for value in _compared("".join(programs)):
            if f'"{value}"' not in text:
                yield f"the runbook looks for {value!r} in recovered records, which none of them says"


def _read(program):
    """The names that a program of jq reads: `."batch.records"`, `.error`, and `{duration_ms}`, which is short for one."""
    quoted = re.findall(r'\."([^"]+)"', program)
    rest = re.sub(r'"[^"]*"', "", program)
    short = [
        name.strip() for braces in re.findall(r"\{([^{}]*)\}", rest) for name in braces.split(",") if ":" not in name
    ]
    return [*quoted, *re.findall(r"\.([a-zA-Z_]\w*)", rest), *short]


def _compared(program):
    """The texts that a program of jq compares with."""
    return re.findall(r'== "(\w+)"', program)
