"""What is connected with what: conditions, mappings, queues, buckets, topics and functions, each held literally.

A reference to the wrong one of two queues is valid for every linter, and so is a condition turned around. Values stand
here as `template.spelled` spells them.
"""

from template import FUNCTIONS, STREAM_ARN, TABLE_ARN, parse, spelled


def _is(parameter, value):
    return {"Fn::Equals": [f"${{{parameter}}}", value]}


def _not(condition):
    return {"Fn::Not": [condition]}


CONDITIONS = {
    "CreateStream": _is("KinesisStreamArn", ""),
    "CreateTable": _is("TableStreamArn", ""),
    "HasSourceKeys": _not({"Fn::Equals": [{"Fn::Join": ["", "${SourceKeyArns}"]}, ""]}),
    "FansOut": _is("EnhancedFanOut", "true"),
    "StartsAtTimestamp": _is("KinesisStartingPosition", "AT_TIMESTAMP"),
    "KinesisTumbles": _not(_is("KinesisTumblingWindowSeconds", 0)),
    "DynamoDbTumbles": _not(_is("DynamoDbTumblingWindowSeconds", 0)),
    "FiltersKinesis": _not(_is("KinesisFilterPattern", "")),
    "FiltersDynamoDb": _not(_is("DynamoDbFilterPattern", "")),
    "FailsToS3": _is("OnFailureDestination", "s3"),
    "Quarantines": _is("OnInvalid", "quarantine"),
    "Traces": _is("Tracing", "Active"),
    "HasAlarmEmail": _not(_is("AlarmEmail", "")),
}
# The resources that are there under a condition; all others always are.
CONDITIONAL = {
    "Stream": "CreateStream",
    "StreamConsumer": "FansOut",
    "Table": "CreateTable",
    "KinesisFailureBucket": "FailsToS3",
    "KinesisFailureBucketPolicy": "FailsToS3",
    "DynamoDbFailureBucket": "FailsToS3",
    "DynamoDbFailureBucketPolicy": "FailsToS3",
    "WarningTopicEmail": "HasAlarmEmail",
    "CriticalTopicEmail": "HasAlarmEmail",
}

_SOURCES = ("Kinesis", "DynamoDb")
_OF_THIS_ACCOUNT = {"aws:SourceAccount": "${AWS::AccountId}"}
# A stream's mapping: what follows the parameter of the source's name and this.
_SET_BY = {
    "Enabled": "Enabled",
    "StartingPosition": "StartingPosition",
    "BatchSize": "BatchSize",
    "MaximumBatchingWindowInSeconds": "BatchingWindowSeconds",
    "TumblingWindowInSeconds": "TumblingWindowSeconds",
    "ParallelizationFactor": "ParallelizationFactor",
    "MaximumRetryAttempts": "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds": "MaximumRecordAgeSeconds",
    "BisectBatchOnFunctionError": "BisectBatch",
}


def _stream_mapping(source, stream):
    pattern = {"Filters": [{"Pattern": f"${{{source}FilterPattern}}"}]}
    return {
        "FunctionName": f"${{{source}Processor}}",
        "EventSourceArn": stream,
        "DestinationConfig.OnFailure.Destination": f"FailsToS3 ? ${{{source}FailureBucket.Arn}} : ${{{source}FailureQueue.Arn}}",
        "FilterCriteria": {"Fn::If": [f"Filters{source}", pattern, "${AWS::NoValue}"]},
        **{name: f"${{{source}{parameter}}}" for name, parameter in _SET_BY.items()},
    }


def _queue_mapping(source):
    return {
        "FunctionName": "${Hydrator}",
        "EventSourceArn": f"${{{source}FailureQueue.Arn}}",
        "Enabled": "${HydratorEnabled}",
        "BatchSize": "${HydratorBatchSize}",
        "ScalingConfig.MaximumConcurrency": "${HydratorMaximumConcurrency}",
    }


