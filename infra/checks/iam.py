"""Each call that a function makes has its action in the function's role, and no action is without a call.

A statement's Sid says who needs it. `Function...`: the code's calls, which are looked up in `shared/aws`. `Lambda...`:
what Lambda does by the role, which AWS documents and `OF_LAMBDA` lists. `Everybody...`: keys.
"""

import re

import botocore.session

from template import ROOT, choices, of_type, parse, references

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

# What AWS documents that Lambda needs of a role.
_LOGS_AND_TRACES = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
_DESTINATION = {"sqs:SendMessage", "s3:PutObject", "s3:ListBucket"}
OF_LAMBDA = {
    "KinesisProcessorRole": _LOGS_AND_TRACES
    | _DESTINATION
    | {
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "kinesis:SubscribeToShard",
    },
    "DynamoDbProcessorRole": _LOGS_AND_TRACES
    | _DESTINATION
    | {
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    },
    "HydratorRole": _LOGS_AND_TRACES
    | {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ChangeMessageVisibility",
    },
}
ROLES = {"KinesisProcessorRole": PROCESSOR, "DynamoDbProcessorRole": PROCESSOR, "HydratorRole": HYDRATOR}
OF_KEYS = {"kms:Decrypt", "kms:GenerateDataKey"}

# What each statement is about. Its ARNs are those of these resources, and of no others.
_EACH = {
    "EverybodyUsesTheKey": {"Key"},
    "EverybodyReadsWithTheSourcesKeys": {"SourceKeyArns"},
    "LambdaTraces": set(),
}
_STREAM, _TABLE = {"Stream", "KinesisStreamArn"}, {"Table", "TableStreamArn"}


def _of_a_processor(source, stream):
    return {
        **_EACH,
        "LambdaPollsTheStream": stream,
        "LambdaStoresFailures": {f"{source}FailureBucket"},
        "LambdaLooksIntoTheBucket": {f"{source}FailureBucket"},
        "LambdaSendsFailures": {f"{source}FailureQueue"},
        "LambdaWritesLogs": {f"{source}ProcessorLogs"},
        "FunctionQuarantines": {"RecoveredQueue"},
    }


_QUEUES = {"KinesisFailureQueue", "DynamoDbFailureQueue"}
# Named by their ARNs: they need not be there.
_BUCKETS = {"AWS::Partition", "AWS::StackName", "AWS::AccountId", "AWS::Region"}
ABOUT = {
    "KinesisProcessorRole": {**_of_a_processor("Kinesis", _STREAM), "LambdaSubscribes": {"StreamConsumer"}},
    "DynamoDbProcessorRole": _of_a_processor("DynamoDb", _TABLE),
    "HydratorRole": {
        **_EACH,
        "LambdaPollsTheQueues": _QUEUES,
        "LambdaWritesLogs": {"HydratorLogs"},
        "FunctionReadsTheStream": _STREAM,
        "FunctionReadsTheTablesStream": _TABLE,
        "FunctionHandsOn": _QUEUES,
        "FunctionRecovers": {"RecoveredQueue"},
        "FunctionArchives": {"ArchiveBucket"},
        "FunctionLooksUpFilters": set(),
        "FunctionReadsFailures": _BUCKETS,
        "FunctionTellsMissingFromForbidden": _BUCKETS,
    },
}
# The only places for a star within an ARN: objects under what Lambda and the hydrator write.
OBJECTS = ("/aws/lambda/*", "/recovered/*")

# Who may use the key for itself, and for what. None is the account.
OF_THE_KEY = {
    "TheAccountByItsOwnPolicies": (None, {"kms:*"}),
    "LogGroups": (
        {"logs"},
        {"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"},
    ),
    "AlarmsAndNotifications": (
        {"cloudwatch.amazonaws.com", "s3.amazonaws.com"},
        {"kms:Decrypt", "kms:GenerateDataKey*"},
    ),
    "OnFailureMessages": ({"lambda.amazonaws.com"}, {"kms:Decrypt", "kms:GenerateDataKey*"}),
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
    if role.get("ManagedPolicyArns"):
        yield "has managed policies; write the actions out"
    granted = {"Function": set(), "Lambda": set(), "Everybody": set()}
    for policy in role["Policies"]:
        for listed in policy["PolicyDocument"]["Statement"]:
            for statement in choices(listed):
                yield from _of_statement(statement, granted)
                yield from _of_resources(statement, ABOUT[name])
    needed = {"Function": _needed(ROLES[name], sources), "Lambda": OF_LAMBDA[name], "Everybody": OF_KEYS}
    for who, actions in needed.items():
        yield from (
            f"{who} needs {action}, and no statement `{who}...` has it" for action in sorted(actions - granted[who])
        )
        yield from (
            f"{action} is granted by a statement `{who}...`, and nothing calls it"
            for action in sorted(granted[who] - actions)
        )


def _of_statement(statement, granted):
    sid, actions, resources = statement["Sid"], _list(statement["Action"]), _list(statement["Resource"])
    who = next((who for who in granted if sid.startswith(who)), None)
    if who is None:
        yield f"the Sid {sid} does not say who needs it: Function..., Lambda... or Everybody..."
    else:
        granted[who] |= set(actions)
    for action in actions:
        if "*" in action:
            yield f"{action} is not one action"
        if "*" in resources and action not in WITHOUT_RESOURCES:
            yield f"{action} is granted on everything"


def _of_resources(statement, about):
    if statement.get("Effect") != "Allow" or set(statement) != {"Sid", "Effect", "Action", "Resource"}:
        yield f"{statement['Sid']} does more, or less, than to allow actions on resources"
    if references(statement["Resource"]) != about.get(statement["Sid"]):
        yield f"{statement['Sid']} is about {references(statement['Resource'])}, not about {about.get(statement['Sid'])}"
    for text in _texts(statement["Resource"]):
        if "*" in text.removesuffix("*") or (text.endswith("*") and text != "*" and not text.endswith(OBJECTS)):
            yield f"{statement['Sid']} is about all that fits {text}"


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _of_key(key):
    statements = {statement["Sid"]: statement for statement in key["KeyPolicy"]["Statement"]}
    yield from (f"it has no statement {sid}" for sid in sorted(set(OF_THE_KEY) - set(statements)))
    for sid, statement in statements.items():
        services, actions = OF_THE_KEY.get(sid, (set(), set()))
        named = {str(each) for each in _list(statement["Principal"].get("Service", []))}
        fits = named == services if sid != "LogGroups" else all("logs." in each for each in named) and len(named) == 1
        if services is not None and not fits:
            yield f"{sid} admits {named}, not {services}"
        if statement["Effect"] != "Allow" or set(_list(statement["Action"])) != actions:
            yield f"{sid} does not allow just {sorted(actions)}"


def _list(value):
    return value if isinstance(value, list) else [value]
