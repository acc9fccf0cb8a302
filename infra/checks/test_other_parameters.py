"""The template with the other way of each choice, beside the first stack: sources that are there already, failures to S3,
quarantine, windows, filters, mail."""

import base64
import json

import pytest

from deployment import STACK
from test_deployment import GOOD, POISON, on_failure, receiver

OTHER = "other-recovery"


@pytest.fixture(scope="module")
def other(deployment):
    """The outputs of a stack whose sources are not its own."""
    kinesis, dynamodb = deployment.client("kinesis"), deployment.client("dynamodb")
    kinesis.create_stream(StreamName="given", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="given")
    table = dynamodb.create_table(
        TableName="given",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "order_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    summary = kinesis.describe_stream_summary(StreamName="given")["StreamDescriptionSummary"]
    return deployment.create_stack(
        OTHER,
        KinesisStreamArn=summary["StreamARN"],
        TableStreamArn=table["LatestStreamArn"],
        OnFailureDestination="s3",
        OnInvalid="quarantine",
        DynamoDbTumblingWindowSeconds="60",
        DynamoDbFilterPattern='{"eventName":["INSERT"]}',
        AlarmEmail="somebody@example.com",
        Tracing="PassThrough",
    )


def test_it_makes_what_was_chosen_and_nothing_else(deployment, other):
    listed = deployment.client("cloudformation").describe_stack_resources(StackName=OTHER)["StackResources"]
    standing = {resource["LogicalResourceId"] for resource in listed}
    assert {"KinesisFailureBucket", "DynamoDbFailureBucket", "WarningTopicEmail", "CriticalTopicEmail"} <= standing
    assert not {"Stream", "Table", "StreamConsumer"} & standing
    assert other["KinesisStreamArn"].endswith(":stream/given")


def test_the_mapping_has_the_other_settings(deployment, other):
    mapping = deployment.client("lambda").get_event_source_mapping(UUID=other["DynamoDbMappingId"])
    # ministack's CloudFormation leaves TumblingWindowInSeconds out; the function's variable goes by the same parameter.
    assert mapping["FilterCriteria"]["Filters"] == [{"Pattern": '{"eventName":["INSERT"]}'}]
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"].startswith(
        f"arn:aws:s3:::{OTHER}-dynamodb-failures-"
    )
    functions = deployment.client("lambda")
    variables = functions.get_function_configuration(FunctionName=other["DynamoDbProcessorName"])["Environment"][
        "Variables"
    ]
    assert variables["TUMBLING_WINDOW"] == "on" and variables["SINK"].endswith(f"/{OTHER}-recovered")


def test_an_invalid_record_is_quarantined_by_the_deployed_processor(deployment, other):
    deployment.client("kinesis").put_record(StreamName="given", Data=POISON, PartitionKey="customer-1")
    entry = receiver(deployment, other["RecoveredQueueUrl"])()
    assert entry["failure"]["condition"] == "QuarantinedByProcessor"
    assert base64.b64decode(entry["event"]["kinesis"]["data"]) == POISON


def test_what_lambda_puts_into_the_bucket_comes_to_the_recovered_queue(deployment, other):
    kinesis, stream = deployment.client("kinesis"), other["KinesisStreamArn"]
    put = kinesis.put_record(StreamName="given", Data=GOOD, PartitionKey="customer-1")
    message = json.loads(on_failure("KinesisBatchInfo", stream, put["ShardId"], [put["SequenceNumber"]]))
    key = f"aws/lambda/{other['KinesisMappingId']}/{put['ShardId']}/2026/11/26/2026-11-26T10.00.00-1"
    bucket = f"{OTHER}-kinesis-failures-000000000000-us-east-1"
    deployment.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(message))
    entry = receiver(deployment, other["RecoveredQueueUrl"])()
    assert entry["source"]["sequenceNumber"] == put["SequenceNumber"]
    assert base64.b64decode(entry["event"]["kinesis"]["data"]) == GOOD


def test_the_two_stacks_share_nothing(other, deployment):
    shared = {name for name, value in other.items() if value == deployment.outputs[name]}
    assert shared == set(), f"{STACK} and {OTHER} have these in common"
