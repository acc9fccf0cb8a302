#!/bin/sh
# Makes what the functions of `infra/template.yaml` read and write: its sources, queues and bucket. LocalStack and ministack
# run it when they are ready; by hand: AWS_ENDPOINT_URL=http://127.0.0.1:4566 localstack/init/ready.d/10-resources.sh
#
# Left out: functions, mappings and roles, which the integration tests make; the key, policies, topics, alarms and log
# groups, which a stand-in keeps and does nothing with; what a parameter adds, such as an S3 destination. The stream has two
# shards in place of capacity on demand, so that there is more than one.
#
# It may run again: what is there stays as it is. Without an endpoint it stops, for this is no way to set AWS up. POSIX sh,
# since ministack starts it with `sh`.
set -eu

stack=${STACK:-stream-recovery}
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}
export AWS_DEFAULT_REGION="$region" AWS_DEFAULT_OUTPUT=text AWS_PAGER=

# Left unquoted where it is used: it is a command with its options.
if command -v awslocal >/dev/null; then
    aws=awslocal
elif [ -n "${AWS_ENDPOINT_URL:-}" ]; then
    aws="aws --endpoint-url $AWS_ENDPOINT_URL"
    export AWS_ACCESS_KEY_ID="${AWS_ACCESS_KEY_ID:-test}" AWS_SECRET_ACCESS_KEY="${AWS_SECRET_ACCESS_KEY:-test}"
else
    echo "error: AWS_ENDPOINT_URL is not set: expected the URL of a stand-in for AWS" >&2
    exit 1
fi

account=$($aws sts get-caller-identity --query Account)

# The names, as the template gives them.
stream=$stack-orders
table=$stack-orders
kinesis_failures=$stack-kinesis-failures
dynamodb_failures=$stack-dynamodb-failures
hydrator_dead_letters=$stack-hydrator-dead-letters
recovered=$stack-recovered
archive=$stack-archive-$account-$region

# Fourteen days: the most that SQS keeps a message.
retention_seconds=1209600
# Six times the hydrator's time-out, as Lambda advises.
visibility_seconds=720
# After so many receives a message of an on-failure queue goes to the hydrator's dead-letter queue.
max_receive_count=10
archive_days=30
noncurrent_days=7
stream_retention_hours=168

# $1: name, $2: further attributes, each with a comma in front.
queue() {
    if ! $aws sqs get-queue-url --queue-name "$1" >/dev/null 2>&1; then
        $aws sqs create-queue --queue-name "$1" \
            --attributes "{\"MessageRetentionPeriod\":\"$retention_seconds\"$2}" >/dev/null
    fi
}

if ! $aws kinesis describe-stream-summary --stream-name "$stream" >/dev/null 2>&1; then
    $aws kinesis create-stream --stream-name "$stream" --shard-count 2
fi
$aws kinesis wait stream-exists --stream-name "$stream"
hours=$($aws kinesis describe-stream-summary --stream-name "$stream" \
    --query StreamDescriptionSummary.RetentionPeriodHours)
if [ "$hours" -lt "$stream_retention_hours" ]; then
    $aws kinesis increase-stream-retention-period --stream-name "$stream" \
        --retention-period-hours "$stream_retention_hours"
    $aws kinesis wait stream-exists --stream-name "$stream"
fi

if ! $aws dynamodb describe-table --table-name "$table" >/dev/null 2>&1; then
    $aws dynamodb create-table --table-name "$table" --billing-mode PAY_PER_REQUEST \
        --attribute-definitions AttributeName=order_id,AttributeType=S \
        --key-schema AttributeName=order_id,KeyType=HASH \
        --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES >/dev/null
fi
$aws dynamodb wait table-exists --table-name "$table"

queue "$hydrator_dead_letters" ""
dead_letter_arn=$($aws sqs get-queue-attributes --attribute-names QueueArn --query Attributes.QueueArn \
    --queue-url "$($aws sqs get-queue-url --queue-name "$hydrator_dead_letters" --query QueueUrl)")
# A policy is JSON in a JSON text.
redrive="{\\\"deadLetterTargetArn\\\":\\\"$dead_letter_arn\\\",\\\"maxReceiveCount\\\":$max_receive_count}"
for name in "$kinesis_failures" "$dynamodb_failures"; do
    queue "$name" ",\"VisibilityTimeout\":\"$visibility_seconds\",\"RedrivePolicy\":\"$redrive\""
done
queue "$recovered" ""

if ! $aws s3api head-bucket --bucket "$archive" >/dev/null 2>&1; then
    # The first region has no name here, and is refused by its own.
    if [ "$region" = us-east-1 ]; then
        $aws s3api create-bucket --bucket "$archive" >/dev/null
    else
        $aws s3api create-bucket --bucket "$archive" \
            --create-bucket-configuration "LocationConstraint=$region" >/dev/null
    fi
fi
$aws s3api put-bucket-versioning --bucket "$archive" --versioning-configuration Status=Enabled
$aws s3api put-bucket-lifecycle-configuration --bucket "$archive" --lifecycle-configuration \
    "{\"Rules\":[{\"ID\":\"expire\",\"Status\":\"Enabled\",\"Filter\":{\"Prefix\":\"\"},
      \"Expiration\":{\"Days\":$archive_days},\"NoncurrentVersionExpiration\":{\"NoncurrentDays\":$noncurrent_days},
      \"AbortIncompleteMultipartUpload\":{\"DaysAfterInitiation\":1}}]}" >/dev/null

echo "made: stream and table $stream, queues $kinesis_failures $dynamodb_failures $hydrator_dead_letters $recovered," \
    "bucket $archive"
