//! Points in time as other tools write them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Local time with microseconds, as the Azure CLI writes it. The zone is that of `TZ` or of the
/// machine, and UTC if neither can be read.
pub(crate) fn local(at: u64) -> String {
    written(at, TimeZone::system(), "%Y-%m-%d %H:%M:%S.000000")
}

/// RFC 3339 in UTC without a fraction: azd and some of its callers read no other form.
pub(crate) fn utc(at: u64) -> String {
    written(at, TimeZone::UTC, "%Y-%m-%dT%H:%M:%SZ")
}

fn written(at: u64, zone: TimeZone, form: &str) -> String {
    let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_second(at).ok());
    at.unwrap_or(Timestamp::MAX).to_zoned_datetime(zone).strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_the_form_of_its_readers() {
        assert_eq!(utc(1_795_770_727), "2026-11-27T09:12:07Z");
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(written(1_795_770_727, zone, "%Y-%m-%d %H:%M:%S.000000"), "2026-11-27 10:12:07.000000");
        assert!(utc(u64::MAX).starts_with("9999-12-"), "the last time that there is");
    }
}
