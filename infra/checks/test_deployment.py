"""The expanded template stands on ministack's CloudFormation, and the functions do in it what they are for."""

import base64
import datetime
import json

import pytest

from deployment import STACK, for_ministack, wait_for
from expand import expand
from template import TEMPLATE

RECOVERED_SECONDS_MAX = 60
GOOD = b'{"order_id":"1","customer_id":"c","amount":5,"currency":"EUR","items":[]}'
# What no order is, byte for byte: text that is no JSON, and bytes that are no text.
POISON = b"\xff\x00 not an order, \xc3\xa4"


@pytest.fixture
def receive(deployment):
    return receiver(deployment, deployment.outputs["RecoveredQueueUrl"])


def receiver(deployment, url):
    """Takes the next entry out of a recovered queue."""
    sqs = deployment.client("sqs")

    def one():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return json.loads(message["Body"])
        return None

    return lambda: wait_for(RECOVERED_SECONDS_MAX, "an entry in the recovered queue", one)


def on_failure(info, stream, shard, numbers, source="Kinesis"):
    """An on-failure message as Lambda writes it."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(
        {
            "requestContext": {
                "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
                "functionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{STACK}-{source.lower()}-processor",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 6,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": None},
            "version": "1.0",
            "timestamp": now,
            info: {
                "shardId": shard,
                "startSequenceNumber": numbers[0],
                "endSequenceNumber": numbers[-1],
                "approximateArrivalOfFirstRecord": now,
                "approximateArrivalOfLastRecord": now,
                "batchSize": len(numbers),
                "streamArn": stream,
            },
        }
    )


def put_on_kinesis(deployment, *payloads):
    """Puts records on one shard; returns the shard and their numbers."""
    put = [
        deployment.client("kinesis").put_record(
            StreamARN=deployment.outputs["KinesisStreamArn"], Data=data, PartitionKey="customer-1"
        )
        for data in payloads
    ]
    assert len({each["ShardId"] for each in put}) == 1
    return put[0]["ShardId"], [each["SequenceNumber"] for each in put]


def test_every_resource_stands(deployment):
    conditional = {
        "StreamConsumer",
        "KinesisFailureBucket",
        "KinesisFailureBucketPolicy",
        "DynamoDbFailureBucket",
        "DynamoDbFailureBucketPolicy",
        "WarningTopicEmail",
        "CriticalTopicEmail",
    }
    listed = deployment.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    standing = {resource["LogicalResourceId"] for resource in listed if resource["ResourceStatus"] == "CREATE_COMPLETE"}
    assert standing == set(for_ministack(expand(TEMPLATE.read_text()))["Resources"]) - conditional


def test_the_mappings_have_the_templates_settings(deployment):
    mapping = deployment.client("lambda").get_event_source_mapping(UUID=deployment.outputs["KinesisMappingId"])
    expected = {
        "BatchSize": 100,
        "StartingPosition": "TRIM_HORIZON",
        "MaximumRetryAttempts": 5,
        "MaximumRecordAgeInSeconds": 21600,
        "BisectBatchOnFunctionError": True,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    assert {name: mapping.get(name) for name in expected} == expected
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"].endswith(f":{STACK}-kinesis-failures")


def test_a_record_of_the_stream_comes_back_byte_for_byte(deployment, receive):
    shard, numbers = put_on_kinesis(deployment, GOOD, POISON, GOOD)
    message = on_failure("KinesisBatchInfo", deployment.outputs["KinesisStreamArn"], shard, numbers[1:2])
    deployment.client("sqs").send_message(QueueUrl=deployment.outputs["KinesisFailureQueueUrl"], MessageBody=message)
    entry = receive()
    assert (entry["type"], entry["verdict"], entry["certainty"]) == ("record", "complete", "certain")
    assert entry["source"]["sequenceNumber"] == numbers[1]
    assert base64.b64decode(entry["event"]["kinesis"]["data"]) == POISON
    assert entry["event"]["invokeIdentityArn"].split(":role/")[1].startswith(f"{STACK}-KinesisProcessorRole")
    # Its message is deleted once both sinks have the record, so that the archive can be read after that.
    is_empty(deployment, "KinesisFailureQueueUrl")
    is_archived(deployment, numbers[1], POISON)


def is_archived(deployment, number, payload):
    """The archive holds the record as well, as a line of JSON."""
    s3, bucket = deployment.client("s3"), deployment.outputs["ArchiveBucketName"]
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="recovered/").get("Contents", [])]
    lines = [
        json.loads(line) for key in keys for line in s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()
    ]
    [line] = [line for line in lines if line["type"] == "record" and line["source"]["sequenceNumber"] == number]
    assert base64.b64decode(line["event"]["kinesis"]["data"]) == payload


def is_empty(deployment, queue):
    """Nothing waits on the queue, and nothing is in flight: the mapping has deleted the message."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def counts():
        attributes = deployment.client("sqs").get_queue_attributes(
            QueueUrl=deployment.outputs[queue], AttributeNames=names
        )
        return all(attributes["Attributes"][name] == "0" for name in names)

    wait_for(RECOVERED_SECONDS_MAX, f"{queue} to be empty", counts)


def test_a_change_of_the_table_comes_back(deployment, receive):
    stream = deployment.outputs["TableStreamArn"]
    deployment.client("dynamodb").put_item(
        TableName=f"{STACK}-orders", Item={"order_id": {"S": "7"}, "amount": {"N": "-5"}, "raw": {"B": POISON}}
    )
    streams = deployment.client("dynamodbstreams")
    shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    record = streams.get_records(ShardIterator=iterator)["Records"][-1]["dynamodb"]
    message = on_failure("DDBStreamBatchInfo", stream, shard, [record["SequenceNumber"]], "DynamoDb")
    deployment.client("sqs").send_message(QueueUrl=deployment.outputs["DynamoDbFailureQueueUrl"], MessageBody=message)
    entry = receive()
    assert entry["source"]["sequenceNumber"] == record["SequenceNumber"]
    assert base64.b64decode(entry["event"]["dynamodb"]["NewImage"]["raw"]["B"]) == POISON
    is_empty(deployment, "DynamoDbFailureQueueUrl")


def test_what_is_no_on_failure_message_stays(deployment):
    sqs, url = deployment.client("sqs"), deployment.outputs["DynamoDbFailureQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    waiting = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    wait_for(
        RECOVERED_SECONDS_MAX,
        "the hydrator to refuse it",
        lambda: has_said(deployment, "dlq-hydrator", "message not hydrated"),
    )
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=waiting)["Attributes"]
    assert sum(int(attributes[name]) for name in waiting) == 1, "it is still on its queue"


@pytest.mark.parametrize("package", ["kinesis-processor", "dynamodb-processor"])
def test_the_processor_is_invoked_by_its_mapping(deployment, package):
    put_on_kinesis(deployment, GOOD)
    wait_for(RECOVERED_SECONDS_MAX, f"{package} to handle a batch", lambda: has_said(deployment, package, "batch done"))


def has_said(deployment, package, text):
    """Whether a line of the function's log has a text."""
    group = f"/aws/lambda/{STACK}-{package}"
    events = deployment.client("logs").filter_log_events(logGroupName=group, filterPattern="")["events"]
    return any(text in event["message"] for event in events)
