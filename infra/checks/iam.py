"""Each call that a function makes has its action in the function's role, and no action is without a call.

A statement's Sid says who needs it. `Function...`: the code's calls, which are looked up in `shared/aws`. `Lambda...`:
what Lambda does by the role, which AWS documents. `Everybody...`: keys. `STATEMENTS` lists them all.
"""

import re

import botocore.session

from template import ALWAYS, ROOT, STREAM_ARN, TABLE_ARN, of_type, parse, spelled, ways

EDGE = ROOT / "shared" / "aws" / "src"
SERVICES = {"kinesis": "kinesis", "dynamodbstreams": "dynamodb", "sqs": "sqs", "s3": "s3", "lambda": "lambda"}

# The files of `shared/aws` that call AWS, and whose calls those are. A new file has to be put here.
PROCESSOR, HYDRATOR = "processor", "hydrator"
CALLERS = {
    "sqs_sink.rs": {PROCESSOR, HYDRATOR},
    "claim_check.rs": {HYDRATOR},
    "s3_sink.rs": {HYDRATOR},
    "stream_reader.rs": {HYDRATOR},
    "surroundings.rs": {HYDRATOR},
    # Of what is done with a queue the hydrator sends; to receive, delete and count is Lambda's work, and in the local
    # stack that of the model.
    "queue.rs": {HYDRATOR},
}
NOT_OF_A_FUNCTION = {"queue.rs": {"receive_message", "delete_message_batch", "get_queue_attributes"}}

# Where an action is not named after its call.
ACTIONS_OF_CALLS = {
    "send_message_batch": {"sqs:SendMessage"},
    "create_multipart_upload": {"s3:PutObject"},
    "upload_part": {"s3:PutObject"},
    "complete_multipart_upload": {"s3:PutObject"},
    # With a version, as S3's notifications give it; and S3 says that an object is missing to who may list alone.
    "get_object": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
}

ROLES = {"KinesisProcessorRole": PROCESSOR, "DynamoDbProcessorRole": PROCESSOR, "HydratorRole": HYDRATOR}

# Every statement of each role: when it is there, what it allows, and on what. Held literally, since a statement of the
# same action on something else, or under another condition, would hide that one is gone.
_QUEUES = {"${KinesisFailureQueue.Arn}", "${DynamoDbFailureQueue.Arn}"}
# By their names: they need not be there.
_BUCKETS = {
    f"arn:${{AWS::Partition}}:s3:::${{AWS::StackName}}-{source}-failures-${{AWS::AccountId}}-${{AWS::Region}}"
    for source in ("kinesis", "dynamodb")
}


