//! Scenarios to start from.

/// A scenario with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// Its name.
    pub name: &'static str,
    /// Its text, with comments.
    pub text: &'static str,
}

impl Example {
    /// What it shows: its first line.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches('#').trim()
    }
}

macro_rules! examples {
    ($($name:literal),* $(,)?) => {
        &[$(Example { name: $name, text: include_str!(concat!("../examples/", $name, ".toml")) }),*]
    };
}

const EXAMPLES: &[Example] = examples![
    "walkthrough-1",
    "walkthrough-2",
    "walkthrough-3",
    "walkthrough-4",
    "walkthrough-4-bisect",
    "poison",
    "endless",
    "age",
    "throttled",
    "destination-fails",
    "filter",
    "window",
    "parallel",
    "reshard",
    "table",
];

/// All of them.
#[must_use]
pub fn examples() -> &'static [Example] {
    EXAMPLES
}

/// The one of this name.
#[must_use]
pub fn example(name: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|example| example.name == name)
}
