"""The template passes every gate; and every gate catches what it is there for."""

import pytest

import alarms
import iam
from gates import GATES
from template import TEMPLATE

TEXT = TEMPLATE.read_text()
RUNBOOK = alarms.RUNBOOK.read_text()


def changed(old, new, text=TEXT):
    """The template with one thing changed, wherever it stands."""
    assert old in text, f"the template does not have {old!r} any more: change this test with it"
    return text.replace(old, new)


def with_event(properties):
    """The template with a mapping under a function's Events, where linters of the source do not look."""
    event = f"      Events:\n        Orders:\n          Type: Kinesis\n          Properties: {properties}\n"
    return changed("      CodeUri: ../functions/dlq-hydrator\n", "      CodeUri: ../functions/dlq-hydrator\n" + event)


@pytest.mark.parametrize("gate", GATES)
def test_the_template_passes(gate):
    assert GATES[gate](TEXT) == []


STREAM = "Stream: arn:aws:kinesis:us-east-1:111122223333:stream/orders"

# What is broken, the broken template, the gate that has to say so, and a word that it has to say.
BROKEN = [
    (
        "a misspelt property of a function",
        changed("MemorySize: !Ref HydratorMemory", "MemorySise: !Ref HydratorMemory"),
        "sam validate",
        "MemorySise",
    ),
    (
        "a misspelt property under Events",
        with_event(f"{{ {STREAM}, StartingPosition: LATEST, MaximumRetryAttemptz: 1 }}"),
        "sam validate",
        "MaximumRetryAttemptz",
    ),
    (
        "a starting position that does not exist",
        changed("StartingPosition: !Ref DynamoDbStartingPosition", "StartingPosition: BOGUS"),
        "cfn-lint on the source",
        "BOGUS",
    ),
    (
        "a misspelt setting of a mapping",
        changed("BisectBatchOnFunctionError:", "BisectBatchOnFunctionErrors:"),
        "cfn-lint on the source",
        "BisectBatchOnFunctionErrors",
    ),
    (
        "a reference to nothing",
        changed("!GetAtt DynamoDbFailureQueue.Arn", "!GetAtt TableFailureQueue.Arn"),
        "cfn-lint on the source",
        "TableFailureQueue",
    ),
    (
        "a starting position under Events",
        with_event(f"{{ {STREAM}, StartingPosition: BOGUS }}"),
        "cfn-lint on the expansion",
        "BOGUS",
    ),
    (
        "a queue without encryption",
        changed("      KmsMasterKeyId: !GetAtt Key.Arn\n      MessageRetentionPeriod", "      MessageRetentionPeriod"),
        "checkov",
        "CKV_AWS_27",
    ),
    (
        "a table without its key",
        changed("      SSESpecification: { SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !GetAtt Key.Arn }\n", ""),
        "checkov",
        "CKV_AWS_119",
    ),
    (
        "a bucket that may be public",
        changed("        BlockPublicPolicy: true\n", "        BlockPublicPolicy: false\n"),
        "checkov",
        "CKV_AWS_54",
    ),
    (
        "a call without its action",
        changed("[sqs:GetQueueUrl, sqs:SendMessage]", "[sqs:SendMessage]"),
        "roles",
        "sqs:GetQueueUrl",
    ),
    (
        "an action without a call",
        changed(
            "[dynamodb:GetRecords, dynamodb:GetShardIterator]",
            "[dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:PutItem]",
        ),
        "roles",
        "dynamodb:PutItem",
    ),
    (
        "a wildcard among the actions",
        changed("Action: lambda:ListEventSourceMappings", "Action: lambda:List*"),
        "roles",
        "lambda:List*",
    ),
    (
        "an action on everything",
        changed("Resource: !GetAtt RecoveredQueue.Arn", 'Resource: "*"'),
        "roles",
        "granted on everything",
    ),
    (
        "what Lambda polls by is missing",
        changed("                  - kinesis:ListShards\n", ""),
        "roles",
        "kinesis:ListShards",
    ),
    (
        "a key that the role may not use",
        changed(
            "Action: [kms:Decrypt, kms:GenerateDataKey]\n                Resource: !GetAtt Key.Arn",
            "Action: kms:Decrypt\n                Resource: !GetAtt Key.Arn",
        ),
        "roles",
        "kms:GenerateDataKey",
    ),
    (
        "an alarm on a metric that nobody writes",
        changed("MetricName: RecordsLost", "MetricName: RecordsMissing"),
        "alarms",
        "RecordsMissing",
    ),
    (
        "an alarm by a dimension that the metric does not have",
        changed(
            "        - { Name: EventSourceMappingUUID, Value: !Ref KinesisMapping }",
            "        - { Name: FunctionName, Value: !Ref KinesisProcessor }",
        ),
        "alarms",
        "DroppedEventCount",
    ),
    (
        "an alarm that names no section",
        changed("docs/runbook.md#dead-letters", "docs/runbook.md#dead-letter"),
        "alarms",
        "HydratorDeadLetters",
    ),
    (
        "a threshold that is another",
        changed(
            "IteratorAgeCriticalMilliseconds: { Type: Number, Default: 10000",
            "IteratorAgeCriticalMilliseconds: { Type: Number, Default: 600000",
        ),
        "alarms",
        "IteratorAge of KinesisProcessor",
    ),
    (
        "an alarm that is gone",
        changed("      MetricName: DestinationDeliveryFailures\n", "      MetricName: Errors\n"),
        "alarms",
        "DestinationDeliveryFailures of",
    ),
    (
        "an alarm that goes to the wrong people",
        changed("${AWS::StackName}-critical-kinesis-lost", "${AWS::StackName}-warning-kinesis-lost"),
        "alarms",
        "KinesisLost",
    ),
    (
        "an alarm that looks the wrong way",
        changed("ComparisonOperator: LessThanThreshold", "ComparisonOperator: GreaterThanThreshold"),
        "alarms",
        "KinesisExpiryWarning",
    ),
    (
        "a dashboard that lacks an alarm",
        changed('                "${KinesisLost.Arn}",\n', ""),
        "alarms",
        "KinesisLost is not on it",
    ),
    (
        "a dashboard that shows what nobody writes",
        changed('"StreamRecovery", "StreamThrottles"', '"StreamRecovery", "Throttled"'),
        "alarms",
        "Throttled",
    ),
    (
        "retries for ever",
        changed(
            "KinesisMaximumRetryAttempts:\n    Type: Number\n    Default: 5\n    MinValue: 0",
            "KinesisMaximumRetryAttempts:\n    Type: Number\n    Default: -1\n    MinValue: -1",
        ),
        "settings",
        "for ever",
    ),
    (
        "a record age that leaves the hydrator nothing",
        changed(
            "Default: 21600\n    MinValue: 60\n    MaxValue: 43200",
            "Default: 86400\n    MinValue: 60\n    MaxValue: 86400",
        ),
        "settings",
        "MaximumRecordAgeInSeconds",
    ),
    (
        "no partial responses",
        changed("      FunctionResponseTypes: [ReportBatchItemFailures]\n", ""),
        "settings",
        "partial batch responses are off",
    ),
    (
        "no bisect",
        changed("BisectBatchOnFunctionError: !Ref KinesisBisectBatch", 'BisectBatchOnFunctionError: "false"'),
        "settings",
        "BisectBatchOnFunctionError",
    ),
    (
        "no destination",
        changed("        OnFailure: { Destination:", "        OnFailures: { Destination:"),
        "settings",
        "no on-failure destination",
    ),
    ("no counts", changed("      MetricsConfig: { Metrics: [EventCount] }\n", ""), "settings", "EventCount"),
    (
        "a visibility time-out shorter than six time-outs",
        changed('"120": { VisibilitySeconds: 720 }', '"120": { VisibilitySeconds: 120 }'),
        "settings",
        "120 s",
    ),
    (
        "a variable that the function does not read",
        changed("READS_PER_SECOND:", "READS_A_SECOND:"),
        "settings",
        "READS_A_SECOND",
    ),
    (
        "a function with the code of another",
        changed("CodeUri: ../functions/dynamodb-processor", "CodeUri: ../functions/kinesis-processor"),
        "settings",
        "dynamodb-processor",
    ),
    (
        "a key that Lambda may not use",
        changed(
            "Principal: { Service: lambda.amazonaws.com }\n            Action: [kms",
            "Principal: { Service: sns.amazonaws.com }\n            Action: [kms",
        ),
        "settings",
        "the key does not admit lambda",
    ),
    (
        "a queue that goes with the stack",
        changed(
            "  RecoveredQueue:\n    Type: AWS::SQS::Queue\n    DeletionPolicy: RetainExceptOnCreate\n",
            "  RecoveredQueue:\n    Type: AWS::SQS::Queue\n",
        ),
        "settings",
        "RecoveredQueue is deleted",
    ),
    (
        "a parameter that does nothing",
        changed("      ParallelizationFactor: !Ref KinesisParallelizationFactor\n", ""),
        "settings",
        "KinesisParallelizationFactor",
    ),
    ("a YAML anchor", changed("TargetKeyId: !Ref Key", "TargetKeyId: &key !Ref Key"), "settings", "anchors"),
]


@pytest.mark.parametrize(
    "broken,gate,word", [pytest.param(text, gate, word, id=f"{gate}: {name}") for name, text, gate, word in BROKEN]
)
def test_the_gate_catches(broken, gate, word):
    findings = GATES[gate](broken)
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
        ("## Throttled\n", "## Held back\n", "KinesisThrottles"),
        ("## Lost\n", "## New\n\n**Means.** **Look.** **Run.** **Over when**\n\n## Lost\n", "section new"),
    ],
)
def test_the_runbook_is_held_to_the_alarms(old, new, word):
    findings = alarms.findings(TEXT, changed(old, new, RUNBOOK))
    assert any(word in finding for finding in findings), findings
