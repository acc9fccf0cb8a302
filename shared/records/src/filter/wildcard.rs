//! Texts with `*` in them.

/// A pattern of the operator `wildcard`: `*` is any run of characters, `\*` an asterisk and `\\` a backslash.
#[derive(Debug, Clone)]
pub(super) struct Wildcard {
    first: String,
    /// What has to follow, each behind a `*`. Its last one ends the text.
    rest: Vec<String>,
}

impl Wildcard {
    /// EventBridge refuses what its engine would be slow at, by a measure that it does not publish. It is known to refuse
    /// six with a separator between them.
    const STARS_MAX: usize = 5;

    /// Fails with what was expected.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = vec![String::new()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let literal = match character {
                '*' if characters.peek() == Some(&'*') => return Err("a wildcard without `*` behind `*`"),
                '*' => {
                    pieces.push(String::new());
                    continue;
                }
                '\\' => characters
                    .next_if(|next| matches!(next, '*' | '\\'))
                    .ok_or("a wildcard whose backslashes stand before `*` or a backslash")?,
                literal => literal,
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(literal);
            }
        }
        if pieces.len() - 1 > Self::STARS_MAX {
            return Err("a wildcard of at most five `*`");
        }
        let rest = pieces.split_off(1);
        Ok(Self { first: pieces.concat(), rest })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((last, middle)) = self.rest.split_last() else { return text == self.first };
        let between = text.strip_prefix(self.first.as_str()).and_then(|text| text.strip_suffix(last.as_str()));
        let Some(mut between) = between else { return false };
        // The leftmost place for each piece leaves the most room for those behind it.
        for piece in middle {
            let Some((_, behind)) = between.split_once(piece.as_str()) else { return false };
            between = behind;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let wildcard = Wildcard::parse(pattern).unwrap();
        for text in matching {
            assert!(wildcard.matches(text), "{pattern} {text}");
        }
        for text in others {
            assert!(!wildcard.matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_star_is_any_run_of_characters() {
        check("", &[""], &["a"]);
        check("*", &["", "a", "äöü"], &[]);
        check("a*b", &["ab", "axb", "abb"], &["a", "abc", "b"]);
        check("ab*ba", &["abba", "abxba"], &["aba"]);
        check("*ab*ab", &["abab", "xabab", "abxxab"], &["ab", "aab"]);
        check("logs/*/*.gz", &["logs/a/b.gz", "logs//.gz"], &["logs/b.gz"]);
    }

    #[test]
    fn a_backslash_makes_an_asterisk_or_a_backslash_of_what_follows() {
        check(r"\*\\*", &[r"*\", r"*\x"], &[r"a\", "*"]);
        for refused in [r"\", r"a\b", "a**", "*:*:*:*:*:*"] {
            assert!(Wildcard::parse(refused).is_err(), "{refused}");
        }
    }
}
