"""Ways to break the template, each with the gate that has to say so, and a word that it has to say."""

from template import TEMPLATE

TEXT = TEMPLATE.read_text()


def changed(old, new, text=TEXT):
    """The template with one thing changed, wherever it stands."""
    assert old in text, f"the template does not have {old!r} any more: change this test with it"
    return text.replace(old, new)


def with_event(properties):
    """The template with a mapping under a function's Events, where linters of the source do not look."""
    event = f"      Events:\n        Orders:\n          Type: Kinesis\n          Properties: {properties}\n"
    return changed("      CodeUri: ../functions/dlq-hydrator\n", "      CodeUri: ../functions/dlq-hydrator\n" + event)


def without(begin, end):
    """The template without what stands from one text to the next."""
    before, rest = TEXT.split(begin, 1)
    return before + end + rest.split(end, 1)[1]


def only_if(condition, statement):
    """The template with a statement of a role under a condition."""
    nested = statement.replace("              - ", "                - ", 1).replace("\n    ", "\n      ")
    return changed(
        statement, f"              - !If\n                - {condition}\n{nested}                - !Ref AWS::NoValue\n"
    )


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
        "wiring",
        "DynamoDbProcessor: its CodeUri is",
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
    # What follows breaks one rule of the house each.
    (
        "managed policies",
        changed(
            "      Policies:\n        - PolicyName: all",
            "      ManagedPolicyArns: [arn:aws:iam::aws:policy/ReadOnlyAccess]\n      Policies:\n        - PolicyName: all",
        ),
        "roles",
        "has ManagedPolicyArns",
    ),
    (
        "a statement that does not say whose it is",
        changed("Sid: FunctionHandsOn", "Sid: HandsOn"),
        "roles",
        "HandsOn is a statement that no rule knows",
    ),
    (
        "a statement that denies",
        changed(
            "Sid: FunctionRecovers\n                Effect: Allow",
            "Sid: FunctionRecovers\n                Effect: Deny",
        ),
        "roles",
        "FunctionRecovers: its Effect is",
    ),
    (
        "a condition on a statement",
        changed(
            "Sid: FunctionRecovers\n",
            'Sid: FunctionRecovers\n                Condition: { Bool: { aws:SecureTransport: "false" } }\n',
        ),
        "roles",
        "FunctionRecovers: its Condition is",
    ),
    (
        "the queue of another source",
        changed(
            "Sid: LambdaSendsFailures\n                  Effect: Allow\n                  Action: sqs:SendMessage\n                  Resource: !GetAtt KinesisFailureQueue.Arn",
            "Sid: LambdaSendsFailures\n                  Effect: Allow\n                  Action: sqs:SendMessage\n                  Resource: !GetAtt DynamoDbFailureQueue.Arn",
        ),
        "roles",
        "LambdaSendsFailures: its Resource is",
    ),
    (
        "every stream of the account",
        changed(
            "Resource: !If [CreateStream, !GetAtt Stream.Arn, !Ref KinesisStreamArn]",
            "Resource: [!If [CreateStream, !GetAtt Stream.Arn, !Ref KinesisStreamArn], arn:aws:kinesis:*:*:stream/orders]",
        ),
        "roles",
        "LambdaPollsTheStream: its Resource is",
    ),
    (
        "every object of the archive",
        changed("${ArchiveBucket.Arn}/recovered/*", "${ArchiveBucket.Arn}/*"),
        "roles",
        "FunctionArchives: its Resource is",
    ),
    (
        "a key that admits somebody else",
        changed(
            "Principal: { Service: lambda.amazonaws.com }\n            Action: [kms",
            "Principal: { Service: sns.amazonaws.com }\n            Action: [kms",
        ),
        "roles",
        "OnFailureMessages: its Principal is",
    ),
    (
        "a key that denies Lambda",
        changed(
            "Sid: OnFailureMessages\n            Effect: Allow", "Sid: OnFailureMessages\n            Effect: Deny"
        ),
        "roles",
        "OnFailureMessages: its Effect is",
    ),
    (
        "a key without log groups",
        changed("          - Sid: LogGroups", "          - Sid: Groups"),
        "roles",
        "has no statement LogGroups",
    ),
    (
        "a policy beside the roles",
        changed(
            "  HydratorRole:\n",
            "  More:\n    Type: AWS::IAM::RolePolicy\n    Properties: { PolicyName: more, RoleName: !Ref HydratorRole }\n\n  HydratorRole:\n",
        ),
        "roles",
        "More is a AWS::IAM::RolePolicy",
    ),
    (
        "a role that somebody else may take",
        changed(
            "Principal: { Service: lambda.amazonaws.com }\n            Action: sts",
            "Principal: { AWS: arn:aws:iam::999999999999:root }\n            Action: sts",
        ),
        "roles",
        "somebody else than Lambda may take it",
    ),
    (
        "a statement that is gone, behind another of the same action",
        without("              - Sid: FunctionRecovers\n", "              - Sid: FunctionArchives\n"),
        "roles",
        "it has no statement FunctionRecovers",
    ),
    (
        "an action in another statement",
        changed(
            "Sid: FunctionRecovers\n                Effect: Allow\n                Action: sqs:SendMessage",
            "Sid: FunctionRecovers\n                Effect: Allow\n                Action: sqs:GetQueueUrl",
        ),
        "roles",
        "FunctionRecovers: its Action is",
    ),
    (
        "failures that are sent only where records are put aside",
        changed(
            "- FailsToS3\n                - Sid: LambdaStoresFailures",
            "- Quarantines\n                - Sid: LambdaStoresFailures",
        ),
        "roles",
        "LambdaSendsFailures is there under the condition not Quarantines",
    ),
    (
        "a key for sources with keys alone",
        only_if(
            "HasSourceKeys",
            "              - Sid: EverybodyUsesTheKey\n                Effect: Allow\n"
            "                Action: [kms:Decrypt, kms:GenerateDataKey]\n                Resource: !GetAtt Key.Arn\n",
        ),
        "roles",
        "EverybodyUsesTheKey is there under the condition HasSourceKeys",
    ),
    (
        "queues that are polled where functions are traced alone",
        only_if(
            "Traces",
            "              - Sid: LambdaPollsTheQueues\n                Effect: Allow\n                Action:\n"
            "                  - sqs:ReceiveMessage\n                  - sqs:DeleteMessage\n"
            "                  - sqs:GetQueueAttributes\n                  - sqs:ChangeMessageVisibility\n"
            "                Resource: [!GetAtt KinesisFailureQueue.Arn, !GetAtt DynamoDbFailureQueue.Arn]\n",
        ),
        "roles",
        "LambdaPollsTheQueues is there under the condition Traces",
    ),
    (
        "a name where an ARN belongs",
        changed(
            "Action: sqs:SendMessage\n                Resource: !GetAtt RecoveredQueue.Arn",
            "Action: sqs:SendMessage\n                Resource: !Ref RecoveredQueue",
        ),
        "roles",
        "FunctionRecovers: its Resource is",
    ),
    (
        "a key for the calls of another account",
        changed(
            "StringEqualsIfExists: { aws:SourceAccount: !Ref AWS::AccountId }",
            'StringEqualsIfExists: { aws:SourceAccount: "999999999999" }',
        ),
        "roles",
        "OnFailureMessages: its Condition is",
    ),
    (
        "a key for log groups of another name",
        changed("log-group:/aws/lambda/${AWS::StackName}-*", "log-group:/aws/lamda/${AWS::StackName}-*"),
        "roles",
        "LogGroups: its Condition is",
    ),
    (
        "an alarm that says nothing",
        changed(
            "Nobody takes the recovered records, which their queue keeps for 14 days. Read them, and replay what was mended.",
            "Too old.",
        ),
        "alarms",
        "does not say what to do",
    ),
    (
        "an alarm that is muted",
        changed("      MetricName: RecordsLost\n", "      MetricName: RecordsLost\n      ActionsEnabled: false\n"),
        "alarms",
        "switched off",
    ),
    (
        "an alarm where nothing happens",
        changed("TreatMissingData: notBreaching", "TreatMissingData: breaching"),
        "alarms",
        "goes off where nothing happens",
    ),
    (
        "an alarm on the other stream",
        changed(
            "  KinesisLost:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      AlarmName: !Sub ${AWS::StackName}-critical-kinesis-lost",
            "  DynamoDbLostToo:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      AlarmName: !Sub ${AWS::StackName}-critical-kinesis-lost",
        ),
        "alarms",
        "which is not of DynamoDb",
    ),
    (
        "an alarm that leads elsewhere",
        changed("docs/runbook.md#lost", "docs/runbook.md#given-up"),
        "alarms",
        "RecordsLost leads to given-up",
    ),
    (
        "an alarm that sums up another way",
        changed(
            "      MetricName: SecondsUntilExpiry\n", "      MetricName: SecondsUntilExpiry\n      Unit: Seconds\n"
        ).replace("Statistic: Minimum", "Statistic: Maximum"),
        "alarms",
        "SecondsUntilExpiry is summed up by Minimum",
    ),
    (
        "an alarm that takes a day",
        changed("      Period: 60\n", "      Period: 86400\n"),
        "alarms",
        "takes longer than",
    ),
    (
        "alarms that let some records go by",
        changed("      Threshold: 0\n", "      Threshold: 7\n"),
        "alarms",
        "RecordsQuarantined of KinesisProcessor is watched at [7]",
    ),
    (
        "a loss that has to last a quarter of an hour",
        changed("EvaluationPeriods: 1\n", "EvaluationPeriods: 15\n"),
        "alarms",
        "RecordsLost happens once, and not in 15 periods",
    ),
    (
        "more periods than are looked at",
        changed("DatapointsToAlarm: 2\n", "DatapointsToAlarm: 5\n"),
        "alarms",
        "HydratorErrors: it wants 5 of 3 periods",
    ),
    (
        "a formula that takes days",
        changed("            Period: 300\n", "            Period: 86400\n"),
        "alarms",
        "KinesisStandsStill: it takes longer than",
    ),
    (
        "a formula that never is so much",
        changed(
            "      EvaluationPeriods: 3\n      ComparisonOperator: GreaterThanThreshold\n      Threshold: 0",
            "      EvaluationPeriods: 3\n      ComparisonOperator: GreaterThanThreshold\n      Threshold: 1",
        ),
        "alarms",
        "KinesisStandsStill: it does not go off where",
    ),
    (
        "a formula by another dimension",
        changed("Name: StreamName, Value", "Name: Stream, Value"),
        "alarms",
        "AWS/Kinesis has no IncomingRecords by",
    ),
    (
        "an alarm on no stream",
        changed("- { Name: EventSource, Value: !If [CreateTable,", "- { Name: EventSource, Value: !If [CreateStream,"),
        "alarms",
        "no function writes RecordsLost for",
    ),
    (
        "a dashboard of one stream",
        changed(
            "TableArn: !If [CreateTable, !GetAtt Table.StreamArn, !Ref",
            "TableArn: !If [CreateStream, !GetAtt Stream.Arn, !Ref",
        ),
        "alarms",
        "it is about other streams",
    ),
    (
        "an output that the runbook asks for",
        changed("  HydratorDeadLetterQueueArn: {", "  DeadLetterQueueArn: {"),
        "runbook",
        "HydratorDeadLetterQueueArn, which there is not",
    ),
    (
        "a formula of other metrics",
        changed("MetricName: IncomingRecords", "MetricName: IncomingBytes"),
        "alarms",
        "its formula has",
    ),
    (
        "a formula of a stream that is not there",
        changed('Split ["/", !If [CreateStream,', 'Split ["/", !If [FansOut,'),
        "alarms",
        "KinesisStandsStill: its formula has",
    ),
    ("another formula", changed("FILL(polled, 0) == 0", "polled == 0"), "alarms", "its formula is not"),
    (
        "a formula that is gone",
        changed("  KinesisStandsStill:\n", "  KinesisStanding:\n"),
        "alarms",
        "KinesisStandsStill is not there",
    ),
    (
        "another namespace",
        changed("Namespace: StreamRecovery", "Namespace: Recovery"),
        "alarms",
        "the functions write to",
    ),
    (
        "own metrics by another dimension",
        changed("Name: EventSource, Value", "Name: Source, Value"),
        "alarms",
        "is written by",
    ),
    (
        "a metric of AWS by another dimension",
        changed("Name: QueueName, Value", "Name: Queue, Value"),
        "alarms",
        "AWS/SQS has no",
    ),
    ("a dashboard that does not ask", changed("## How long do we have?", "## Times"), "alarms", "does not ask"),
    ("a dashboard whose widgets overlap", changed('"x": 8, "y": 12', '"x": 7, "y": 12'), "alarms", "lies over another"),
    (
        "a dashboard that shows the other stream",
        changed(
            '"FunctionName", "${KinesisProcessor}", "EventSource", "${StreamArn}"',
            '"FunctionName", "${KinesisProcessor}", "EventSource", "${TableArn}"',
        ),
        "alarms",
        "is shown for the stream of",
    ),
    ("a parameter in no group", changed("          - ArchiveDays\n", ""), "settings", "ArchiveDays is in no group"),
    (
        "a parameter without a default",
        changed('  AlarmEmail:\n    Type: String\n    Default: ""\n', "  AlarmEmail:\n    Type: String\n"),
        "settings",
        "AlarmEmail has no default",
    ),
    (
        "a mapping of another function",
        changed(
            "FunctionName: !Ref KinesisProcessor\n      EventSourceArn",
            "FunctionName: !Ref DynamoDbProcessor\n      EventSourceArn",
        ),
        "wiring",
        "KinesisMapping: its FunctionName is",
    ),
    (
        "a destination of the other source",
        changed(
            "!If [FailsToS3, !GetAtt KinesisFailureBucket.Arn, !GetAtt KinesisFailureQueue.Arn]",
            "!If [FailsToS3, !GetAtt KinesisFailureBucket.Arn, !GetAtt DynamoDbFailureQueue.Arn]",
        ),
        "wiring",
        "KinesisMapping: its DestinationConfig.OnFailure.Destination is",
    ),
    (
        "a mapping that is off",
        changed(
            '  KinesisEnabled:\n    Type: String\n    Default: "true"',
            '  KinesisEnabled:\n    Type: String\n    Default: "false"',
        ),
        "settings",
        "off by default",
    ),
    (
        "a mapping that skips what is there",
        changed(
            "StartingPosition:\n    Type: String\n    Default: TRIM_HORIZON",
            "StartingPosition:\n    Type: String\n    Default: LATEST",
        ),
        "settings",
        "begins behind",
    ),
    (
        "ten thousand retries",
        changed(
            "MaximumRetryAttempts:\n    Type: Number\n    Default: 5",
            "MaximumRetryAttempts:\n    Type: Number\n    Default: 10000",
        ),
        "settings",
        "retries more than 100 times",
    ),
    (
        "a hydrator that is off",
        changed(
            '  HydratorEnabled:\n    Type: String\n    Default: "true"',
            '  HydratorEnabled:\n    Type: String\n    Default: "false"',
        ),
        "settings",
        "does not invoke the hydrator",
    ),
    (
        "a batch of messages that comes back whole",
        changed(
            "      BatchSize: !Ref HydratorBatchSize\n      FunctionResponseTypes: [ReportBatchItemFailures]\n",
            "      BatchSize: !Ref HydratorBatchSize\n",
        ),
        "settings",
        "a message that fails would bring its batch back",
    ),
    (
        "a concurrency that Lambda refuses",
        changed(
            "    Default: 2\n    MinValue: 2\n    MaxValue: 1000", "    Default: 2\n    MinValue: 1\n    MaxValue: 1000"
        ),
        "settings",
        "MaximumConcurrency below 2",
    ),
    (
        "a time-out without its visibility",
        changed("AllowedValues: [30, 60, 120, 300, 600, 900]", "AllowedValues: [30, 60, 120, 300, 600, 700]"),
        "settings",
        "visibility time-outs differ",
    ),
    (
        "receives that outlast the records",
        changed("MaxValue: 20\n", "MaxValue: 1000\n"),
        "settings",
        "more than 20 outlast",
    ),
    (
        "a queue that forgets",
        changed("MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 345600"),
        "settings",
        "for 14 days",
    ),
    (
        "a queue that gives up at once",
        changed("maxReceiveCount: !Ref HydratorMaximumReceives", "maxReceiveCount: 1"),
        "wiring",
        "KinesisFailureQueue: its RedrivePolicy.maxReceiveCount is",
    ),
    (
        "a visibility time-out of its own",
        changed(
            "VisibilityTimeout: !FindInMap [HydratorTimeout, !Ref HydratorTimeoutSeconds, VisibilitySeconds]",
            "VisibilityTimeout: 30",
        ),
        "wiring",
        "KinesisFailureQueue: its VisibilityTimeout is",
    ),
    (
        "mappings under Events",
        with_event(f"{{ {STREAM}, StartingPosition: LATEST }}"),
        "settings",
        "stand under Events",
    ),
    (
        "another function",
        changed(
            "  Hydrator:\n    Type: AWS::Serverless::Function", "  Rehydrator:\n    Type: AWS::Serverless::Function"
        ),
        "settings",
        "no rule looks at",
    ),
    ("logs as text", changed("LogFormat: JSON", "LogFormat: Text"), "settings", "does not log JSON"),
    (
        "logs in another group",
        changed("LogGroup: !Ref HydratorLogs", "LogGroup: !Ref KinesisProcessorLogs"),
        "wiring",
        "Hydrator: its LoggingConfig.LogGroup is",
    ),
    (
        "a sink that is the source",
        changed("SINK: !Sub ${RecoveredQueue},s3", "SINK: !Sub ${KinesisFailureQueue},s3"),
        "wiring",
        "Hydrator: its Environment.Variables.SINK is",
    ),
    (
        "windows of the other mapping",
        changed('!If [KinesisTumbles, "on", "off"]', '!If [DynamoDbTumbles, "on", "off"]'),
        "wiring",
        "KinesisProcessor: its Environment.Variables.TUMBLING_WINDOW is",
    ),
    ("a stream that forgets in a day", changed("Default: 168", "Default: 24"), "settings", "less than a week"),
    (
        "a log level that drops metrics",
        changed("AllowedValues: [TRACE, DEBUG, INFO]", "AllowedValues: [TRACE, DEBUG, INFO, ERROR]"),
        "settings",
        "above INFO",
    ),
    (
        "a stream of keys alone",
        changed("StreamViewType: NEW_AND_OLD_IMAGES", "StreamViewType: KEYS_ONLY"),
        "settings",
        "both images",
    ),
    (
        "a log group of another name",
        changed("/aws/lambda/${AWS::StackName}-dlq-hydrator", "/aws/lambda/hydrator"),
        "wiring",
        "HydratorLogs: its LogGroupName is",
    ),
    (
        "a topic without alarms",
        changed("Principal: { Service: cloudwatch.amazonaws.com }", "Principal: { Service: events.amazonaws.com }"),
        "wiring",
        "WarningTopicPolicy: its PolicyDocument.Statement is",
    ),
    (
        "a bucket that tells another queue",
        changed(
            "            Queue: !GetAtt KinesisFailureQueue.Arn", "            Queue: !GetAtt DynamoDbFailureQueue.Arn"
        ),
        "wiring",
        "KinesisFailureBucket: its NotificationConfiguration.QueueConfigurations is",
    ),
    (
        "a queue that does not listen to its bucket",
        changed(
            "arn:${AWS::Partition}:s3:::${AWS::StackName}-kinesis-failures-${AWS::AccountId}-${AWS::Region}\n            - !Ref",
            "arn:${AWS::Partition}:s3:::${AWS::StackName}-failures\n            - !Ref",
        ),
        "wiring",
        "KinesisFailureQueuePolicy: its PolicyDocument.Statement is",
    ),
    (
        "a topic in the clear",
        changed("      KmsMasterKeyId: !GetAtt Key.Arn\n\n  CriticalTopicPolicy", "\n  CriticalTopicPolicy"),
        "settings",
        "CriticalTopic is not encrypted",
    ),
    (
        "a bucket under another key",
        changed("KMSMasterKeyID: !GetAtt Key.Arn", "KMSMasterKeyID: !GetAtt RecoveredQueue.Arn"),
        "wiring",
        "ArchiveBucket: its BucketEncryption.ServerSideEncryptionConfiguration is",
    ),
    (
        "a hydrator with the role of a processor",
        changed("Role: !GetAtt HydratorRole.Arn", "Role: !GetAtt KinesisProcessorRole.Arn"),
        "wiring",
        "Hydrator: its Role is",
    ),
    (
        "a hydrator with the time-out of processors",
        changed("Timeout: !Ref HydratorTimeoutSeconds", "Timeout: !Ref ProcessorTimeoutSeconds"),
        "wiring",
        "Hydrator: its Timeout is",
    ),
    (
        "destinations the other way around",
        changed("!If [FailsToS3, !GetAtt", "!If [Quarantines, !GetAtt"),
        "wiring",
        "KinesisMapping: its DestinationConfig.OnFailure.Destination is",
    ),
    (
        "a mapping of the table on the stream",
        changed(
            "EventSourceArn: !If [CreateTable, !GetAtt Table.StreamArn, !Ref TableStreamArn]",
            "EventSourceArn: !If [CreateStream, !GetAtt Stream.Arn, !Ref KinesisStreamArn]",
        ),
        "wiring",
        "DynamoDbMapping: its EventSourceArn is",
    ),
    (
        "a hydrator that reads what it writes",
        changed("EventSourceArn: !GetAtt KinesisFailureQueue.Arn", "EventSourceArn: !GetAtt RecoveredQueue.Arn"),
        "wiring",
        "KinesisFailureMapping: its EventSourceArn is",
    ),
    (
        "dead letters among the recovered",
        changed(
            "deadLetterTargetArn: !GetAtt HydratorDeadLetterQueue.Arn",
            "deadLetterTargetArn: !GetAtt RecoveredQueue.Arn",
        ),
        "wiring",
        "DynamoDbFailureQueue: its RedrivePolicy.deadLetterTargetArn is",
    ),
    (
        "a dead-letter queue that admits none of the others",
        changed("${AWS::AccountId}:${AWS::StackName}-kinesis-failures\n", "${AWS::AccountId}:kinesis-failures\n"),
        "wiring",
        "HydratorDeadLetterQueue: its RedriveAllowPolicy is",
    ),
    (
        "a queue that admits the bucket of another account",
        changed(
            "StringEquals: { aws:SourceAccount: !Ref AWS::AccountId }\n                ArnEquals",
            'StringEquals: { aws:SourceAccount: "999999999999" }\n                ArnEquals',
        ),
        "wiring",
        "KinesisFailureQueuePolicy: its PolicyDocument.Statement is",
    ),
    (
        "a queue that admits nobody with TLS",
        changed('aws:SecureTransport: "false"', 'aws:SecureTransport: "true"'),
        "wiring",
        "QueuePolicy: its PolicyDocument.Statement is",
    ),
    (
        "parameters that switch the other mapping",
        changed("Enabled: !Ref KinesisEnabled", "Enabled: !Ref Enabled")
        .replace("Enabled: !Ref DynamoDbEnabled", "Enabled: !Ref KinesisEnabled")
        .replace("Enabled: !Ref Enabled", "Enabled: !Ref DynamoDbEnabled"),
        "wiring",
        "KinesisMapping: its Enabled is ${DynamoDbEnabled}",
    ),
    *(
        (
            f"{name} turned around",
            changed(f"  {name}: {condition}\n", f"  {name}: !Not [{condition}]\n"),
            "wiring",
            f"the condition {name} is",
        )
        for name, condition in {
            "FailsToS3": "!Equals [!Ref OnFailureDestination, s3]",
            "Quarantines": "!Equals [!Ref OnInvalid, quarantine]",
            "CreateStream": '!Equals [!Ref KinesisStreamArn, ""]',
        }.items()
    ),
    (
        "a mapping where functions are traced alone",
        changed("DependsOn: DynamoDbFailureQueuePolicy\n    Properties", "Condition: Traces\n    Properties"),
        "wiring",
        "DynamoDbMapping is there under Traces, not under None",
    ),
]
