//! Dates of the Gregorian calendar, without leap seconds.

const DAY: i64 = 86_400;

/// A point in time as date and time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

impl Date {
    /// The date at so many seconds after 1970-01-01T00:00:00.
    pub(super) fn at(seconds: i64) -> Self {
        let (day, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = of_day(day);
        Self { year, month, day, hour: rest / 3600, minute: rest % 3600 / 60, second: rest % 60 }
    }
}

/// The date of a day since 1970-01-01. Years are counted from March, so that a leap day is the last
/// day of its year.
fn of_day(day: i64) -> (i64, i64, i64) {
    /// The days from 0000-03-01 to 1970-01-01, and the days of four centuries.
    const OFFSET: i64 = 719_468;
    const ERA: i64 = 146_097;
    let day = day + OFFSET;
    let (era, day) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

/// The days from 1970-01-01 to the first of January of a year.
pub(super) fn days_before(year: i64) -> i64 {
    let past = year - 1;
    365 * (year - 1970) + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400) - 477
}

/// Whether a year has 366 days.
pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        // date -u -d YEAR-01-01 +%s
        for (year, seconds) in [(1970, 0), (2000, 946_684_800), (2024, 1_704_067_200), (2101, 4_133_980_800)] {
            assert_eq!(days_before(year) * DAY, seconds, "{year}");
            let date = Date { year, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
            assert_eq!(Date::at(seconds), date);
        }
        assert_eq!(Date::at(-1).year, 1969);
        assert_eq!(Date::at(951_782_400).day, 29);
        assert_eq!([1900, 2000, 2023, 2024].map(is_leap), [false, true, false, true]);
    }
}
