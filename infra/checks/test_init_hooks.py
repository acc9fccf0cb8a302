"""The init hooks of `localstack/compose.yaml` make what the template makes: both run on one ministack, and are compared."""

import json
import subprocess

import pytest

from deployment import STACK
from template import ROOT, TEMPLATE, default, of_type, parse

HOOK = ROOT / "localstack" / "init" / "ready.d" / "10-resources.sh"
HOOKED = "hooked"
QUEUES = ("kinesis-failures", "dynamodb-failures", "hydrator-dead-letters", "recovered")


@pytest.fixture(scope="module")
def hooked(deployment):
    """Runs the hook twice: what is there has to stay as it is."""
    for _ in range(2):
        environment = {**deployment.environment(), "STACK": HOOKED}
        ran = subprocess.run(["sh", HOOK], env=environment, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    return deployment


@pytest.mark.parametrize("queue", QUEUES)
def test_the_queue_is_the_templates(hooked, queue):
    def settings(stack):
        sqs = hooked.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{stack}-{queue}")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
        redrive = (
            redrive.get("deadLetterTargetArn", "").replace(stack, "STACK"),
            int(redrive.get("maxReceiveCount", 0)),
        )
        return attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"], redrive

    assert settings(HOOKED) == settings(STACK)


def test_the_table_is_the_templates(hooked):
    def table(stack):
        described = hooked.client("dynamodb").describe_table(TableName=f"{stack}-orders")["Table"]
        return described["KeySchema"], described["AttributeDefinitions"], described["StreamSpecification"]

    assert table(HOOKED) == table(STACK)


def test_the_stream_keeps_its_records_as_long_as_the_templates(hooked):
    def hours(stack):
        stream = hooked.client("kinesis").describe_stream_summary(StreamName=f"{stack}-orders")
        assert stream["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"
        return stream["StreamDescriptionSummary"]["RetentionPeriodHours"]

    assert hours(HOOKED) == hours(STACK)


def test_the_archive_expires_as_the_templates(hooked):
    # Of the stack's own bucket ministack's CloudFormation leaves the rule out: the template itself is read.
    template = parse(TEMPLATE.read_text())
    [expected] = dict(of_type(template, "AWS::S3::Bucket"))["ArchiveBucket"]["LifecycleConfiguration"]["Rules"]
    bucket = f"{HOOKED}-archive-000000000000-us-east-1"
    [rule] = hooked.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["Expiration"]["Days"] == default(template, expected["ExpirationInDays"])
    for setting in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        assert rule[setting] == expected[setting]


def test_the_archive_keeps_what_is_overwritten(hooked):
    bucket = f"{HOOKED}-archive-000000000000-us-east-1"
    assert hooked.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_without_an_endpoint_it_makes_nothing():
    ran = subprocess.run(["sh", HOOK], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert ran.returncode == 1 and "expected the URL of a stand-in" in ran.stderr
