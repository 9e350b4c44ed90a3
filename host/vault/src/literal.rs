//! How a handle is written where a JSON value was, so that the guest takes the value for what it was.

use crate::handle::{Handle, Kind, Sealer};
use crate::json::decode_secret;

/// What a secret's value was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text. The handle stands in its place.
    Text,
    /// A string that is no text, because half a surrogate pair is in it. It stays one: a handle with such a half behind.
    Broken,
    /// A number, an object or an array, which is no token to anybody. It becomes an array with the handle.
    Other,
}

/// Half a surrogate pair.
const HALF: &str = "\\ud800";

/// What stands in a secret's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Literal {
    /// Nothing that could be secret: an empty string, `null`, `true` or `false`. The guest tells these apart, so they stay.
    Nothing,
    /// A handle, or what looks like one.
    Sealed(Handle, Form),
    /// Anything else.
    Plain,
}

/// The handle of a secret as it is written, and what it was; `None` where there is none.
pub(crate) fn seal(sealer: &Sealer, kind: Kind, literal: &str) -> Option<(Handle, Form)> {
    if is_nothing(literal) {
        return None;
    }
    if !literal.starts_with('"') {
        return Some((sealer.handle(Kind::Opaque, b'[', literal), Form::Other));
    }
    Some(match decode_secret(literal) {
        // The guest takes no broken text for a token, so it goes on to another one.
        Some(secret) if kind == Kind::AccessToken && !is_a_token(secret.as_str()) => {
            (sealer.handle(Kind::Opaque, b'!', literal), Form::Broken)
        }
        Some(secret) => (sealer.handle(kind, b'"', secret.as_str()), Form::Text),
        None => (sealer.handle(Kind::Opaque, b'!', literal), Form::Broken),
    })
}

/// Writes a handle in the place of a value of this form.
pub(crate) fn push(handle: Handle, form: Form, text: &mut String) {
    let (before, behind) = match form {
        Form::Text => ("\"", "\""),
        Form::Broken => ("\"", "\\ud800\""),
        Form::Other => ("[\"", "\"]"),
    };
    text.push_str(before);
    handle.push_to(text);
    text.push_str(behind);
}

/// Reads what stands in a secret's place. A handle is taken only as [`push`] writes it.
pub(crate) fn read(literal: &str) -> Literal {
    if is_nothing(literal) {
        return Literal::Nothing;
    }
    let (inner, form) = match literal.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(inner) => (inner, Form::Other),
        None => (literal, Form::Text),
    };
    let Some(inner) = inner.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return Literal::Plain };
    let (inner, form) = match inner.strip_suffix(HALF) {
        Some(inner) if form == Form::Text => (inner, Form::Broken),
        _ => (inner, form),
    };
    Handle::parse(inner).map_or(Literal::Plain, |handle| Literal::Sealed(handle, form))
}

/// What may follow `Bearer ` in a header field: visible ASCII. RFC 6750 allows fewer characters, and test doubles use more.
pub(crate) fn is_a_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_nothing(literal: &str) -> bool {
    matches!(literal, "\"\"" | "null" | "true" | "false")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_has_the_form_of_what_it_stands_for() {
        let sealer = Sealer::new().unwrap();
        for (literal, form) in [
            ("\"hunter2\"", Form::Text),
            ("\"hunter\\u0032\"", Form::Text),
            ("\" \"", Form::Text),
            ("\"\\ud800\"", Form::Broken),
            ("7", Form::Other),
            ("-0.1e5", Form::Other),
            ("[]", Form::Other),
            ("{\"a\":1}", Form::Other),
        ] {
            let (handle, sealed) = seal(&sealer, Kind::RefreshToken, literal).unwrap();
            let mut text = String::new();
            push(handle, sealed, &mut text);
            assert_eq!((sealed, read(&text)), (form, Literal::Sealed(handle, form)), "{literal}");
            assert_eq!(text.starts_with('"'), literal.starts_with('"'));
        }
        for literal in ["\"\"", "null", "true", "false"] {
            assert_eq!((seal(&sealer, Kind::IdToken, literal), read(literal)), (None, Literal::Nothing));
        }
        for literal in ["\"x\"", "7", "[]", "[7]", "{}", "\"sealed-r-\"", "[\"sealed-r-AAAAAAAAAAAAAAAAAAAAA\"]"] {
            assert_eq!(read(literal), Literal::Plain, "{literal}");
        }
    }

    #[test]
    fn one_secret_in_two_spellings_has_one_handle() {
        let sealer = Sealer::new().unwrap();
        let seal = |literal| seal(&sealer, Kind::AccessToken, literal);
        assert_eq!(seal("\"a/b+c\""), seal("\"a\\/b\\u002Bc\""));
        assert_ne!(seal("\"\\ud800\""), seal("\"\\ud801\""));
    }
}
