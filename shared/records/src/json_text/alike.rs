//! Objects that are alike: the records of an event have the same keys in the same order, and most values with them.

use super::{JsonText, Refused};
use std::borrow::Cow;

/// What the objects of an array have in common: which keys come in which order, and values that do not change.
#[derive(Debug, Default)]
pub struct Habit<'de> {
    fields: Vec<HabitField<'de>>,
}

#[derive(Debug, Default, Clone)]
struct HabitField<'de> {
    /// With quotes and colon, exactly so: `"eventID":`. Empty where it is written otherwise.
    key: &'de str,
    /// The text of the value, where somebody keeps it.
    value: &'de str,
}

impl<'de> Habit<'de> {
    /// More fields than any record of AWS has.
    const FIELDS_MAX: usize = 64;

    #[inline]
    fn field(&mut self, place: usize) -> Result<&mut HabitField<'de>, Refused> {
        if place == self.fields.len() {
            if place == Self::FIELDS_MAX {
                return Err(Refused);
            }
            self.fields.push(HabitField::default());
        }
        self.fields.get_mut(place).ok_or(Refused)
    }
}

impl<'de> JsonText<'de> {
    /// Takes an object that is one of many alike: what it has in common with the one before is not looked at twice.
    ///
    /// `field` gets the text that the value at the same place had in the object before, for the methods whose names end in
    /// `_like`.
    ///
    /// # Errors
    ///
    /// When there is no object, or when `field` refuses.
    #[inline]
    pub fn object_like(
        &mut self,
        habit: &mut Habit<'de>,
        mut field: impl FnMut(&mut Self, &str, &mut &'de str) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        self.nested([b'{', b'}'], |text| {
            let mut first = true;
            let mut place = 0;
            while text.another(b'}', &mut first)? {
                let known = habit.field(place)?;
                place += 1;
                if let Some(key) = text.key_like(known.key) {
                    field(text, key, &mut known.value)?;
                    continue;
                }
                *known = HabitField::default();
                let start = text.at;
                let key = text.string()?;
                text.take(b':')?;
                if let (Cow::Borrowed(_), Some(raw)) = (&key, text.json.get(start..text.at)) {
                    known.key = if raw.len() == key.len() + r#""":"#.len() { raw } else { "" };
                }
                field(text, &key, &mut known.value)?;
            }
            Ok(())
        })
    }

    /// Takes a key with its colon, if it is this one.
    #[inline]
    fn key_like(&mut self, known: &'de str) -> Option<&'de str> {
        let key = known.strip_prefix('"')?.strip_suffix("\":")?;
        self.rest().starts_with(known.as_bytes()).then(|| self.pass(known.len()))?;
        Some(key)
    }

    /// Takes any value, and gives its text, which is often that of `known`.
    ///
    /// # Errors
    ///
    /// When there is none, or one that nests too deep.
    #[inline]
    pub fn raw_value_like(&mut self, known: &mut &'de str) -> Result<&'de str, Refused> {
        // Of a number, what is behind it might belong to it.
        if known.starts_with(['"', '{', '[']) && self.rest().starts_with(known.as_bytes()) {
            self.pass(known.len());
            return Ok(known);
        }
        *known = self.raw_value()?;
        Ok(known)
    }

    /// Takes a string, which is often that of `known`.
    ///
    /// # Errors
    ///
    /// When there is none.
    #[inline]
    pub fn string_like(&mut self, known: &mut &'de str) -> Result<Cow<'de, str>, Refused> {
        if let Some(inner) = known.strip_prefix('"').and_then(|known| known.strip_suffix('"'))
            && self.rest().starts_with(known.as_bytes())
        {
            self.pass(known.len());
            return Ok(Cow::Borrowed(inner));
        }
        self.peek();
        let start = self.at;
        let string = self.string()?;
        // With escapes its text is not what it says.
        *known = if let Cow::Borrowed(_) = string { self.json.get(start..self.at).unwrap_or_default() } else { "" };
        Ok(string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an array of objects with one habit, and gives keys and raw values.
    fn alike(json: &str) -> Option<Vec<(String, String)>> {
        let mut text = JsonText::new(json, 9);
        let mut habit = Habit::default();
        let mut fields = Vec::new();
        let read = text.array(|text| {
            text.object_like(&mut habit, |text, key, known| {
                let value = if key.starts_with('s') {
                    text.string_like(known)?.into_owned()
                } else {
                    text.raw_value_like(known)?.to_owned()
                };
                fields.push((key.to_owned(), value));
                Ok(())
            })
        });
        read.ok()?;
        text.end().ok()?;
        Some(fields)
    }

    #[test]
    fn objects_that_are_alike_are_read_as_they_are_and_not_as_the_one_before() {
        let read = |json| alike(json).unwrap().iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
        assert_eq!(
            read(r#"[{"s":"x","n":1},{"s":"x","n":1},{"s":"x","n":12}]"#),
            ["s=x", "n=1", "s=x", "n=1", "s=x", "n=12"]
        );
        assert_eq!(
            read(r#"[{"s":"x"},{"s":"xy"},{"s":""},{"s":"x\u0041"},{"s":"xA"}]"#),
            ["s=x", "s=xy", "s=", "s=xA", "s=xA"]
        );
        assert_eq!(
            read(r#"[{"a":"x","b":[1]},{"b":"x","a":[1]},{"a":[1]},{"a":[1,2]}]"#),
            ["a=\"x\"", "b=[1]", "b=\"x\"", "a=[1]", "a=[1]", "a=[1,2]"]
        );
        assert_eq!(
            read(r#"[{"a" :1},{"a":1},{"a":null},{"\u0061":2},{"a":2}]"#),
            ["a=1", "a=1", "a=null", "a=2", "a=2"]
        );
        for bad in [r#"[{"a":"x"},{"a":"x"x}]"#, r#"[{"a":[1]},{"a":[1]1}]"#, r#"[{"a":1},{"a":"#, r#"[{"a":1},{"a"}]"#]
        {
            assert_eq!(alike(bad), None, "{bad}");
        }
        let many: String = (0..65).map(|n| format!(",\"k{n}\":1")).collect();
        assert_eq!(alike(&format!("[{{{}}}]", &many[1..])), None);
    }
}
