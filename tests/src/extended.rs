//! A component with core modules appended. They are instantiated with it, and never called.

use std::io;

/// The sections of a core module, each with its kind and content.
pub type Sections<'a> = &'a [(u8, &'a [u8])];

/// `component` with a core module of these sections, and this many instances of it.
///
/// # Errors
/// When it is no component.
pub fn with_instances(component: &[u8], sections: Sections<'_>, instances: u32) -> io::Result<Vec<u8>> {
    let index = modules(component).ok_or_else(|| io::Error::other("this is not a component"))?;
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    for (kind, content) in sections {
        section(&mut module, *kind, content);
    }
    let mut extended = component.to_vec();
    section(&mut extended, CORE_MODULE, &module);
    let mut content = number(instances);
    for _ in 0..instances {
        content.push(0); // instantiate
        content.extend(number(index));
        content.push(0); // without arguments
    }
    section(&mut extended, CORE_INSTANCE, &content);
    Ok(extended)
}

/// `value` in WebAssembly's encoding, LEB128.
#[must_use]
pub fn number(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = (value & 0x7f).to_le_bytes();
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}

const CORE_MODULE: u8 = 1;
const CORE_INSTANCE: u8 = 2;

fn section(to: &mut Vec<u8>, kind: u8, content: &[u8]) {
    to.push(kind);
    to.extend(number(u32::try_from(content.len()).unwrap_or(u32::MAX)));
    to.extend(content);
}

/// The number of core modules in a component: one per core module section.
fn modules(component: &[u8]) -> Option<u32> {
    let (mut rest, mut found) = (component.get(8..)?, 0);
    while let Some((kind, after)) = rest.split_first() {
        let (length, content) = read_number(after)?;
        found += u32::from(*kind == CORE_MODULE);
        rest = content.get(usize::try_from(length).ok()?..)?;
    }
    Some(found)
}

fn read_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (position, byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(position + 1..)?));
        }
    }
    None
}
