//! Texts that somebody tampered with.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What items are made of, and what looks like it.
const TOKENS: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "{\"S\":",
    "{\"N\":\"1\"}",
    "{\"M\":{",
    "{\"L\":[",
    "}}",
    "]}",
    "\"",
    "\"S\"",
    "\"N\"",
    "\"B\"",
    "\"BOOL\"",
    "\"NULL\"",
    "\"M\"",
    "\"L\"",
    "\"SS\"",
    "\"NS\"",
    "\"BS\"",
    "\"X\"",
    "\"\\u0053\"",
    "\"a\"",
    "\"12\"",
    "\"AQ==\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\x\"",
    "\\",
    "true",
    "false",
    "null",
    "1",
    "1.5",
    " ",
    "\n",
    "\u{b}",
    "\u{0}",
    "\u{feff}",
    "é",
    "//",
];

/// What makes of an item something that is nearly one.
const EXCHANGES: [(&str, &str); 22] = [
    ("}", ",}"),
    ("]", ",]"),
    ("{", "{,"),
    ("[", "[,"),
    (",", ",,"),
    (",", " "),
    (":", "::"),
    (":", " "),
    ("}", "}}"),
    ("}", ""),
    ("{", "["),
    ("}", "]"),
    ("[", "{"),
    ("]", ","),
    ("\"", "'"),
    ("\"", ""),
    ("{\"S\":", "{\"N\":"),
    ("{\"N\":", "{\"S\":"),
    ("{\"N\":\"", "{\"N\":\"x"),
    ("{\"SS\":", "{\"L\":"),
    ("{\"S\":", "{\"S\":\"\",\"S\":"),
    ("{\"M\":", "{\"L\":"),
];

/// Something done to a text.
#[derive(Debug, Clone)]
pub(super) enum Damage {
    /// Some of its bytes are others.
    Flips(Vec<(Index, u8)>),
    /// Something is put in.
    Put(Index, &'static str),
    /// A piece is cut out.
    Cut(Index, usize),
    /// A piece stands twice, or in another place.
    Copy(Index, usize, Index),
    /// One token takes another's place.
    Exchange(&'static str, &'static str, Index),
}

pub(super) fn damage() -> impl Strategy<Value = Damage> {
    let token = || select(TOKENS.to_vec());
    prop_oneof![
        vec((any::<Index>(), 0..128_u8), 1..3).prop_map(Damage::Flips),
        (any::<Index>(), token()).prop_map(|(place, token)| Damage::Put(place, token)),
        (any::<Index>(), 1..12_usize).prop_map(|(place, length)| Damage::Cut(place, length)),
        (any::<Index>(), 1..24_usize, any::<Index>()).prop_map(|(from, length, to)| Damage::Copy(from, length, to)),
        (select(EXCHANGES.to_vec()), any::<Index>())
            .prop_map(|((one, other), place)| Damage::Exchange(one, other, place)),
        (token(), token(), any::<Index>()).prop_map(|(one, other, place)| Damage::Exchange(one, other, place)),
    ]
}

/// Tokens in any order, in an item's first attribute or outside of all.
pub(super) fn tokens() -> impl Strategy<Value = String> {
    let tokens = vec(select(TOKENS.to_vec()), 0..12).prop_map(|tokens| tokens.concat());
    (tokens, any::<bool>()).prop_map(|(tokens, inside)| if inside { format!("{{\"a\":{tokens}}}") } else { tokens })
}

impl Damage {
    /// The damaged text; what is no longer UTF-8 becomes something else that is.
    pub(super) fn done_to(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        match self {
            Self::Flips(flips) => flips.iter().for_each(|(place, byte)| *place.get_mut(&mut bytes) = *byte),
            Self::Put(place, token) => drop(bytes.splice(insertion(place, text), token.bytes())),
            Self::Cut(place, length) => drop(bytes.drain(piece(place, *length, text))),
            Self::Copy(from, length, to) => {
                drop(bytes.splice(insertion(to, text), text.as_bytes()[piece(from, *length, text)].to_vec()));
            }
            Self::Exchange(one, other, place) => {
                let found: Vec<usize> = text.match_indices(one).map(|(at, _)| at).collect();
                if !found.is_empty() {
                    let at = *place.get(&found);
                    drop(bytes.splice(at..at + one.len(), other.bytes()));
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn insertion(place: &Index, text: &str) -> std::ops::Range<usize> {
    let place = place.index(text.len() + 1);
    place..place
}

fn piece(place: &Index, length: usize, text: &str) -> std::ops::Range<usize> {
    let place = place.index(text.len());
    place..(place + length).min(text.len())
}
