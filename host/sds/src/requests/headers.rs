//! Blocks of headers (HPACK, RFC 7541), parsed as far as needed to replace the value of
//! `:authority`.
//!
//! Client and server each keep a table of the fields that were sent, and a field may be sent as a
//! number in that table. The two tables stay in step although values are replaced: each field that
//! the client adds is added with the replacement, in the same order. The table is bounded by the
//! size of its fields, and the replacement is as short as possible. So the server's table never
//! evicts a field earlier than the client's, and the fields that it keeps longer have numbers that
//! the client does not use. (An empty value that the client adds to the table grows by one byte.
//! Encoders do not add it, because the fixed table has this very field.)

/// The number of the field `:authority` with an empty value in the fixed table, which has 61
/// fields.
const AUTHORITY: u32 = 1;
const FIXED: u32 = 61;

/// The name, plain and in HPACK's Huffman code.
const NAME: &[u8] = b":authority";
const CODED_NAME: [u8; 8] = [0xb8, 0x3b, 0x53, 0x39, 0xec, 0x32, 0x7d, 0x7f];

/// The replacement: its length, and a host name.
const VALUE: [u8; 2] = [1, b'a'];

/// The blocks of a connection, in their order.
#[derive(Debug, Default)]
pub(super) struct Headers {
    /// Which of the fields added to the table are an `:authority`; the latest is the lowest bit. A
    /// field counts at least 32 bytes and the server offers a table of 4,096 bytes, so 128 bits are
    /// enough.
    added: u128,
}

impl Headers {
    /// The block with the value replaced; `None` if it cannot be parsed.
    pub(super) fn rewrite(&mut self, block: &[u8]) -> Option<Vec<u8>> {
        let mut written = Vec::with_capacity(block.len() + VALUE.len());
        let mut rest = block;
        while let Some(first) = rest.first() {
            let start = rest;
            let (bits, is_added) = match first {
                0x80.. => {
                    let number = number(&mut rest, 7)?;
                    if number == AUTHORITY {
                        // A field that is not added, with a name of the fixed table.
                        written.push(1);
                        written.extend(VALUE);
                    } else {
                        written.extend(start.get(..start.len() - rest.len())?);
                    }
                    continue;
                }
                0x40.. => (6, true),
                0x20.. => {
                    number(&mut rest, 5)?;
                    written.extend(start.get(..start.len() - rest.len())?);
                    continue;
                }
                _ => (4, false),
            };
            let is_authority = match number(&mut rest, bits)? {
                0 => [NAME, CODED_NAME.as_slice()].contains(&text(&mut rest)?),
                number => self.is_authority(number),
            };
            let name = start.get(..start.len() - rest.len())?;
            let value = rest;
            text(&mut rest)?;
            written.extend(name);
            written.extend(if is_authority { &VALUE } else { value.get(..value.len() - rest.len())? });
            if is_added {
                self.added = self.added << 1 | u128::from(is_authority);
            }
        }
        Some(written)
    }

    fn is_authority(&self, number: u32) -> bool {
        match number.checked_sub(FIXED + 1) {
            None => number == AUTHORITY,
            Some(position) => self.added.checked_shr(position).is_some_and(|added| added & 1 == 1),
        }
    }
}

/// An integer with a prefix of this many bits (section 5.1).
fn number(rest: &mut &[u8], bits: u32) -> Option<u32> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    let most = (1 << bits) - 1;
    let mut number = u32::from(*first) & most;
    if number < most {
        return Some(number);
    }
    for shift in [0, 7, 14, 21] {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number = number.checked_add(u32::from(byte & 0x7f) << shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A string in its encoded form, Huffman or plain (section 5.2).
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(rest, 7)?;
    let (text, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(text)
}
