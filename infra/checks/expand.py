"""Expands the SAM template into plain CloudFormation, without the network.

Run by hand: python infra/checks/expand.py > expanded.json
"""

import json
import os
import sys
from pathlib import Path

from samtranslator.public.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"

# The translator wants one, and writes it nowhere.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

# What stands in for the code of a function where only the template matters.
NO_CODE = {"Bucket": "code", "Key": "function.zip"}


class NoManagedPolicies:
    """The template names none, so that nobody has to be asked for their ARNs."""

    def load(self):
        return {}


def expand(text, code=None):
    """CloudFormation for a SAM template.

    code: where each function's zip is, {logical id: {"Bucket": ..., "Key": ...}}.
    Raises ValueError with all that is wrong, if the template cannot be expanded.
    """
    template = yaml_parse(text)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = (code or {}).get(name, NO_CODE)
    try:
        return transform(template, {}, NoManagedPolicies())
    except InvalidDocumentException as error:
        raise ValueError("; ".join([error.message, *(cause.message for cause in error.causes)])) from error


if __name__ == "__main__":
    json.dump(expand(TEMPLATE.read_text()), sys.stdout, indent=1, default=str)
