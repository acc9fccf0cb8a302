//! Each complaint has a line, a key, and what is allowed.

use simulation::Scenario;

fn check(text: &str, error: &str) {
    assert_eq!(Scenario::parse(text).unwrap_err().to_string(), error, "{text}");
}

#[test]
fn what_is_no_toml_has_a_place() {
    let error = Scenario::parse("[stream]\nrecords = \n").unwrap_err();
    assert_eq!(error.line, 2, "{error}");
    assert!(error.message.starts_with("expected TOML: "), "{error}");
}

#[test]
fn a_setting_out_of_range_says_what_aws_allows_and_answers() {
    check(
        "[mapping]\nBatchSize = 0\n[stream]\nrecords = 1\n",
        "2:1: mapping.BatchSize must be 1 to 10000, got 0; AWS would answer ValidationException: 1 validation error detected: \
         Value '0' at 'batchSize' failed to satisfy constraint: Member must have value greater than or equal to 1",
    );
    check(
        "[stream]\nrecords = 1\n[mapping]\n\nMaximumRecordAgeInSeconds = 59\n",
        "5:1: mapping.MaximumRecordAgeInSeconds must be -1, or 60 to 604800, got 59",
    );
    check(
        "[stream]\nrecords = 1\nsource = \"dynamodb\"\n[mapping]\nStartingPosition = \"AT_TIMESTAMP\"\n",
        "5:1: mapping.StartingPosition must be TRIM_HORIZON or LATEST on a DynamoDB stream, got \"AT_TIMESTAMP\"; \
         AWS would answer InvalidParameterValueException: Unsupported starting position for arn type",
    );
    check(
        "[stream]\nrecords = 1\n[mapping]\nDestinationConfig = { OnFailure = { Destination = \"queue\" } }\n",
        "4:1: mapping.DestinationConfig.OnFailure.Destination must be the ARN of a queue, a topic or a bucket, got \"queue\"",
    );
    check(
        "[stream]\nrecords = 1\n[mapping]\nKMSKeyArn = \"key\"\n",
        "4:1: mapping.KMSKeyArn is refused: the model does not cover KMSKeyArn = \"key\"",
    );
    check(
        "[stream]\nrecords = 1\n[mapping]\nEventSourceArn = \"arn:aws:dynamodb:us-east-1:1:table/o/stream/2026-01-01T00:00:00.000\"\n",
        "4:1: mapping.EventSourceArn must be of the service that stream.source names",
    );
    let unknown = Scenario::parse("[stream]\nrecords = 1\n[mapping]\nBatchsize = 5\n").unwrap_err().to_string();
    assert!(unknown.starts_with("4:1: mapping.Batchsize is not known; known here: BatchSize, "), "{unknown}");
    let filter = "[stream]\nrecords = 1\n[mapping]\nFilterCriteria = { Filters = [{ Pattern = '{\"a\": 1}' }] }\n";
    let error = Scenario::parse(filter).unwrap_err().to_string();
    assert!(error.starts_with("4:1: mapping.FilterCriteria: "), "{error}");
    assert!(error.ends_with("Invalid filter pattern definition."), "{error}");
}

#[test]
fn a_key_that_nobody_knows_is_named_with_those_that_are_known() {
    check(
        "[stream]\nrecords = 1\nshard = 1\n",
        "3:1: stream.shard is not known; known here: source, shards, records, age_seconds, rate_per_second, keys, \
         record_bytes, retention_hours, reshards",
    );
    check(
        "[stream]\nrecords = 1\n[functions]\n",
        "3:2: functions is not known; known here: stream, mapping, function, failures, records, destination, disabled, \
         simulation",
    );
    check(
        "[stream]\nrecords = 3\n[[failures]]\nrecord = 1\ntime = 1\n",
        "5:1: failures.time is not known; known here: record, times",
    );
}

