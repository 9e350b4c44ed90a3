//! The rule of a time zone as POSIX writes it, such as `CET-1CEST,M3.5.0,M10.5.0/3`.

use super::date::{Date, days_before, is_leap};

/// Standard time, and daylight saving time between two changes in each year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    standard: i64,
    daylight: Option<Daylight>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Daylight {
    offset: i64,
    start: Change,
    end: Change,
}

/// A day of a year, and the local time of that day in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    day: Day,
    time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// From 1 to 365; the 29th of February is never counted.
    WithoutLeap(i64),
    /// From 0 to 365.
    WithLeap(i64),
    /// The weekday (0 is Sunday) of a week (5 is the last) of a month.
    Of { month: i64, week: i64, weekday: i64 },
}

impl Rule {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = Rest(text);
        rest.name()?;
        let standard = -rest.time()?;
        if rest.0.is_empty() {
            return Some(Self { standard, daylight: None });
        }
        rest.name()?;
        let offset = if rest.0.starts_with(',') { standard + 3600 } else { -rest.time()? };
        let (start, end) = (rest.change()?, rest.change()?);
        rest.0.is_empty().then_some(Self { standard, daylight: Some(Daylight { offset, start, end }) })
    }

    /// The offset from UTC to local time at a point in time, in seconds.
    pub(super) fn offset(&self, at: i64) -> i64 {
        let Some(daylight) = self.daylight else { return self.standard };
        let year = Date::at(at + self.standard).year;
        let start = daylight.start.in_year(year) - self.standard;
        let end = daylight.end.in_year(year) - daylight.offset;
        // South of the equator, daylight saving time spans the turn of the year.
        let is_daylight = if start < end { (start..end).contains(&at) } else { !(end..start).contains(&at) };
        if is_daylight { daylight.offset } else { self.standard }
    }
}

impl Change {
    /// Seconds since 1970, in local time.
    fn in_year(self, year: i64) -> i64 {
        let leap = i64::from(is_leap(year));
        let day = match self.day {
            Day::WithoutLeap(day) => day - 1 + if day >= 60 { leap } else { 0 },
            Day::WithLeap(day) => day,
            Day::Of { month, week, weekday } => {
                let first = first_of(month, leap);
                let length = first_of(month + 1, leap) - first;
                // 1970-01-01 was a Thursday.
                let first_weekday = (days_before(year) + first + 4).rem_euclid(7);
                let day = (weekday - first_weekday).rem_euclid(7) + 7 * (week - 1);
                first + if day < length { day } else { day - 7 }
            }
        };
        86_400 * (days_before(year) + day) + self.time
    }
}

/// The day of a year on which a month begins.
fn first_of(month: i64, leap: i64) -> i64 {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: i64 = LENGTHS.iter().take(usize::try_from(month - 1).unwrap_or_default()).sum();
    before + if month > 2 { leap } else { 0 }
}

/// The unparsed rest of a text.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn take(&mut self, character: char) -> Option<()> {
        self.0 = self.0.strip_prefix(character)?;
        Some(())
    }

    /// Parses three letters or more, or anything between `<` and `>`.
    fn name(&mut self) -> Option<()> {
        let end = match self.0.strip_prefix('<') {
            Some(quoted) => quoted.find('>')? + 2,
            None => self.0.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.0.len()),
        };
        self.0 = (end >= 3).then(|| self.0.get(end..))??;
        Some(())
    }

    fn number(&mut self) -> Option<i64> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        digits.parse().ok().filter(|number| *number < 1000)
    }

    /// Parses `[+|-]hh[:mm[:ss]]`, in seconds.
    fn time(&mut self) -> Option<i64> {
        let sign = if self.take('-').is_some() { -1 } else { 1 };
        let _plus = self.take('+');
        let mut seconds = 3600 * self.number()?;
        for unit in [60, 1] {
            if self.take(':').is_some() {
                seconds += unit * self.number()?;
            }
        }
        Some(sign * seconds)
    }

    fn change(&mut self) -> Option<Change> {
        self.take(',')?;
        let day = if self.take('M').is_some() {
            let month = self.number().filter(|month| (1..=12).contains(month))?;
            self.take('.')?;
            let week = self.number().filter(|week| (1..=5).contains(week))?;
            self.take('.')?;
            Day::Of { month, week, weekday: self.number().filter(|day| *day <= 6)? }
        } else if self.take('J').is_some() {
            Day::WithoutLeap(self.number().filter(|day| (1..=365).contains(day))?)
        } else {
            Day::WithLeap(self.number().filter(|day| *day <= 365)?)
        };
        let time = if self.take('/').is_some() { self.time()? } else { 7200 };
        Some(Change { day, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_rule_does_not_parse() {
        for text in [
            "",
            "UTC",
            "AB1",
            "CET-1CEST",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M13.5.0,M10.5.0",
            "CET-1CEST,M3.5.0,M10.5.0 x",
        ] {
            assert_eq!(Rule::parse(text), None, "{text}");
        }
        assert_eq!(Rule::parse("JST-9").map(|rule| rule.offset(0)), Some(9 * 3600));
    }

    #[test]
    fn days_may_be_counted_in_three_ways() {
        // The 1st of March of a leap year, at two o'clock.
        for day in ["J60", "60", "M3.1.5"] {
            let rule = Rule::parse(&format!("XXX0YYY,{day},J365")).unwrap();
            let change = 1_709_258_400; // date -u -d "2024-03-01 02:00" +%s
            assert_eq!([rule.offset(change - 1), rule.offset(change)], [0, 3600], "{day}");
        }
    }
}