def _failure_queue(source):
    return {
        "QueueName": f"${{AWS::StackName}}-{source.lower()}-failures",
        "VisibilityTimeout": {"Fn::FindInMap": ["HydratorTimeout", "${HydratorTimeoutSeconds}", "VisibilitySeconds"]},
        "RedrivePolicy.deadLetterTargetArn": "${HydratorDeadLetterQueue.Arn}",
        "RedrivePolicy.maxReceiveCount": "${HydratorMaximumReceives}",
    }


def _tls(action, resource):
    return {
        "Sid": "NothingWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _bucket_name(source):
    return f"${{AWS::StackName}}-{source.lower()}-failures-${{AWS::AccountId}}-${{AWS::Region}}"


def _failure_queue_policy(source):
    queue, bucket = f"${{{source}FailureQueue.Arn}}", f"arn:${{AWS::Partition}}:s3:::{_bucket_name(source)}"
    names = {
        "Sid": "NamesOfObjects",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"StringEquals": _OF_THIS_ACCOUNT, "ArnEquals": {"aws:SourceArn": bucket}},
    }
    statements = [_tls("sqs:*", queue), {"Fn::If": ["FailsToS3", names, "${AWS::NoValue}"]}]
    return {"Queues": [f"${{{source}FailureQueue}}"], "PolicyDocument.Statement": statements}


_ENCRYPTED_BUCKET = {
    "BucketEncryption.ServerSideEncryptionConfiguration": [
        {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "${Key.Arn}"},
        }
    ]
}


def _failure_bucket(source):
    told = {
        "Event": "s3:ObjectCreated:*",
        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "aws/lambda/"}]}},
        "Queue": f"${{{source}FailureQueue.Arn}}",
    }
    return {
        "BucketName": _bucket_name(source),
        "NotificationConfiguration.QueueConfigurations": [told],
        **_ENCRYPTED_BUCKET,
    }


def _bucket_policy(bucket):
    resources = [f"${{{bucket}.Arn}}", f"${{{bucket}.Arn}}/*"]
    return {"Bucket": f"${{{bucket}}}", "PolicyDocument.Statement": [_tls("s3:*", resources)]}


def _topic_policy(topic):
    alarms = {
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": f"${{{topic}}}",
        "Condition": {"StringEquals": _OF_THIS_ACCOUNT},
    }
    statements = [alarms, _tls("sns:Publish", f"${{{topic}}}")]
    return {"Topics": [f"${{{topic}}}"], "PolicyDocument.Statement": statements}


def _function(name, kind, variables):
    return {
        "FunctionName": f"${{AWS::StackName}}-{FUNCTIONS[name]}",
        "CodeUri": f"../functions/{FUNCTIONS[name]}",
        "Role": f"${{{name}Role.Arn}}",
        "MemorySize": f"${{{kind}MemoryMegabytes}}",
        # The queues' visibility time-out follows the hydrator's.
        "Timeout": f"${{{kind}TimeoutSeconds}}",
        "LoggingConfig.LogGroup": f"${{{name}Logs}}",
        "LoggingConfig.ApplicationLogLevel": "${LogLevel}",
        **{f"Environment.Variables.{variable}": value for variable, value in variables.items()},
    }


def _processor(source):
    variables = {
        "CONCURRENCY": "${ProcessorConcurrency}",
        "ON_INVALID": "${OnInvalid}",
        "SINK": "Quarantines ? ${RecoveredQueue} : ${AWS::NoValue}",
        "TUMBLING_WINDOW": f"{source}Tumbles ? on : off",
    }
    return _function(f"{source}Processor", "Processor", variables)


_HYDRATOR_VARIABLES = {
    "SINK": "${RecoveredQueue},s3://${ArchiveBucket}/recovered",
    "INVOKE_IDENTITY_ARN": "${KinesisProcessorRole.Arn}",
    "READS_PER_SECOND": "${HydratorReadsPerSecond}",
}
_QUEUE_ARN = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}"