#[test]
fn a_value_of_the_wrong_kind_or_range_says_what_is_expected() {
    check("[stream]\nrecords = \"ten\"\n", "2:1: stream.records must be 0 to 1000000, got \"ten\"");
    check("[stream]\nrecords = 1000001\n", "2:1: stream.records must be 0 to 1000000, got 1000001");
    check("[stream]\nrecords = 1.5\n", "2:1: stream.records must be 0 to 1000000, got 1.5");
    check("[stream]\nshards = 0\nrecords = 1\n", "2:1: stream.shards must be 1 to 100, got 0");
    check(
        "[stream]\nsource = \"sqs\"\nrecords = 1\n",
        "2:1: stream.source must be \"kinesis\", \"dynamodb\", got \"sqs\"",
    );
    check(
        "[stream]\nsource = \"dynamodb\"\nrecords = 1\nretention_hours = 48\n",
        "4:1: stream.retention_hours must be 24 to 24, got 48",
    );
    check(
        "[stream]\nrecords = 1\n[function]\nreports = \"fails\"\n",
        "4:1: function.reports must be \"first\", \"all\", \"throws\", \"times-out\", \"crashes\", got \"fails\"",
    );
    check("[stream]\nrecords = 3\n[[failures]]\nrecord = 4\n", "4:1: failures.record must be 1 to 3, got 4");
    check(
        "[stream]\nrecords = 3\n[[failures]]\nrecord = 1\ntimes = \"often\"\n",
        "5:1: failures.times must be \"always\", got \"often\"",
    );
    check(
        "[stream]\nrecords = 3\n[[failures]]\nrecord = 1\ntimes = 0\n",
        "5:1: failures.times must be 1 to 1000000, got 0",
    );
    check(
        "[stream]\nrecords = 1\n[destination]\nfails = \"yes\"\n",
        "4:1: destination.fails must be 0 to 1000000, got \"yes\"",
    );
    check("stream = 5\n", "1:1: stream must be a table: [stream], got 5");
    check(
        "[stream]\nrecords = 1\n[failures]\nrecord = 1\n",
        "3:2: failures must be tables: [[failures]], got {\"record\":1}",
    );
}

#[test]
fn what_is_missing_or_said_twice_is_named() {
    check("[mapping]\n", "1:1: stream.records is missing");
    check("[stream]\nrecords = 3\n[[failures]]\ntimes = 1\n", "3:1: failures.record is missing");
    check(
        "[stream]\nrecords = 3\n[[failures]]\nrecord = 1\n[[failures]]\nrecord = 1\n",
        "6:1: failures.record is the same as that of a table above it",
    );
    let json = Scenario::parse("[stream]\nrecords = 3\n[[records]]\nrecord = 1\njson = '{'\n").unwrap_err();
    assert!(json.to_string().starts_with("5:1: records.json must be JSON in a text: "), "{json}");
}

#[test]
fn a_reshard_is_of_shards_that_are_open() {
    let reshard = |shards: u8, lines: &str| format!("[stream]\nrecords = 1\nshards = {shards}\n{lines}");
    let table = "[[stream.reshards]]\n";
    check(
        &reshard(1, &format!("{table}at_seconds = 1\nsplit = 1\n")),
        "6:1: stream.reshards.split must be 0 to 0, got 1",
    );
    check(
        &reshard(1, &format!("{table}at_seconds = 1\nsplit = 0\n{table}at_seconds = 2\nsplit = 0\n")),
        "9:1: stream.reshards.split must name an open shard, one of [1, 2]",
    );
    check(
        &reshard(3, &format!("{table}at_seconds = 1\nmerge = [0, 2]\n")),
        "6:1: stream.reshards.merge must name two neighbours among the open shards [0, 1, 2]",
    );
    check(
        &reshard(2, &format!("{table}at_seconds = 5\nsplit = 0\n{table}at_seconds = 2\nsplit = 1\n")),
        "8:1: stream.reshards.at_seconds must not be before that of the reshard above it",
    );
    check(
        &reshard(2, &format!("{table}at_seconds = 5\n")),
        "5:1: stream.reshards.at_seconds needs either `split` or `merge` beside it",
    );
    check(
        &reshard(2, &format!("{table}at_seconds = 5\nmerge = [0]\n")),
        "6:1: stream.reshards.merge must be 2 integers of 0 to 1, got [0]",
    );
}
