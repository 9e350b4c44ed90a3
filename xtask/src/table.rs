//! Replaces a core module's table by a larger one, which Rust sources can't declare.

const TABLE_SECTION: u8 = 4;
const HEADER: usize = 8;

/// The module with `entries` functions in its one table; `None` if there is no table.
pub(crate) fn enlarge(module: &[u8], entries: u32) -> Option<Vec<u8>> {
    let mut at = HEADER;
    loop {
        let id = *module.get(at)?;
        let (size, content) = number(module, at + 1)?;
        let next = content + size as usize;
        if id == TABLE_SECTION {
            // One table, of functions, with a smallest size only.
            let mut section = vec![1, 0x70, 0];
            push(entries, &mut section);
            let mut enlarged = module.get(..=at)?.to_vec();
            push(u32::try_from(section.len()).ok()?, &mut enlarged);
            enlarged.extend(section);
            enlarged.extend(module.get(next..)?);
            return Some(enlarged);
        }
        at = next;
    }
}

/// A number in LEB128, and the position after it.
fn number(module: &[u8], mut at: usize) -> Option<(u32, usize)> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = *module.get(at)?;
        at += 1;
        number |= u32::from(byte & 0x7F).checked_shl(shift)?;
        if byte < 0x80 {
            return Some((number, at));
        }
        shift += 7;
    }
}

fn push(mut number: u32, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}
