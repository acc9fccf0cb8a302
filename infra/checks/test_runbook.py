"""The runbook's blocks of commands, run as they stand there against the deployed stack."""

import datetime
import json
import re
import subprocess

import pytest

from deployment import STACK, wait_for
from runbook import RUNBOOK
from test_deployment import GOOD, POISON, put_on_kinesis

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
NOT_ON_MINISTACK = {"Dead letters 2": "ministack 1.5.33 has no StartMessageMoveTask"}

# What has to be in the output, where more than success can be told.
SAYS = {
    "Falling behind 1": '"Parallel": 1',
    "Falling behind 3": "KinesisParallelizationFactor is 4",
    "Standing still 2": "KinesisEnabled is true",
    "Failing records 5": "ApproximateNumberOfMessages",
    "Throttled 1": "ConcurrentExecutions",
    "Destination failures 2": "kinesis-failures",
    "Destination failures 4": "shardId-",
    "Destination failures 6": "shardId-",
    "Standing still 1": "State",
    "Recovered records 1": "ApproximateNumberOfMessages",
}


# The CLI's first version, which is what PyPI has, heeds AWS_ENDPOINT_URL for all services but SQS.
AT_THE_ENDPOINT = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'


def an_hour_ago():
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def run(deployment, commands, **variables):
    environment = {**deployment.environment(), **variables}
    script = f"set -euo pipefail\n{AT_THE_ENDPOINT}\n{SHARED}\n{commands}"
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
    assert SAYS.get(name, "") in run(deployment, BLOCKS[name], HOURS="336", FROM=an_hour_ago())


def test_a_command_that_needs_more_says_what(deployment):
    environment = deployment.environment()
    ran = subprocess.run(
        ["bash", "-c", f"{AT_THE_ENDPOINT}\n{SHARED}\n{BLOCKS['Destination failures 5']}"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "SHARD: the shard that the log names" in ran.stderr and "send" not in ran.stdout


def test_a_parameter_is_set_and_the_others_stay(deployment):
    def parameters():
        stack = deployment.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}

    before = parameters()
    run(deployment, "set_parameter KinesisBatchSize 7")
    assert parameters() == {**before, "KinesisBatchSize": "7"}
    mapping = deployment.client("lambda").get_event_source_mapping(UUID=deployment.outputs["KinesisMappingId"])
    assert mapping["BatchSize"] == 7


def test_what_lambda_dropped_is_read_back_and_replayed(deployment):
    """The way from a dropped record to a handled one, by the runbook's own commands."""
    run(deployment, "set_parameter OnInvalid retry")
    deployment.client("sqs").purge_queue(QueueUrl=deployment.outputs["RecoveredQueueUrl"])
    shard, numbers = put_on_kinesis(deployment, GOOD, POISON)
    range_of_both = {"SHARD": shard, "FIRST": numbers[0], "LAST": numbers[1], "COUNT": "2"}
    run(deployment, BLOCKS["Destination failures 5"], **range_of_both)
    replay, said = BLOCKS["Recovered records 2"], []

    def both_replayed():
        said.append(run(deployment, replay))
        handled = any("handled, and deleted" in each for each in said)
        refused = any("failed again" in each and numbers[1] in each for each in said)
        return handled and refused

    wait_for(60, "one record to be handled and the other to fail again", both_replayed)
    assert "nothing to receive" in run(deployment, replay), "what failed is hidden for five minutes, and the other gone"


def test_the_first_record_of_a_time_is_found(deployment):
    shard, numbers = put_on_kinesis(deployment, GOOD)
    found = run(deployment, BLOCKS["Destination failures 4"], FROM=an_hour_ago())
    assert any(line.split()[0] == shard and len(line.split()) == 2 for line in found.splitlines()), found


def test_a_record_too_large_for_the_queue_is_replayed(deployment):
    run(deployment, "set_parameter OnInvalid retry")
    deployment.client("sqs").purge_queue(QueueUrl=deployment.outputs["RecoveredQueueUrl"])
    large = json.dumps({**json.loads(GOOD), "note": "x" * 900_000}).encode()
    shard, [number] = put_on_kinesis(deployment, large)
    alone = {"SHARD": shard, "FIRST": number, "LAST": number, "COUNT": "1"}
    run(deployment, BLOCKS["Destination failures 5"], **alone)
    replay = BLOCKS["Recovered records 2"]
    wait_for(60, "the large record to be handled", lambda: "handled, and deleted" in run(deployment, replay))
