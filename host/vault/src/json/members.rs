use std::ops::Range;

use super::SPACE;
use super::walk::{Event, Visitor, walk};

/// The limit protects the host's memory.
const MOST: usize = 1 << 20;

/// A JSON object as text, split into its members. Ranges refer to the whole text.
#[derive(Debug, Default)]
pub(crate) struct Object {
    /// From its opening to its closing brace.
    pub(crate) range: Range<usize>,
    pub(crate) members: Vec<Member>,
    /// The white space before the closing brace.
    pub(crate) tail: Range<usize>,
}

/// A member of an [`Object`].
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// From the brace or the comma before it to its value.
    pub(crate) head: Range<usize>,
    /// Its key, with the quotes.
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
    /// The white space before the comma. For the last member it is empty: its white space is the
    /// object's tail.
    pub(crate) trail: Range<usize>,
}

impl Object {
    /// Splits the object at `range`. `None` if it is not an object, or has too many members.
    pub(crate) fn cut(text: &str, range: Range<usize>) -> Option<Self> {
        let at = range.start;
        let mut cutter = Cutter { text: text.get(range)?, depth: 0, key: 0..0, after: 0, object: Self::default() };
        walk(cutter.text, &mut cutter).ok()?;
        Some(cutter.object.moved(at))
    }

    fn moved(mut self, by: usize) -> Self {
        let shift = |range: &mut Range<usize>| *range = range.start + by..range.end + by;
        for member in &mut self.members {
            let Member { head, key, value, trail } = member;
            [head, key, value, trail].into_iter().for_each(shift);
        }
        shift(&mut self.range);
        shift(&mut self.tail);
        self
    }
}

struct Cutter<'a> {
    text: &'a str,
    depth: usize,
    key: Range<usize>,
    /// The end of the opening brace, or of the last value.
    after: usize,
    object: Object,
}

struct TooMany;

impl Cutter<'_> {
    /// Ends the previous member at the comma before this key.
    fn end_member(&mut self, key: &Range<usize>) {
        let between = self.text.get(self.after..key.start).unwrap_or_default();
        if let Some((trail, comma)) = self.object.members.last_mut().zip(between.find(',')) {
            trail.trail = self.after..self.after + comma;
            self.after += comma + 1;
        }
    }

    fn push(&mut self, start: usize) -> Result<(), TooMany> {
        if self.object.members.len() >= MOST {
            return Err(TooMany);
        }
        let key = self.key.clone();
        self.object.members.push(Member { head: self.after..start, key, value: start..start, trail: start..start });
        Ok(())
    }

    fn end_value(&mut self, end: usize) {
        if let Some(member) = self.object.members.last_mut() {
            member.value.end = end;
            member.trail = end..end;
        }
        self.after = end;
    }
}

impl Visitor for Cutter<'_> {
    type Stop = TooMany;

    fn visit(&mut self, event: Event, range: Range<usize>) -> Result<(), TooMany> {
        match event {
            Event::Key if self.depth == 1 => {
                self.end_member(&range);
                self.key = range;
            }
            Event::Scalar if self.depth == 1 => {
                self.push(range.start)?;
                self.end_value(range.end);
            }
            Event::Key | Event::Scalar => {}
            Event::Open { .. } => {
                match self.depth {
                    0 => {
                        self.object.range.start = range.start;
                        self.after = range.end;
                    }
                    1 => self.push(range.start)?,
                    _ => {}
                }
                self.depth += 1;
            }
            Event::Close => {
                self.depth = self.depth.saturating_sub(1);
                match self.depth {
                    0 => {
                        self.object.tail = self.after..range.start;
                        self.object.range.end = range.end;
                    }
                    1 => self.end_value(range.end),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Whether the text is white space only.
pub(crate) fn is_space(text: &str) -> bool {
    text.trim_start_matches(SPACE).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_an_object_belongs_to_one_part_of_it() {
        for (text, members) in [
            (" { } ", 0),
            ("{}", 0),
            ("{\"a\":1}", 1),
            ("x { \"a\" : [1,{\"b\":2}] , \"c\": {\"d\":{}}\n,\"e\":\"},\" \n} ", 3),
        ] {
            let start = text.find([' ', '{']).unwrap();
            let object = Object::cut(text, start..text.len()).unwrap();
            assert_eq!(object.members.len(), members, "{text}");
            let mut rebuilt = String::from("{");
            for (position, member) in object.members.iter().enumerate() {
                assert!(text[member.head.clone()].trim_start().starts_with(&text[member.key.clone()]));
                let comma = if position > 0 { "," } else { "" };
                let parts = [&member.head, &member.value, &member.trail].map(|part| &text[part.clone()]);
                rebuilt = format!("{rebuilt}{comma}{}", parts.concat());
            }
            assert_eq!(format!("{rebuilt}{}}}", &text[object.tail]), text[object.range], "{text}");
        }
        assert!(["[]", "7", "{", "", "{} x"].iter().all(|text| Object::cut(text, 0..text.len()).is_none()));
    }
}
