use super::{FilterPattern, FilterPatternError};
use serde_json::Value;

/// A pattern, with events that match it and events that do not.
fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    let parsed = FilterPattern::parse(pattern).unwrap();
    let matches = |event: &str| parsed.matches(&serde_json::from_str::<Value>(event).unwrap());
    for event in matching {
        assert!(matches(event), "{pattern} {event}");
    }
    for event in others {
        assert!(!matches(event), "{pattern} {event}");
    }
}

fn check_refused(pattern: &str, path: &str) {
    match FilterPattern::parse(pattern) {
        Err(FilterPatternError::Unexpected { path: at, .. }) => assert_eq!(at, path, "{pattern}"),
        other => panic!("{pattern}: {other:?}"),
    }
}

#[test]
fn all_fields_have_to_match_and_of_a_list_one_value() {
    let pattern = r#"{"city":["Oslo","Bergen"],"order":{"state":["paid"]}}"#;
    check(
        pattern,
        &[r#"{"city":"Bergen","order":{"state":"paid","id":1},"more":[]}"#],
        &[r#"{"city":"Bergen"}"#, r#"{"city":"oslo","order":{"state":"paid"}}"#, r#"{"city":"Oslo","order":"paid"}"#],
    );
}

#[test]
fn a_value_is_of_its_own_type() {
    check(r#"{"a":[null]}"#, &[r#"{"a":null}"#], &[r#"{"a":"null"}"#, "{}", r#"{"a":[]}"#, r#"{"a":{}}"#]);
    check(r#"{"a":[""]}"#, &[r#"{"a":""}"#], &[r#"{"a":null}"#, "{}"]);
    check(r#"{"a":[true]}"#, &[r#"{"a":true}"#], &[r#"{"a":"true"}"#, r#"{"a":false}"#, r#"{"a":1}"#]);
    check(r#"{"a":[7]}"#, &[r#"{"a":7}"#, r#"{"a":7.0}"#, r#"{"a":70e-1}"#], &[r#"{"a":"7"}"#, r#"{"a":7.5}"#]);
    check(r#"{"a":["7"]}"#, &[r#"{"a":"7"}"#], &[r#"{"a":7}"#]);
    check(r#"{"a":[{"exactly":"x"}]}"#, &[r#"{"a":"x"}"#], &[r#"{"a":"xy"}"#]);
}

#[test]
fn an_event_that_is_no_object_matches_nothing() {
    check(r#"{"a":[{"exists":false}]}"#, &["{}"], &["[]", "7", "null", r#""a""#]);
}

#[test]
fn exists_is_about_leaves() {
    let there = [r#"{"a":0}"#, r#"{"a":null}"#, r#"{"a":[1]}"#];
    let not_there = ["{}", r#"{"a":{"b":1}}"#, r#"{"a":[]}"#, r#"{"a":[{"b":1}]}"#];
    check(r#"{"a":[{"exists":true}]}"#, &there, &not_there);
    check(r#"{"a":[{"exists":false}]}"#, &not_there, &there);
    check(r#"{"a":{"b":[{"exists":false}]}}"#, &["{}", r#"{"a":1}"#, r#"{"a":{}}"#], &[r#"{"a":{"b":1}}"#]);
    check(r#"{"a":["x",{"exists":false}]}"#, &["{}", r#"{"a":"x"}"#], &[r#"{"a":"y"}"#]);
}

#[test]
fn anything_but_wants_a_value_and_takes_those_of_other_types() {
    let texts = r#"{"a":[{"anything-but":["x","y"]}]}"#;
    check(texts, &[r#"{"a":"z"}"#, r#"{"a":1}"#, r#"{"a":null}"#, r#"{"a":["x","z"]}"#], &[r#"{"a":"y"}"#, "{}"]);
    let numbers = r#"{"a":[{"anything-but":[1,2.5]}]}"#;
    check(numbers, &[r#"{"a":3}"#, r#"{"a":"1"}"#, r#"{"a":6e9}"#], &[r#"{"a":1.0}"#, r#"{"a":2.5}"#, r#"{"a":[1]}"#]);
    check(r#"{"a":[{"anything-but":"x"}]}"#, &[r#"{"a":"X"}"#], &[r#"{"a":"x"}"#]);
    check(r#"{"a":[{"anything-but":0}]}"#, &[r#"{"a":1}"#], &[r#"{"a":0}"#]);
    check(r#"{"a":[{"anything-but":{"prefix":["x","yy"]}}]}"#, &[r#"{"a":"y"}"#, r#"{"a":1}"#], &[r#"{"a":"xz"}"#]);
    check(r#"{"a":[{"anything-but":{"suffix":".gz"}}]}"#, &[r#"{"a":"x.gz.bak"}"#], &[r#"{"a":"x.gz"}"#]);
    check(r#"{"a":[{"anything-but":{"equals-ignore-case":"x"}}]}"#, &[r#"{"a":"xx"}"#], &[r#"{"a":"X"}"#]);
    check(r#"{"a":[{"anything-but":{"wildcard":"x*z"}}]}"#, &[r#"{"a":"x"}"#], &[r#"{"a":"xyz"}"#]);
}

#[test]
fn texts_are_compared_at_their_ends_and_without_case_where_told() {
    check(r#"{"a":[{"prefix":"ab"}]}"#, &[r#"{"a":"ab"}"#, r#"{"a":"abc"}"#], &[r#"{"a":"a"}"#, r#"{"a":"Abc"}"#]);
    check(r#"{"a":[{"prefix":""}]}"#, &[r#"{"a":""}"#, r#"{"a":"x"}"#], &[r#"{"a":1}"#, "{}"]);
    check(r#"{"a":[{"suffix":"bc"}]}"#, &[r#"{"a":"abc"}"#], &[r#"{"a":"abcd"}"#, r#"{"a":"aBC"}"#]);
    let ignoring = |operator: &str| format!(r#"{{"a":[{{"{operator}":{{"equals-ignore-case":"äB"}}}}]}}"#);
    check(&ignoring("prefix"), &[r#"{"a":"ÄbC"}"#], &[r#"{"a":"Ä"}"#, r#"{"a":"xÄb"}"#]);
    check(&ignoring("suffix"), &[r#"{"a":"CÄb"}"#], &[r#"{"a":"b"}"#, r#"{"a":"ÄbC"}"#]);
    check(r#"{"a":[{"equals-ignore-case":"äB"}]}"#, &[r#"{"a":"ÄB"}"#], &[r#"{"a":"ÄBC"}"#, r#"{"a":"Ä"}"#]);
    check(r#"{"a":[{"wildcard":"s3/*/x"}]}"#, &[r#"{"a":"s3/y/x"}"#], &[r#"{"a":"s3/x"}"#, r#"{"a":3}"#]);
    check(r#"{"a":[{"cidr":"10.0.0.0/8"}]}"#, &[r#"{"a":"10.9.9.9"}"#], &[r#"{"a":"11.0.0.0"}"#, r#"{"a":10}"#]);
}

#[test]
fn numeric_compares_numbers_and_nothing_else() {
    let range = r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#;
    check(
        range,
        &[r#"{"a":5}"#, r#"{"a":0.000001}"#],
        &[r#"{"a":0}"#, r#"{"a":5.1}"#, r#"{"a":"3"}"#, r#"{"a":null}"#],
    );
    check(r#"{"a":[{"numeric":["=",3.5]}]}"#, &[r#"{"a":35e-1}"#], &[r#"{"a":3.500001}"#]);
    check(r#"{"a":[{"numeric":["<",0]}]}"#, &[r#"{"a":-1}"#], &[r#"{"a":0}"#, r#"{"a":-6e9}"#]);
    check(r#"{"a":[{"numeric":[">=",1]}]}"#, &[r#"{"a":1}"#], &[r#"{"a":0.9}"#, r#"{"a":6000000000}"#]);
}

#[test]
fn a_list_in_the_event_matches_by_one_of_its_elements() {
    check(r#"{"a":["x"]}"#, &[r#"{"a":["y","x"]}"#, r#"{"a":[["x"],{"b":1}]}"#], &[r#"{"a":["y"]}"#, r#"{"a":[]}"#]);
    check(r#"{"a":{"b":[1]}}"#, &[r#"{"a":[{"c":2},7,{"b":1}]}"#], &[r#"{"a":[{"b":2},1]}"#]);
}

#[test]
fn conditions_on_an_object_in_a_list_hold_for_the_same_object() {
    let pattern = r#"{"a":{"b":[1],"c":[2]}}"#;
    check(pattern, &[r#"{"a":[{"b":0,"c":0},{"b":1,"c":2}]}"#], &[r#"{"a":[{"b":1,"c":0},{"b":0,"c":2}]}"#]);
    let absent = r#"{"a":{"b":[1],"c":[{"exists":false}]}}"#;
    check(absent, &[r#"{"a":[{"b":1},{"b":0,"c":2}]}"#], &[r#"{"a":[{"b":1,"c":2},{"b":0}]}"#]);
    check(r#"{"a":{"c":[{"exists":false}]}}"#, &[r#"{"a":[{"b":1},{}]}"#], &[r#"{"a":[{"b":1},{"c":2}]}"#]);
}

#[test]
fn or_continues_with_each_alternative() {
    let pattern = r#"{"s":["x"],"$or":[{"a":[1]},{"b":[2],"c":[3]}],"t":{"$or":[{"d":[4]},{"e":[5]}]}}"#;
    check(
        pattern,
        &[r#"{"s":"x","a":1,"t":{"d":4}}"#, r#"{"s":"x","b":2,"c":3,"t":{"e":5}}"#],
        &[r#"{"s":"x","a":1}"#, r#"{"s":"x","b":2,"t":{"d":4}}"#, r#"{"a":1,"t":{"d":4}}"#, r#"{"s":"x","t":{"d":4}}"#],
    );
}

#[test]
fn of_a_path_written_twice_the_last_counts_and_different_paths_all_count() {
    check(r#"{"a":[1],"b":[2],"a":[3]}"#, &[r#"{"a":3,"b":2}"#], &[r#"{"a":1,"b":2}"#]);
    // AWS's example of "and" writes `dynamodb` twice.
    let twice = r#"{"d":{"new":["x"]},"d":{"old":["y"]}}"#;
    check(twice, &[r#"{"d":{"new":"x","old":"y"}}"#], &[r#"{"d":{"old":"y"}}"#, r#"{"d":{"new":"x"}}"#]);
    check(r#"{"a":[1],"$or":[{"a":[2]},{"b":[3]}]}"#, &[r#"{"a":2}"#, r#"{"a":1,"b":3}"#], &[r#"{"a":1}"#]);
}

#[test]
fn a_key_with_dots_is_a_path() {
    for pattern in [r#"{"a":{"b":[1]}}"#, r#"{"a.b":[1]}"#] {
        let both = r#"{"a":{"b":0},"a.b":1}"#;
        check(pattern, &[r#"{"a":{"b":1}}"#, r#"{"a.b":1}"#, both], &[r#"{"a.b":{"b":1}}"#, r#"{"a":1,"b":1}"#]);
    }
    check(r#"{"":{"":[1]}}"#, &[r#"{"":{"":1}}"#], &[r#"{"":1}"#]);
}

#[test]
fn a_malformed_pattern_is_refused_with_its_place() {
    check_refused("[]", "$");
    check_refused("{}", "$");
    check_refused(r#"{"a":{}}"#, "$.a");
    check_refused(r#"{"a":[]}"#, "$.a");
    check_refused(r#"{"a":{"b":"x"}}"#, "$.a.b");
    check_refused(r#"{"a":["x",["y"]]}"#, "$.a[1]");
    check_refused(r#"{"a":[{}]}"#, "$.a[0]");
    check_refused(r#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "$.a[0]");
    check_refused(r#"{"a":[{"prefix":"x","prefix":"y"}]}"#, "$.a[0]");
    check_refused(r#"{"a":[{"Prefix":"x"}]}"#, "$.a[0].Prefix");
    check_refused(r#"{"a":[{"prefix":{"suffix":"x"}}]}"#, "$.a[0].prefix");
    check_refused(r#"{"a":[{"exists":"true"}]}"#, "$.a[0].exists");
    check_refused(r#"{"a":[{"cidr":"10.0.0.0"}]}"#, "$.a[0].cidr");
    for numeric in
        ["[]", "5", r#"["="]"#, r#"["=","5"]"#, r#"["!",5]"#, r#"["<",5,">",0]"#, r#"[">",5,"<",5]"#, r#"["<",6e9]"#]
    {
        check_refused(&format!(r#"{{"a":[{{"numeric":{numeric}}}]}}"#), "$.a[0].numeric");
    }
    for but in ["[]", "null", "true", r#"["x",1]"#, r#"[1,"x"]"#, r#"["x",null]"#, "6e9"] {
        check_refused(&format!(r#"{{"a":[{{"anything-but":{but}}}]}}"#), "$.a[0].anything-but");
    }
    check_refused(r#"{"a":[{"anything-but":{"prefix":["x",""]}}]}"#, "$.a[0].anything-but.prefix");
    check_refused(r#"{"a":[{"anything-but":{"numeric":["=",1]}}]}"#, "$.a[0].anything-but.numeric");
    check_refused(r#"{"b":{"$or":[{"a":[1]}]}}"#, "$.b.$or");
    check_refused(r#"{"$or":{"a":[1]}}"#, "$.$or");
    check_refused(r#"{"$or":[{"a":[1]},[]]}"#, "$.$or[1]");
    check_refused(r#"{"$or":[{"a":[1]},{"prefix":["x"]}]}"#, "$.prefix");
}

#[test]
fn a_pattern_is_bounded_in_length_depth_and_alternatives() {
    let error = |pattern: &str| FilterPattern::parse(pattern).unwrap_err();
    assert_eq!(error(&" ".repeat(4097)), FilterPatternError::TooLong { chars: 4097 });
    assert!(matches!(error(&r#"{"a":"#.repeat(600)), FilterPatternError::NotJson { .. }));
    let or = |n: usize| format!(r#""$or":[{}]"#, vec![r#"{"a":[1]}"#; n].join(","));
    let product = |last| format!("{{{},{},{}}}", or(10), or(10), or(last));
    assert!(FilterPattern::parse(&product(10)).is_ok());
    check_refused(&product(11), "$.$or");
}

#[test]
fn an_error_says_what_was_expected_and_where() {
    let error = |pattern: &str| FilterPattern::parse(pattern).unwrap_err().to_string();
    assert_eq!(
        error(r#"{"data":{"state":[{"prefix":5}]}}"#),
        "invalid filter pattern: expected a text at `$.data.state[0].prefix`"
    );
    assert_eq!(
        error(r#"{"data":[1"#),
        "invalid filter pattern: expected a JSON object, got EOF while parsing a list at line 1 column 10"
    );
}
