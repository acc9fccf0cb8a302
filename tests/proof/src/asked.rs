//! What the command line of the worlds asks for: their own options, and those that every test binary is given.

/// How many records are produced unless something else is asked for.
const RECORDS: u64 = 1_000_000;

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The first seed.
    pub first: u64,
    /// The seed behind the last one.
    pub end: Option<u64>,
    /// Worlds are made until so many records were produced.
    pub records: Option<u64>,
    /// Records of each world, in place of what its seed says.
    pub world_records: Option<usize>,
    /// Whether each world is printed.
    pub is_verbose: bool,
    /// Whether all that happens is printed.
    pub is_told: bool,
    /// Whether the tests are to be listed and not run.
    pub lists: bool,
    /// Whether only tests are asked for that are ignored, of which there are none.
    pub only_ignored: bool,
    is_exact: bool,
    filters: Vec<String>,
    skipped: Vec<String>,
}

impl Asked {
    /// Reads the options of this test, and those of libtest, of which most say nothing here.
    ///
    /// # Errors
    ///
    /// When an option of this test has no value, or another one than a number.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut asked = Self::default();
        // `--option=value` is the same as `--option value`.
        let split = |argument: String| match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => vec![option.to_owned(), value.to_owned()],
            _ => vec![argument],
        };
        let mut arguments = arguments.flat_map(split);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("expected a value behind `{argument}`"));
            match argument.as_str() {
                "--seed" => {
                    asked.first = number(&argument, &value()?)?;
                    asked.end = Some(asked.first + 1);
                    asked.is_verbose = true;
                }
                "--seeds" => asked.end = Some(number(&argument, &value()?)?),
                "--from" => asked.first = number(&argument, &value()?)?,
                "--records" => asked.records = Some(number(&argument, &value()?)?),
                "--world-records" => asked.world_records = usize::try_from(number(&argument, &value()?)?).ok(),
                "--verbose" => asked.is_verbose = true,
                "--story" => asked.is_told = true,
                "--list" => asked.lists = true,
                "--ignored" => asked.only_ignored = true,
                "--exact" => asked.is_exact = true,
                "--skip" => asked.skipped.push(value()?),
                "--format" | "--color" | "--test-threads" | "--logfile" | "--report-time" | "--shuffle-seed" | "-Z" => {
                    drop(value()?);
                }
                option if option.starts_with('-') => {}
                filter => asked.filters.push(filter.to_owned()),
            }
        }
        if asked.end.is_none() && asked.records.is_none() {
            asked.records = Some(RECORDS);
        }
        Ok(asked)
    }

    /// Whether the test of this name is to be run.
    #[must_use]
    pub fn selects(&self, name: &str) -> bool {
        let fits = |filter: &String| if self.is_exact { name == filter } else { name.contains(filter.as_str()) };
        (self.filters.is_empty() || self.filters.iter().any(fits)) && !self.skipped.iter().any(fits)
    }
}

fn number(option: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number behind `{option}`, got `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        Asked::from_arguments(line.split_whitespace().map(str::to_owned)).unwrap()
    }

    #[test]
    fn without_options_a_million_records_are_produced() {
        assert_eq!((asked("").records, asked("").end), (Some(1_000_000), None));
        assert_eq!(asked("--seeds 7"), Asked { end: Some(7), ..Asked::default() });
        assert_eq!(asked("--records=5").records, Some(5));
        let one = asked("--seed 1234");
        assert_eq!((one.first, one.end, one.records), (1234, Some(1235), None));
    }

    #[test]
    fn what_other_test_binaries_take_is_taken() {
        let line = "name --exact --nocapture --test-threads 1 --format terse -Z unstable-options --color=always -q";
        let taken = asked(line);
        assert!(taken.selects("name") && !taken.selects("a_name"));
        assert!(asked("am other").selects("name") && !asked("--skip am").selects("name"));
        assert!(asked("--list --ignored").lists && asked("--list --ignored").only_ignored);
    }

    #[test]
    fn a_bad_number_is_named_with_its_option() {
        let error = |line: &str| Asked::from_arguments(line.split(' ').map(str::to_owned)).unwrap_err();
        assert_eq!(error("--seed x"), "expected a whole number behind `--seed`, got `x`");
        assert_eq!(error("--seeds"), "expected a value behind `--seeds`");
    }
}
