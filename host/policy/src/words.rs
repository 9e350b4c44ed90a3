/// Implements `FromStr` and `Display` for an enum whose values are words of a policy. `what` and
/// `hint` are the parts of the error for any other word.
macro_rules! words {
    ($name:ident, $what:literal, $hint:literal, $($word:literal => $value:ident),+) => {
        impl std::str::FromStr for $name {
            type Err = crate::InvalidValue;

            fn from_str(text: &str) -> Result<Self, crate::InvalidValue> {
                match text {
                    $($word => Ok(Self::$value),)+
                    other => Err(crate::InvalidValue::new(format!(concat!("{:?} ", $what), other), $hint)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$value => $word,)+
                })
            }
        }
    };
}

pub(crate) use words;