def _of_each(function):
    return {
        "LambdaWritesLogs": (ALWAYS, {"logs:CreateLogStream", "logs:PutLogEvents"}, {f"${{{function}Logs.Arn}}"}),
        "LambdaTraces": ("Traces", {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, {"*"}),
        "EverybodyUsesTheKey": (ALWAYS, {"kms:Decrypt", "kms:GenerateDataKey"}, {"${Key.Arn}"}),
        "EverybodyReadsWithTheSourcesKeys": ("HasSourceKeys", {"kms:Decrypt"}, {"${SourceKeyArns}"}),
    }


def _of_a_processor(source):
    bucket = f"${{{source}FailureBucket.Arn}}"
    return {
        **_of_each(f"{source}Processor"),
        "LambdaStoresFailures": ("FailsToS3", {"s3:PutObject"}, {f"{bucket}/aws/lambda/*"}),
        "LambdaLooksIntoTheBucket": ("FailsToS3", {"s3:ListBucket"}, {bucket}),
        "LambdaSendsFailures": ("not FailsToS3", {"sqs:SendMessage"}, {f"${{{source}FailureQueue.Arn}}"}),
        "FunctionQuarantines": ("Quarantines", {"sqs:SendMessage"}, {"${RecoveredQueue.Arn}"}),
    }


_POLLS_KINESIS = {
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
}
_POLLS_DYNAMODB = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}
_POLLS_SQS = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}
_READS_KINESIS = {"kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator"}
STATEMENTS = {
    "KinesisProcessorRole": {
        **_of_a_processor("Kinesis"),
        "LambdaPollsTheStream": (ALWAYS, _POLLS_KINESIS, {STREAM_ARN}),
        "LambdaSubscribes": ("FansOut", {"kinesis:SubscribeToShard"}, {"${StreamConsumer}"}),
    },
    "DynamoDbProcessorRole": {
        **_of_a_processor("DynamoDb"),
        "LambdaPollsTheStream": (ALWAYS, _POLLS_DYNAMODB, {TABLE_ARN}),
    },
    "HydratorRole": {
        **_of_each("Hydrator"),
        "LambdaPollsTheQueues": (ALWAYS, _POLLS_SQS, _QUEUES),
        "FunctionReadsTheStream": (ALWAYS, _READS_KINESIS, {STREAM_ARN}),
        "FunctionReadsTheTablesStream": (ALWAYS, {"dynamodb:GetRecords", "dynamodb:GetShardIterator"}, {TABLE_ARN}),
        "FunctionHandsOn": (ALWAYS, {"sqs:GetQueueUrl", "sqs:SendMessage"}, _QUEUES),
        "FunctionRecovers": (ALWAYS, {"sqs:SendMessage"}, {"${RecoveredQueue.Arn}"}),
        "FunctionArchives": (
            ALWAYS,
            {"s3:PutObject", "s3:AbortMultipartUpload"},
            {"${ArchiveBucket.Arn}/recovered/*"},
        ),
        "FunctionLooksUpFilters": (ALWAYS, {"lambda:ListEventSourceMappings"}, {"*"}),
        "FunctionReadsFailures": (
            ALWAYS,
            {"s3:GetObject", "s3:GetObjectVersion"},
            {f"{bucket}/aws/lambda/*" for bucket in _BUCKETS},
        ),
        "FunctionTellsMissingFromForbidden": (ALWAYS, {"s3:ListBucket"}, _BUCKETS),
    },
}
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}

