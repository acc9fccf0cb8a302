"""Every command of the runbook, run as it stands there against the deployed stack."""

import json
import re
import subprocess

import pytest

from alarms import RUNBOOK
from ministack import wait_for
from test_deployment import POISON, put_on_kinesis

TEXT = RUNBOOK.read_text()
COMMAND_SECONDS_MAX = 120


def blocks():
    """The runbook's blocks of commands, each with its section and its number in it."""
    for section in TEXT.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        for number, block in enumerate(re.findall(r"^```sh\n(.*?)^```$", body, re.M | re.S), 1):
            yield f"{title} {number}", block


BLOCKS = dict(blocks())
SHARED = BLOCKS.pop("Before anything else 1")

# What the block would do on AWS and ministack cannot, and why.
NOT_ON_MINISTACK = {}

# What has to be in the output, where more than success can be told.
SAYS = {
    "Falling behind 1": '"Parallel": 1',
    "Failing records 5": "ApproximateNumberOfMessages",
    "Throttled 1": "ConcurrentExecutions",
    "Throttled 2": "ReservedConcurrentExecutions",
    "Destination failures 1": "kinesis-failures",
    "Destination failures 4": "shardId-",
    "Recovered records 1": "ApproximateNumberOfMessages",
}


def run(deployment, commands, **variables):
    environment = {**deployment.environment(), **variables}
    script = f"set -euo pipefail\n{SHARED}\n{commands}"
    ran = subprocess.run(
        ["bash", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        stdin=subprocess.DEVNULL,
    )
    assert ran.returncode == 0, f"{commands}\nended with {ran.returncode}:\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def test_the_runbook_has_commands():
    # Fewer would mean that they are not found.
    assert len(BLOCKS) > 25


@pytest.mark.parametrize(
    "name", [name for name in BLOCKS if "${SHARD:?" not in BLOCKS[name] and "replay" not in BLOCKS[name]]
)
def test_the_command_runs(deployment, name):
    if name in NOT_ON_MINISTACK:
        pytest.skip(NOT_ON_MINISTACK[name])
    assert SAYS.get(name, "") in run(deployment, BLOCKS[name], HOURS="336")


def test_a_command_that_needs_more_says_what(deployment):
    environment = deployment.environment()
    ran = subprocess.run(
        ["bash", "-c", f"{SHARED}\n{BLOCKS['Destination failures 3']}"], env=environment, capture_output=True, text=True
    )
    assert "SHARD: the shard that the log names" in ran.stderr and "send" not in ran.stdout


def test_a_parameter_is_set_and_the_others_stay(deployment):
    def parameters():
        stack = deployment.client("cloudformation").describe_stacks(StackName="stream-recovery")["Stacks"][0]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}

    before = parameters()
    run(deployment, "set_parameter HydratorMaximumReceives 7")
    assert parameters() == {**before, "HydratorMaximumReceives": "7"}
    queue = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.outputs["KinesisFailureQueueUrl"], AttributeNames=["RedrivePolicy"]
    )
    assert json.loads(queue["Attributes"]["RedrivePolicy"])["maxReceiveCount"] in (7, "7")


def test_what_lambda_dropped_is_read_back_and_replayed(deployment):
    """The way from a dropped record to a handled one, by the runbook's own commands."""
    shard, numbers = put_on_kinesis(
        deployment, b'{"order_id":"9","customer_id":"c","amount":7,"currency":"EUR"}', POISON
    )
    run(deployment, BLOCKS["Destination failures 3"], SHARD=shard, START=numbers[0], END=numbers[1], COUNT="2")
    replay, said = BLOCKS["Recovered records 3"], []

    def both_replayed():
        said.append(run(deployment, replay))
        handled = any("handled, and deleted" in each for each in said)
        refused = any(
            f'failed again, and left in the queue: {{"batchItemFailures":[{{"itemIdentifier":"{numbers[1]}"' in each
            for each in said
        )
        return handled and refused

    wait_for(60, "one record to be handled and the other to fail again", both_replayed)
    assert "the queue is empty" in run(deployment, replay), (
        "the failed one is hidden for five minutes, and the other gone"
    )
