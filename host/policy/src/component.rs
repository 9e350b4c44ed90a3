use std::fmt;
use std::str::FromStr;

use crate::InvalidValue;

/// The components that may be loaded from a file: one, by the SHA-256 of its bytes, or all. The
/// built-in component is always allowed.
///
/// ```
/// use shared_token_cache_policy::AllowedComponent;
///
/// // As `sha256sum` prints it.
/// let pinned: AllowedComponent = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse()?;
/// assert!(!pinned.covers(&[0; 32]));
/// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AllowedComponent(Option<[u8; 32]>);

impl AllowedComponent {
    /// All components.
    pub const ANY: Self = Self(None);

    /// The component whose bytes have this SHA-256.
    #[must_use]
    pub fn sha256(hash: [u8; 32]) -> Self {
        Self(Some(hash))
    }

    /// Whether a component is allowed.
    #[must_use]
    pub fn covers(&self, sha256: &[u8; 32]) -> bool {
        self.0.as_ref().is_none_or(|hash| hash == sha256)
    }
}

impl FromStr for AllowedComponent {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == "*" {
            return Ok(Self::ANY);
        }
        parse_hex(text).map(Self::sha256).ok_or_else(|| {
            let instead = "write its 64 hexadecimal digits, or `*` for any component";
            InvalidValue::new(format!("{text:?} is not a SHA-256"), instead)
        })
    }
}

impl fmt::Display for AllowedComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("*"),
            Some(hash) => f.write_str(&hex(hash)),
        }
    }
}

pub(crate) fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let bytes: Vec<u8> =
        digits?.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8)).collect();
    // An odd number of digits would make the last one a byte of its own.
    if text.len() == 64 { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_identified_by_its_hash() {
        let text = "0123456789abcdefFEDCBA98765432100123456789abcdef0123456789abcdef";
        let pinned: AllowedComponent = text.parse().unwrap();
        assert_eq!(pinned.to_string(), text.to_lowercase());
        let hash = pinned.0.unwrap();
        assert_eq!((hash[0], hash[1], hash[8], hash[31]), (0x01, 0x23, 0xfe, 0xef));
        assert!(pinned.covers(&hash) && AllowedComponent::ANY.covers(&hash));
        let mut other = hash;
        other[31] ^= 1;
        assert!(!pinned.covers(&other));
        for text in
            ["", "0", &text[1..], &format!("{text}0"), &text.replace('a', "g"), &format!(" {}", &text[1..]), "é"]
        {
            assert!(text.parse::<AllowedComponent>().is_err(), "{text:?}");
        }
    }
}