# Who may use the key for itself, for what, and under which condition; and the account, by its policies.
_THIS_ACCOUNT = {"StringEqualsIfExists": {"aws:SourceAccount": "${AWS::AccountId}"}}
_LOG_GROUPS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/${AWS::StackName}-*"
OF_THE_KEY = {
    "TheAccountByItsOwnPolicies": {
        "Principal": {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
        "Action": ["kms:*"],
    },
    "LogGroups": {
        "Principal": {"Service": "logs.${AWS::Region}.${AWS::URLSuffix}"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": _LOG_GROUPS}},
    },
    "AlarmsAndNotifications": {
        "Principal": {"Service": ["cloudwatch.amazonaws.com", "s3.amazonaws.com"]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Condition": _THIS_ACCOUNT,
    },
    "OnFailureMessages": {
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Condition": _THIS_ACCOUNT,
    },
}

# Actions that know no resources; all others name theirs.
WITHOUT_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "lambda:ListEventSourceMappings"}


def findings(text, sources=None):
    """What is wrong with the roles of a template. sources: the code of `shared/aws`, {file name: text}."""
    template, sources = parse(text), sources or read_sources()
    found = [f"{name} calls AWS and is not in CALLERS" for name in sorted(set(calls_by_file(sources)) - set(CALLERS))]
    roles = dict(of_type(template, "AWS::IAM::Role"))
    found += [f"{name} has no rule" for name in sorted(set(roles) - set(ROLES))]
    for name in sorted(set(roles) & set(ROLES)):
        found += [f"{name}: {problem}" for problem in _of_role(name, roles[name], sources)]
    found += [
        f"{name} is a {resource['Type']}: what a role may do stands in the role alone"
        for name, resource in template["Resources"].items()
        if resource["Type"].startswith("AWS::IAM::") and resource["Type"] != "AWS::IAM::Role"
    ]
    return found + [f"Key: {problem}" for problem in _of_key(dict(of_type(template, "AWS::KMS::Key"))["Key"])]


def read_sources():
    """The code of `shared/aws` that functions run: without what creates resources, and without tests."""
    names = (
        path
        for path in EDGE.rglob("*.rs")
        if not re.match(r"(provision|produce|stand_in)", str(path.relative_to(EDGE)))
    )
    return {str(path.relative_to(EDGE)): path.read_text().split("#[cfg(test)]\nmod tests")[0] for path in names}


def calls_by_file(sources):
    """The AWS operations that each file calls, as (service, method)."""
    operations = _operations()
    calls = {}
    for name, text in sources.items():
        service = None
        for method in re.findall(r"\b([a-z_0-9]+)\(\)", text):
            if method.replace("_", "") in SERVICES:
                service = method.replace("_", "")
            elif owners := operations.get(method, set()):
                # Two services share names such as get_records: it is that of the client named last.
                owner = service if service in owners else sorted(owners)[0]
                calls.setdefault(name, set()).add((owner, method))
    return calls


def _operations():
    """Which services know a method, spelt as the SDK spells it."""
    session, operations = botocore.session.get_session(), {}
    for service in SERVICES:
        for operation in session.get_service_model(service).operation_names:
            method = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation).lower()
            operations.setdefault(method, set()).add(service)
    return operations


def _needed(function, sources):
    needed = set()
    for name, calls in calls_by_file(sources).items():
        for service, method in calls if function in CALLERS.get(name, ()) else ():
            if method not in NOT_OF_A_FUNCTION.get(name, ()):
                camel = "".join(word.capitalize() for word in method.split("_"))
                needed |= ACTIONS_OF_CALLS.get(method, {f"{SERVICES[service]}:{camel}"})
    return needed


def _of_role(name, role, sources):
    for stranger in sorted(set(role) - {"AssumeRolePolicyDocument", "Policies"}):
        yield f"has {stranger}, which can change what its statements allow"
    if spelled(role["AssumeRolePolicyDocument"]["Statement"]) != [TRUST]:
        yield "somebody else than Lambda may take it, or Lambda may not"
    listed = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    statements = [(statement["Sid"], condition, statement) for each in listed for condition, statement in ways(each)]
    yield from _of_sids([sid for sid, _, _ in statements], STATEMENTS[name])
    granted = set()
    for sid, condition, statement in statements:
        yield from _of_statement(sid, condition, statement, STATEMENTS[name].get(sid))
        granted |= set(_list(statement["Action"])) if sid.startswith("Function") else set()
    needed = _needed(ROLES[name], sources)
    for action in sorted(needed - granted):
        yield f"Function needs {action}, and no statement `Function...` has it"
    for action in sorted(granted - needed):
        yield f"{action} is granted by a statement `Function...`, and nothing calls it"


def _of_sids(sids, expected):
    for sid in sorted(set(expected) - set(sids)):
        yield f"it has no statement {sid}"
    for sid in sorted(sid for sid in set(sids) if sid not in expected or sids.count(sid) > 1):
        yield f"{sid} is a statement that no rule knows, or is there twice"


def _of_statement(sid, condition, statement, expected):
    for action in _list(statement["Action"]):
        if "*" in action:
            yield f"{action} is not one action"
        if "*" in _list(statement["Resource"]) and action not in WITHOUT_RESOURCES:
            yield f"{action} is granted on everything"
    if expected:
        when, actions, resources = expected
        if condition != when:
            yield f"{sid} is there under the condition {condition}, not {when}"
        yield from _differences(statement, {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})


def _of_key(key):
    statements = key["KeyPolicy"]["Statement"]
    yield from _of_sids([statement["Sid"] for statement in statements], OF_THE_KEY)
    for statement in statements:
        sid = statement["Sid"]
        if sid in OF_THE_KEY:
            yield from _differences(statement, {"Sid": sid, "Effect": "Allow", "Resource": "*", **OF_THE_KEY[sid]})


def _differences(statement, expected):
    """Where a statement is not literally what it should be. The order of a list says nothing."""
    for part in sorted(set(statement) | set(expected)):
        here, there = (_list(spelled(side.get(part))) for side in (statement, expected))
        if sorted(map(str, here)) != sorted(map(str, there)):
            yield f"{expected['Sid']}: its {part} is {here}, not {there}"


def _list(value):
    return sorted(value) if isinstance(value, set) else value if isinstance(value, list) else [value]
