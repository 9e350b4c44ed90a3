//! User and password of a proxy's URL.

use std::str::FromStr;

use zeroize::Zeroizing;

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: Zeroizing<String>,
}

impl FromStr for Credentials {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self { user: decoded(user)?, password: Zeroizing::new(decoded(password)?) })
    }
}

/// Decodes percent-encoding (RFC 3986, section 2.1). An invalid `%` stays, as in curl.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, after) {
            (b'%', [high, low, after @ ..]) if digit(high).is_some() && digit(low).is_some() => {
                bytes.push(digit(high).unwrap_or_default() << 4 | digit(low).unwrap_or_default());
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| "its user or password is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_decoded_once() {
        for (text, user, password) in [
            ("user0:made-up", "user0", "made-up"),
            ("user0", "user0", ""),
            ("CONTOSO%5Cuser0:p%40ss%3a%25", "CONTOSO\\user0", "p@ss:%"),
            ("user0:a:b", "user0", "a:b"),
            ("user0:100%", "user0", "100%"),
            ("user0:%zz%c3%a9%2541", "user0", "%zzé%41"),
            (":x", "", "x"),
        ] {
            let credentials: Credentials = text.parse().unwrap();
            assert_eq!((credentials.user.as_str(), credentials.password.as_str()), (user, password), "{text}");
        }
        assert!("user0:%ff".parse::<Credentials>().is_err());
    }
}
