//! One level of a JSON object: where its members are.

use std::ops::Range;

use super::walk::{Event, Halt, Visitor, walk};

/// More members than any level of a token cache has; the largest that a user reported has 164,663.
const MOST_MEMBERS: usize = 1 << 20;

/// An object, cut into its members. All positions are byte offsets in the text that was cut.
#[derive(Debug, Default)]
pub(crate) struct Object {
    /// The opening brace; for an empty text its start.
    pub(crate) open: usize,
    /// Behind the closing brace.
    pub(crate) end: usize,
    pub(crate) members: Vec<Member>,
}

/// A member and the white space around it: head, value, trail.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Where the white space before the key begins, behind the brace or the comma.
    pub(crate) start: usize,
    /// The key with its quotes.
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
    /// The comma or the closing brace behind the member.
    pub(crate) stop: usize,
}

/// Why a text cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoObject {
    NotAnObject,
    TooManyMembers,
}

impl Object {
    /// Cuts a text that is an object, with white space around it at most.
    pub(crate) fn cut(text: &str) -> Result<Self, NoObject> {
        let mut cutter = Cutter { object: Self::default(), depth: 0, key: 0..0, value: 0 };
        match walk(text, &mut cutter) {
            Ok(()) => {}
            Err(Halt::NotAnObject) => return Err(NoObject::NotAnObject),
            Err(Halt::Stopped(why)) => return Err(why),
        }
        let mut object = cutter.object;
        let mut start = object.open + 1;
        for member in &mut object.members {
            member.start = start;
            let behind = text.get(member.value.end..).unwrap_or_default();
            member.stop = member.value.end + (behind.len() - behind.trim_start_matches(super::SPACE).len());
            start = member.stop + 1;
        }
        Ok(object)
    }
}

impl Object {
    /// The same object in a text that has `by` bytes more in front.
    pub(crate) fn moved_by(mut self, by: usize) -> Self {
        let moved = |range: &Range<usize>| range.start + by..range.end + by;
        self.open += by;
        self.end += by;
        for member in &mut self.members {
            member.start += by;
            member.key = moved(&member.key);
            member.value = moved(&member.value);
            member.stop += by;
        }
        self
    }
}

impl Member {
    /// White space, key, colon, white space.
    pub(crate) fn head(&self) -> Range<usize> {
        self.start..self.value.start
    }

    /// Head and value.
    pub(crate) fn body(&self) -> Range<usize> {
        self.start..self.value.end
    }

    /// White space behind the value.
    pub(crate) fn trail(&self) -> Range<usize> {
        self.value.end..self.stop
    }
}

struct Cutter {
    object: Object,
    depth: usize,
    key: Range<usize>,
    value: usize,
}

impl Cutter {
    fn add(&mut self, value: Range<usize>) -> Result<(), NoObject> {
        if self.object.members.len() >= MOST_MEMBERS {
            return Err(NoObject::TooManyMembers);
        }
        self.object.members.push(Member { start: 0, key: self.key.clone(), value, stop: 0 });
        Ok(())
    }
}

impl Visitor for Cutter {
    type Stop = NoObject;

    fn visit(&mut self, event: Event, range: Range<usize>) -> Result<(), NoObject> {
        match event {
            Event::Open { .. } => {
                match self.depth {
                    0 => self.object.open = range.start,
                    1 => self.value = range.start,
                    _ => {}
                }
                self.depth += 1;
            }
            Event::Close => {
                self.depth -= 1;
                match self.depth {
                    0 => self.object.end = range.end,
                    1 => self.add(self.value..range.end)?,
                    _ => {}
                }
            }
            Event::Key if self.depth == 1 => self.key = range,
            Event::Scalar if self.depth == 1 => self.add(range)?,
            Event::Key | Event::Scalar => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_cut_into_members_that_cover_it() {
        for text in
            ["{}", " { } ", "{\"a\":1}", "\n{ \"a\" : [1, {}] , \"b\"\t:{\"c\":\"}\"} \r\n}", "{\"a\":{},\"a\":null }"]
        {
            let object = Object::cut(text).unwrap();
            let mut copy = text[..=object.open].to_owned();
            for (number, member) in object.members.iter().enumerate() {
                copy.push_str(if number > 0 { "," } else { "" });
                copy.push_str(&text[member.body()]);
                copy.push_str(&text[member.trail()]);
            }
            let tail = object.members.last().map_or(object.open + 1, |member| member.stop);
            copy.push_str(&text[tail..]);
            assert_eq!(copy, text);
            assert!(text[..object.end].ends_with('}'));
        }
        assert_eq!(Object::cut("[]").unwrap_err(), NoObject::NotAnObject);
        assert_eq!(Object::cut("{\"a\"}").unwrap_err(), NoObject::NotAnObject);
    }
}