# Properties of resources, by their paths.
WIRED = {
    "KeyAlias": {"TargetKeyId": "${Key}"},
    "Stream": {"StreamEncryption": {"EncryptionType": "KMS", "KeyId": "${Key.Arn}"}},
    "StreamConsumer": {"StreamARN": STREAM_ARN},
    "Table": {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "${Key.Arn}"}},
    "ArchiveBucket": _ENCRYPTED_BUCKET,
    "KinesisMapping": {
        **_stream_mapping("Kinesis", f"FansOut ? ${{StreamConsumer}} : {STREAM_ARN}"),
        "StartingPositionTimestamp": "StartsAtTimestamp ? ${KinesisStartingPositionTimestamp} : ${AWS::NoValue}",
    },
    "DynamoDbMapping": _stream_mapping("DynamoDb", TABLE_ARN),
    **{f"{source}FailureMapping": _queue_mapping(source) for source in _SOURCES},
    **{f"{source}FailureQueue": _failure_queue(source) for source in _SOURCES},
    **{f"{source}FailureQueuePolicy": _failure_queue_policy(source) for source in _SOURCES},
    **{f"{source}FailureBucket": _failure_bucket(source) for source in _SOURCES},
    **{
        f"{name}Policy": _bucket_policy(name)
        for name in ("ArchiveBucket", *(f"{each}FailureBucket" for each in _SOURCES))
    },
    **{f"{topic}Policy": _topic_policy(topic) for topic in ("WarningTopic", "CriticalTopic")},
    **{
        f"{topic}Email": {"TopicArn": f"${{{topic}}}", "Endpoint": "${AlarmEmail}"}
        for topic in ("WarningTopic", "CriticalTopic")
    },
    # By the key's policy and the runbook, both of which name the group of a function.
    **{f"{name}Logs": {"LogGroupName": f"/aws/lambda/${{AWS::StackName}}-{code}"} for name, code in FUNCTIONS.items()},
    "QueuePolicy": {
        "Queues": ["${HydratorDeadLetterQueue}", "${RecoveredQueue}"],
        "PolicyDocument.Statement": [_tls("sqs:*", "*")],
    },
    # By their names: they name this queue.
    "HydratorDeadLetterQueue": {
        "RedriveAllowPolicy": {
            "redrivePermission": "byQueue",
            "sourceQueueArns": [f"{_QUEUE_ARN}-{source.lower()}-failures" for source in _SOURCES],
        },
        "RedrivePolicy": None,
    },
    "RecoveredQueue": {"RedrivePolicy": None},
    **{f"{source}Processor": _processor(source) for source in _SOURCES},
    "Hydrator": _function("Hydrator", "Hydrator", _HYDRATOR_VARIABLES),
}


def findings(text):
    """What is connected otherwise in a template."""
    template = parse(text)
    return [*_of_conditions(template), *_of_properties(template["Resources"])]


def _of_conditions(template):
    for name, condition in template["Conditions"].items():
        if spelled(condition) != CONDITIONS.get(name):
            yield f"the condition {name} is {spelled(condition)}, not {CONDITIONS.get(name)}"
    for name, resource in template["Resources"].items():
        if resource.get("Condition") != CONDITIONAL.get(name):
            yield f"{name} is there under {resource.get('Condition')}, not under {CONDITIONAL.get(name)}"


def _of_properties(resources):
    for name, properties in WIRED.items():
        for path, expected in properties.items():
            value = spelled(_at(path, resources.get(name, {}).get("Properties", {})))
            # What is expected is spelt too: an `Fn::If` of two texts is a text.
            if value != spelled(expected):
                yield f"{name}: its {path} is {value}, not {expected}"


def _at(path, properties):
    for step in path.split("."):
        properties = properties.get(step, {}) if isinstance(properties, dict) else {}
    return properties or None
