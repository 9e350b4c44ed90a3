//! The linear memories of all components in this process, as the operating system shows them.
//!
//! For each memory wasmtime reserves more than 4 GiB of addresses, and makes only the grown part
//! accessible, between a guard of some MiB and the remainder. No other mapping in a process has
//! this shape, so on Linux the memories are found in `/proc/self/maps` and read through
//! `/proc/self/mem`, without a hook in the product and without unsafe code.

use std::ops::Range;

/// The address space of a 32-bit component is reserved; the grant may be 1 GiB
/// (`limits.guest-memory-mib`).
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux shows its memories"))]
const SMALLEST_REMAINDER: u64 = 2 << 30;

/// The existing linear memories with their bytes. Empty on a platform that does not show them.
///
/// # Errors
/// When they can't be read.
#[cfg(target_os = "linux")]
pub fn linear_memories() -> std::io::Result<Option<Vec<Vec<u8>>>> {
    use std::os::unix::fs::FileExt as _;
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let memory = std::fs::File::open("/proc/self/mem")?;
    let read = |range: Range<u64>| {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
        memory.read_exact_at(&mut bytes, range.start).map(|()| bytes)
    };
    find(&maps).into_iter().map(read).collect::<Result<_, _>>().map(Some)
}

/// The existing linear memories with their bytes. Empty on a platform that does not show them.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn linear_memories() -> std::io::Result<Option<Vec<Vec<u8>>>> {
    Ok(None)
}

/// A run of accessible mappings between a guard and the remainder of a reservation.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux shows its memories"))]
fn find(maps: &str) -> Vec<Range<u64>> {
    let mut found = Vec::new();
    // The start of the accessible part of a reservation, if in one, and the end of the last
    // mapping.
    let (mut start, mut last) = (None, 0);
    for (range, access) in maps.lines().filter_map(mapping) {
        if range.start != last {
            start = None;
        }
        last = range.end;
        match access {
            "---p" => {
                if range.end - range.start >= SMALLEST_REMAINDER
                    && let Some(start) = start.filter(|start| *start < range.start)
                {
                    found.push(start..range.start);
                }
                start = Some(range.end);
            }
            // The initial data of a memory is mapped from a file until it is written.
            "rw-p" => {}
            _ => start = None,
        }
    }
    found
}

#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux shows its memories"))]
fn mapping(line: &str) -> Option<(Range<u64>, &str)> {
    let mut words = line.split(' ');
    let (start, end) = words.next()?.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok();
    Some((address(start)?..address(end)?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_told_from_heaps_and_arenas() {
        let maps = "\
550000000000-550000100000 rw-p 00000000 00:00 0                          [heap]
700000000000-700000021000 rw-p 00000000 00:00 0 
700000021000-700004000000 ---p 00000000 00:00 0 
710000000000-710002000000 ---p 00000000 00:00 0 
710002000000-710002100000 rw-p 00000000 00:00 0 
710002100000-710002108000 rw-p 00100000 00:01 7                          /memfd:wasm-memory-image (deleted)
710002108000-710002130000 rw-p 00000000 00:00 0 
710002130000-710106000000 ---p 00000000 00:00 0 
710106000000-710106010000 rw-p 00000000 00:00 0 
710106010000-71020a000000 ---p 00000000 00:00 0 
71020a000000-71020a001000 rw-p 00000000 00:00 0 
71020b000000-71030b001000 ---p 00000000 00:00 0 
";
        assert_eq!(find(maps), [0x7100_0200_0000..0x7100_0213_0000, 0x7101_0600_0000..0x7101_0601_0000]);
    }
}
