//! How a handle is written in the place of a JSON value, so that the component sees a value of the
//! same type.

use crate::handle::{Handle, Kind, Sealer};
use crate::json::decode_secret;

/// The type of a secret's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text. It becomes the handle.
    Text,
    /// A string with half a surrogate pair, which is not text. It becomes a handle followed by such
    /// a half.
    Broken,
    /// A number, an object or an array, which is not a token to any reader. It becomes an array
    /// with the handle.
    Other,
}

/// Half a surrogate pair.
const HALF: &str = "\\ud800";

/// A parsed value of a secret member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Literal {
    /// Not secret: an empty string, `null`, `true` or `false`. They stay, because the component
    /// distinguishes them.
    Nothing,
    /// A string with the shape of a handle.
    Sealed(Handle, Form),
    /// Anything else.
    Plain,
}

/// The handle and the type of a secret; `None` for a value that is not secret.
pub(crate) fn seal(sealer: &Sealer, kind: Kind, literal: &str) -> Option<(Handle, Form)> {
    if is_nothing(literal) {
        return None;
    }
    if !literal.starts_with('"') {
        return Some((sealer.handle(Kind::Opaque, b'[', literal), Form::Other));
    }
    Some(match decode_secret(literal) {
        // The component skips an access token that is not text, and goes on to another one.
        Some(secret) if kind == Kind::AccessToken && !is_a_token(secret.as_str()) => {
            (sealer.handle(Kind::Opaque, b'!', literal), Form::Broken)
        }
        Some(secret) => (sealer.handle(kind, b'"', secret.as_str()), Form::Text),
        None => (sealer.handle(Kind::Opaque, b'!', literal), Form::Broken),
    })
}

/// Writes a handle in the place of a value of this type.
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

/// Parses the value of a secret member. A handle is accepted only as [`push`] writes it.
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

/// Whether the text may follow `Bearer ` in a header field: visible ASCII. RFC 6750 allows fewer
/// characters; test doubles use more.
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
    fn a_handle_is_written_with_the_type_of_its_value() {
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
