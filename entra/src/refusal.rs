//! Classes of a token endpoint's errors, by remedy.

use crate::class::Class;
use crate::codes::{CODES, NUMBERS, SUBERRORS};

/// The fields of an error response that decide its class (RFC 6749, section 5.2, and Microsoft's
/// additions).
#[derive(Debug, Clone, Copy, Default)]
pub struct Refusal<'a> {
    /// `error`.
    pub code: &'a str,
    /// `suberror`.
    pub suberror: Option<&'a str>,
    /// `error_codes`: the numbers behind `AADSTS`.
    pub numbers: &'a [u64],
    /// `error_description`, which may begin with such a number.
    pub description: Option<&'a str>,
}

/// The class of a response without a token; `None` when neither the error nor the status is listed.
///
/// The OAuth error decides before the status, because the authority sends the same error with
/// several statuses. First comes an `error` that is temporary, then the numbers, which are the most
/// exact, then `suberror` and `error`. The status decides when the tables list none of these.
#[must_use]
pub fn class_of(status: u16, refusal: Option<&Refusal<'_>>) -> Option<Class> {
    refusal.and_then(class_of_refusal).or_else(|| class_of_status(status))
}

/// Whether the refusal concerns this refresh token or this client, so that the account's next
/// refresh token may be accepted.
#[must_use]
pub fn another_refresh_token_may_do(code: &str) -> bool {
    matches!(code, "invalid_grant" | "invalid_client" | "unauthorized_client" | "client_mismatch")
}

/// Whether the authority will never accept this refresh token again. A plain `invalid_grant` is not
/// enough: it may be a policy that the user can satisfy.
#[must_use]
pub fn is_dead(code: &str, suberror: Option<&str>) -> bool {
    code == "invalid_grant" && matches!(suberror, Some("bad_token" | "token_expired"))
}

fn class_of_refusal(refusal: &Refusal<'_>) -> Option<Class> {
    let by_code = find(CODES, refusal.code);
    if let Some(class) = by_code.filter(|class| class.may_pass()) {
        return Some(class);
    }
    let in_text = refusal.description.and_then(number_in);
    let mut numbers = refusal.numbers.iter().copied().chain(in_text);
    numbers
        .find_map(|number| NUMBERS.iter().find(|(known, _)| *known == number).map(|(_, class)| *class))
        .or_else(|| refusal.suberror.and_then(|suberror| find(SUBERRORS, suberror)))
        .or(by_code)
}

/// RFC 9110, section 15, and RFC 6585, section 4. 511 comes from a captive portal: see
/// [`crate::is_a_page`].
fn class_of_status(status: u16) -> Option<Class> {
    match status {
        511 => None,
        // 425: RFC 8470, section 5.2.
        408 | 425 | 429 | 500.. => Some(Class::Busy),
        _ => None,
    }
}

fn find(table: &[(&str, Class)], key: &str) -> Option<Class> {
    table.iter().find(|(known, _)| *known == key).map(|(_, class)| *class)
}

/// The number of the first `AADSTS…` in a text.
fn number_in(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("AADSTS")?;
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: u16, code: &str, numbers: &[u64]) -> Option<Class> {
        class_of(status, Some(&Refusal { code, numbers, ..Refusal::default() }))
    }

    #[test]
    fn a_temporary_error_is_temporary_with_every_status() {
        for status in [200, 302, 400, 401, 403, 429, 500, 503] {
            for (code, numbers) in [
                ("temporarily_unavailable", &[][..]),
                ("server_error", &[]),
                ("server_error", &[90041]),
                ("temporarily_unavailable", &[50076]),
                ("invalid_grant", &[90033]),
                ("invalid_request", &[50033]),
                ("interaction_required", &[50087]),
                ("something_new", &[1, 90006]),
            ] {
                assert_eq!(class(status, code, numbers), Some(Class::Busy), "{status} {code} {numbers:?}");
            }
        }
    }

    #[test]
    fn the_number_decides_before_the_code_and_the_code_before_the_status() {
        for (status, code, suberror, numbers, expected) in [
            (400, "invalid_grant", None, &[][..], Class::DeadGrant),
            (400, "invalid_grant", None, &[50076], Class::InteractionNeeded),
            (400, "invalid_grant", Some("basic_action"), &[], Class::InteractionNeeded),
            (400, "invalid_grant", Some("bad_token"), &[], Class::DeadGrant),
            (400, "invalid_grant", Some("client_mismatch"), &[], Class::WrongClient),
            (400, "invalid_grant", None, &[50020], Class::WrongTenant),
            (400, "invalid_grant", None, &[65001], Class::InteractionNeeded),
            (400, "invalid_request", None, &[90002], Class::WrongTenant),
            (400, "invalid_client", None, &[7_000_218], Class::WrongClient),
            (400, "invalid_grant", None, &[50196], Class::TooMany),
            (503, "invalid_grant", None, &[700_082], Class::DeadGrant),
            (503, "something_new", None, &[], Class::Busy),
        ] {
            let refusal = Refusal { code, suberror, numbers, description: None };
            assert_eq!(class_of(status, Some(&refusal)), Some(expected), "{status} {code} {suberror:?} {numbers:?}");
        }
        assert_eq!(class(400, "something_new", &[]), None);
    }

    #[test]
    fn a_number_is_found_in_the_description_too() {
        let described =
            |description| Refusal { code: "invalid_grant", description: Some(description), ..Refusal::default() };
        for (description, expected) in [
            ("AADSTS90033: A transient error has occurred.", Class::Busy),
            ("Refused. AADSTS50076: use a second factor.", Class::InteractionNeeded),
            ("AADSTS: no number", Class::DeadGrant),
            ("AADSTS99999999999999999999999", Class::DeadGrant),
            ("", Class::DeadGrant),
        ] {
            assert_eq!(class_of(400, Some(&described(description))), Some(expected), "{description}");
        }
    }

    #[test]
    fn a_status_decides_where_there_is_no_error() {
        for (status, expected) in [
            (200, None),
            (302, None),
            (400, None),
            (404, None),
            (407, None),
            (408, Some(Class::Busy)),
            (429, Some(Class::Busy)),
            (500, Some(Class::Busy)),
            (511, None),
            (599, Some(Class::Busy)),
        ] {
            assert_eq!(class_of(status, None), expected, "{status}");
        }
    }

    #[test]
    fn each_number_has_one_class() {
        let mut numbers: Vec<_> = NUMBERS.iter().map(|(number, _)| number).collect();
        let rows = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), rows);
    }

    #[test]
    fn only_a_temporary_class_is_retried() {
        assert!(Class::Busy.is_worth_repeating() && Class::Busy.may_pass());
        assert!(!Class::TooMany.is_worth_repeating() && Class::TooMany.may_pass());
        assert!(!Class::DeadGrant.may_pass() && !Class::InteractionNeeded.may_pass());
    }
}
