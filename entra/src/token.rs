//! Fields of a token in caches and responses.

/// The type of a token that is not bound to a key: RFC 6750.
pub const BEARER: &str = "Bearer";

/// Whether a token's type is `Bearer`, without regard to case.
#[must_use]
pub fn is_bearer(token_type: &str) -> bool {
    token_type.eq_ignore_ascii_case(BEARER)
}

/// The largest accepted number of seconds. A float represents every integer up to here exactly.
const MOST_SECONDS: f64 = 9e15;

/// A number of seconds from the text of a number or a string. A fraction is truncated.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    // An integer, the schema's form, comes first: a float would round a large one.
    let number = || text.parse::<f64>().ok().filter(|number| (0.0..=MOST_SECONDS).contains(number));
    text.parse().ok().or_else(|| number().map(|number| number as u64))
}

/// The end of the year 2199. A larger number is not in seconds; it may be in milliseconds.
const LATEST: u64 = 7_258_118_399;

/// Whether a number can be the time at which a token expires.
#[must_use]
pub fn is_a_time(seconds: &u64) -> bool {
    *seconds <= LATEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_numbers() {
        for (text, expected) in [
            ("1700000000", Some(1_700_000_000)),
            (" 17 ", Some(17)),
            ("17.9", Some(17)),
            ("36E2", Some(3600)),
            ("3.6e3", Some(3600)),
            ("inf", None),
            ("nan", None),
            ("soon", None),
            ("", None),
            ("-1", None),
            ("true", None),
            ("[]", None),
            ("1e300", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_time_ends_with_the_year_2199() {
        assert!(is_a_time(&LATEST) && !is_a_time(&(LATEST + 1)));
    }

    #[test]
    fn bearer_is_compared_without_case() {
        assert!(is_bearer("bearer") && is_bearer(BEARER) && !is_bearer("pop") && !is_bearer(" bearer"));
    }
}
