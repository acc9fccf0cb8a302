"""The SAM template as data, and the pieces of it that several rules look at."""

import functools
import json
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra" / "template.yaml"
NO_VALUE = {"Ref": "AWS::NoValue"}
# The condition of what is there under any.
ALWAYS = None

# The functions, by their logical ids: the packages that their code is.
FUNCTIONS = {
    "KinesisProcessor": "kinesis-processor",
    "DynamoDbProcessor": "dynamodb-processor",
    "Hydrator": "dlq-hydrator",
}
# Whose records they are, as `spelled` spells it: the stack's own stream, or the one that is there already.
STREAM_ARN = "CreateStream ? ${Stream.Arn} : ${KinesisStreamArn}"
TABLE_ARN = "CreateTable ? ${Table.StreamArn} : ${TableStreamArn}"


@functools.lru_cache(maxsize=4)
def parse(text):
    """The template, with CloudFormation's short tags spelt out: `!Ref X` is {"Ref": "X"}."""
    return yaml_parse(text)


def of_type(template, kind):
    """Logical id and properties of each resource of a type, in the template's order."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def ways(value, condition=ALWAYS):
    """What a value can be, each with its condition: both ways of an `!If`, without `AWS::NoValue`."""
    if isinstance(value, dict) and "Fn::If" in value:
        name, yes, no = value["Fn::If"]
        return [*ways(yes, name), *ways(no, f"not {name}")]
    return [] if value == NO_VALUE else [(condition, value)]


def choices(value):
    """What a value can be, whatever its condition."""
    return [choice for _, choice in ways(value)]


def spelled(value):
    """A value with its references as `!Sub` spells them, so that rules can hold it literally.

    `!GetAtt Key.Arn` is "${Key.Arn}", and `!If [FansOut, !Ref A, !Ref B]` is "FansOut ? ${A} : ${B}".
    """
    match value:
        case {"Ref": name} | {"Fn::GetAtt": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": path}:
            return f"${{{'.'.join(path)}}}"
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::If": [condition, yes, no]}:
            ways_to_go = [spelled(yes), spelled(no)]
            texts = all(isinstance(way, str) for way in ways_to_go)
            return f"{condition} ? {' : '.join(ways_to_go)}" if texts else {"Fn::If": [condition, *ways_to_go]}
        case dict():
            return {key: spelled(inner) for key, inner in value.items()}
        case list():
            return [spelled(inner) for inner in value]
    return value


def default(template, value):
    """What a value is by default: a reference's parameter's default, or the value itself."""
    if isinstance(value, dict) and value.get("Ref") in template["Parameters"]:
        return template["Parameters"][value["Ref"]].get("Default")
    return value


def references(value):
    """Names of all that a value refers to, by `Ref`, `Fn::GetAtt` and `Fn::Sub`."""
    return set(_references(json.loads(json.dumps(value, default=str))))


def _references(value):
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner.split(".")[0] if isinstance(inner, str) else inner[0]
            elif key == "Fn::Sub":
                text, names = (inner, {}) if isinstance(inner, str) else inner
                yield from (name.split(".")[0] for name in _placeholders(text) if name not in names)
                yield from _references(names)
            else:
                yield from _references(inner)


def _placeholders(text):
    return [piece.split("}")[0] for piece in text.split("${")[1:]]
