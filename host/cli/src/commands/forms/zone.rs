//! The local time of this machine, for callers that parse the Azure CLI's output.
//!
//! The C library's functions are not safe to call, so its files are parsed here: `TZ` or
//! `/etc/localtime` in the format of RFC 9636, with a rule of POSIX at the end (POSIX.1-2024,
//! section 8.3). If nothing can be read, local time is UTC.

use std::path::{Path, PathBuf};

use shared_token_cache_storage::files;

use super::date::Date;
use super::rule::Rule;

/// The largest time zone file that is read.
const LARGEST: u64 = 256 * 1024;

/// The offset from UTC to local time at a point in time, in seconds.
pub(super) fn offset(at: i64) -> i64 {
    let offset = match std::env::var("TZ") {
        Ok(zone) => named(zone.strip_prefix(':').unwrap_or(&zone), at),
        Err(_) => from_file(Path::new("/etc/localtime"), at),
    };
    offset.unwrap_or(0)
}

/// `at` in local time, with microseconds.
pub(super) fn local(at: u64) -> String {
    let at = i64::try_from(at).unwrap_or(i64::MAX / 2);
    let Date { year, month, day, hour, minute, second } = Date::at(at + offset(at));
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.000000")
}

/// `at` in UTC, without a fraction.
pub(super) fn utc(at: u64) -> String {
    let Date { year, month, day, hour, minute, second } = Date::at(i64::try_from(at).unwrap_or(i64::MAX / 2));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The offset in the zone that a value of `TZ` names.
fn named(zone: &str, at: i64) -> Option<i64> {
    if zone.is_empty() {
        return None;
    }
    let file = if zone.starts_with('/') { PathBuf::from(zone) } else { Path::new("/usr/share/zoneinfo").join(zone) };
    from_file(&file, at).or_else(|| Some(Rule::parse(zone)?.offset(at)))
}

fn from_file(path: &Path, at: i64) -> Option<i64> {
    in_file(&files::read_input(path, LARGEST).ok()?, at)
}

/// The header of a block: the number of items of each kind.
struct Header {
    version: u8,
    utc_marks: usize,
    standard_marks: usize,
    leaps: usize,
    times: usize,
    types: usize,
    letters: usize,
}

impl Header {
    const SIZE: usize = 44;

    fn read(bytes: &[u8]) -> Option<Self> {
        let count = |index: usize| Some(be32(bytes, 20 + 4 * index)? as usize);
        (bytes.get(..4)? == b"TZif").then_some(())?;
        Some(Self {
            version: *bytes.get(4)?,
            utc_marks: count(0)?,
            standard_marks: count(1)?,
            leaps: count(2)?,
            times: count(3)?,
            types: count(4)?,
            letters: count(5)?,
        })
    }

    /// The size of the block behind the header, with this many bytes per time.
    fn size(&self, time: usize) -> usize {
        let (marks, leaps) = (self.utc_marks + self.standard_marks, self.leaps * (time + 4));
        self.times * (time + 1) + self.types * 6 + self.letters + leaps + marks
    }
}

fn in_file(bytes: &[u8], at: i64) -> Option<i64> {
    let first = Header::read(bytes)?;
    // The first block has 32-bit times. Files of version 1 have no second block and were last
    // written in 2005, so they are refused.
    if first.version < b'2' {
        return None;
    }
    let bytes = bytes.get(Header::SIZE + first.size(4)..)?;
    let header = Header::read(bytes)?;
    let (block, footer) = bytes.get(Header::SIZE..)?.split_at_checked(header.size(8))?;
    let past = (0..header.times).take_while(|index| be64(block, 8 * index).is_some_and(|time| time <= at)).count();
    if past == header.times
        && let Some(rule) = std::str::from_utf8(footer).ok().and_then(|text| Rule::parse(text.trim_matches('\n')))
    {
        return Some(rule.offset(at));
    }
    let kind = match past.checked_sub(1) {
        Some(index) => usize::from(*block.get(8 * header.times + index)?),
        None => 0,
    };
    be32(block, 9 * header.times + 6 * kind).map(|offset| i64::from(offset.cast_signed()))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be64(bytes: &[u8], at: usize) -> Option<i64> {
    Some(i64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    /// Points in winter, in summer, near a change of clocks, and far ahead.
    const TIMES: [i64; 6] = [1_770_000_000, 1_783_000_000, 1_774_745_999, 1_774_746_000, 1_793_840_000, 4_102_444_800];

    #[test]
    fn local_time_is_that_of_the_command_date() {
        let zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"];
        let rules =
            ["UTC", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"];
        for zone in zones.iter().chain(&rules) {
            for at in TIMES {
                let date =
                    Command::new("date").env("TZ", zone).args(["-d", &format!("@{at}"), "+%:z"]).output().unwrap();
                let text = String::from_utf8(date.stdout).unwrap();
                let (hours, minutes) = text.trim().split_once(':').unwrap();
                let minutes: i64 = minutes.parse().unwrap();
                let hours: i64 = hours.parse().unwrap();
                let expected = 3600 * hours + 60 * if text.starts_with('-') { -minutes } else { minutes };
                assert_eq!(named(zone, at), Some(expected), "{zone} at {at}");
            }
        }
    }

    #[test]
    fn a_damaged_file_has_no_time() {
        let good = std::fs::read("/usr/share/zoneinfo/Europe/Berlin");
        let Ok(good) = good else { return };
        for length in 0..good.len() {
            in_file(&good[..length], TIMES[0]);
        }
        for at in 0..Header::SIZE {
            let mut bad = good.clone();
            bad[at] = 0xff;
            in_file(&bad, TIMES[0]);
        }
        assert_eq!(named("No/Such", TIMES[0]), None);
    }
}
