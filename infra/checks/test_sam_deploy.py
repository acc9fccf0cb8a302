"""`sam deploy` as `samconfig.toml` tells it: the bucket for the code, the change set, the stack; then once more."""

import json
import subprocess

import pytest
from samtranslator.yaml_helper import yaml_parse

from deployment import for_ministack
from template import FUNCTIONS, ROOT, TEMPLATE

# Not the name in samconfig.toml: that stack is there already, for the other tests.
STACK = "deployed"
DEPLOY_SECONDS_MAX = 180


@pytest.fixture
def built(deployment, tmp_path):
    """What `sam build` leaves behind: the template beside the code."""
    template = for_ministack(yaml_parse(TEMPLATE.read_text()))
    for name in FUNCTIONS:
        template["Resources"][name]["Properties"]["CodeUri"] = str(deployment.zips[name])
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template, default=str))
    return path


def sam_deploy(deployment, template):
    command = ["sam", "deploy", "--config-file", ROOT / "infra" / "samconfig.toml", "--template-file", template]
    command += ["--stack-name", STACK, "--no-confirm-changeset"]
    return subprocess.run(
        command,
        cwd=ROOT / "infra",
        env={**deployment.environment(), "SAM_CLI_TELEMETRY": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEPLOY_SECONDS_MAX,
    )


def test_sam_deploys_by_its_configuration_and_has_nothing_to_do_the_second_time(deployment, built):
    ran = sam_deploy(deployment, built)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    for name, package in FUNCTIONS.items():
        function = deployment.client("lambda").get_function_configuration(FunctionName=f"{STACK}-{package}")
        assert function["CodeSize"] == deployment.zips[name].stat().st_size
        # As samconfig.toml says, whatever this machine is.
        assert function["Architectures"] == ["arm64"]

    again = sam_deploy(deployment, built)
    assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-3000:]
    assert f"Stack {STACK} is up to date" in again.stdout
