//! Every example runs, and shows what its first line says.

use simulation::{Scenario, examples};

#[test]
fn every_example_runs_to_its_end_and_accounts_for_every_record() {
    for example in examples() {
        let scenario = Scenario::parse(example.text).unwrap_or_else(|error| panic!("{}: {error}", example.name));
        let outcome = scenario.run();
        assert!(outcome.finished, "{}", example.name);
        assert_eq!(outcome.endings.len() + outcome.unread.len(), outcome.records.len(), "{}", example.name);
        assert!(example.title().ends_with('.') && example.title().len() < 120, "{}", example.title());
        scenario.compare().unwrap();
        timeline::html(&outcome.timeline(&scenario, example.name)).unwrap();
    }
}

#[test]
fn an_example_that_nobody_wrote_is_not_there() {
    assert!(simulation::example("walkthrough-5").is_none());
    assert_eq!(simulation::example("poison").unwrap().name, "poison");
}
