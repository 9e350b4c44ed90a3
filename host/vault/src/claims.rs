//! The `claims` of a request: those of the call, plus the client capability under Continuous Access
//! Evaluation, and no others.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

/// The `claims` that the requests of a call must have.
#[derive(Clone)]
pub(crate) enum Claims {
    /// The field is missing.
    Nothing,
    /// This text, or another one of the same value.
    These { text: Option<String>, value: Option<Value> },
}

impl Claims {
    pub(crate) fn of(given: Option<&str>, enable_cae: bool) -> Self {
        let given = given.filter(|claims| !claims.trim().is_empty());
        let value = given.map(|text| serde_json::from_str::<Unique>(text).map(|unique| unique.0));
        match (given, enable_cae) {
            (None, false) => Self::Nothing,
            (Some(text), false) => Self::These { text: Some(text.to_owned()), value: value.and_then(Result::ok) },
            (_, true) => {
                let value = value.unwrap_or_else(|| Ok(json!({})));
                Self::These { text: None, value: value.ok().and_then(with_capability) }
            }
        }
    }

    /// Whether a request may have this field: the same text, or the same members in any order, each
    /// once.
    pub(crate) fn allow(&self, field: Option<&str>) -> bool {
        match (self, field) {
            (Self::Nothing, None) => true,
            (Self::These { text: Some(text), .. }, Some(field)) if text == field => true,
            (Self::These { value: Some(value), .. }, Some(field)) => {
                serde_json::from_str::<Unique>(field).is_ok_and(|unique| unique.0 == *value)
            }
            _ => false,
        }
    }
}

/// Adds the client capability `CP1`: the client can handle a claims challenge.
fn with_capability(mut claims: Value) -> Option<Value> {
    let access_token = claims.as_object_mut()?.entry("access_token").or_insert(Value::Null);
    if access_token.is_null() {
        *access_token = json!({});
    }
    access_token.as_object_mut()?.insert("xms_cc".into(), json!({"values": ["CP1"]}));
    Some(claims)
}

/// A JSON value without repeated members: readers differ in which of two they take.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UniqueVisitor;

        impl<'de> Visitor<'de> for UniqueVisitor {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
                let mut array = Vec::new();
                while let Some(Unique(element)) = elements.next_element()? {
                    array.push(element);
                }
                Ok(array.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
                let mut object = Map::new();
                while let Some((key, Unique(value))) = members.next_entry::<String, Unique>()? {
                    if object.insert(key, value).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                Ok(object.into())
            }
        }

        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPABILITY: &str = r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#;

    #[test]
    fn a_request_has_the_claims_of_its_call_and_no_others() {
        let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
        let both = r#"{"access_token":{"xms_cc":{"values":["CP1"]},"nbf":{"value":"1","essential":true}}}"#;
        for (given, cae, field, allowed) in [
            (None, false, None, true),
            (Some(" "), false, None, true),
            (None, false, Some(""), false),
            (None, false, Some("{}"), false),
            (None, false, Some(CAPABILITY), false),
            (None, true, None, false),
            (None, true, Some("{}"), false),
            (None, true, Some(CAPABILITY), true),
            (Some("{}"), true, Some(CAPABILITY), true),
            (Some(r#"{"access_token":null}"#), true, Some(CAPABILITY), true),
            (Some(challenge), false, Some(challenge), true),
            (Some(challenge), false, Some(&challenge.replace(':', " : ")), true),
            (Some(challenge), false, None, false),
            (Some(challenge), false, Some(""), false),
            (Some(challenge), false, Some(both), false),
            (Some(challenge), false, Some("{}"), false),
            (Some(challenge), true, Some(both), true),
            (Some(challenge), true, Some(challenge), false),
            (Some(challenge), true, Some(CAPABILITY), false),
            (Some(r#"{"a":1}"#), false, Some(r#"{"a":1,"a":1}"#), false),
            (Some(r#"{"a":{"b":1}}"#), false, Some(r#"{"a":{"b":2,"b":1}}"#), false),
            (Some(r#"{"a":1,"a":2}"#), false, Some(r#"{"a":1,"a":2}"#), true),
            (Some(r#"{"a":1,"a":2}"#), false, Some(r#"{"a":2}"#), false),
            // Each kind of value counts, and not only its name.
            (Some(r#"{"a":true}"#), false, Some(r#"{"a" :true}"#), true),
            (Some(r#"{"a":true}"#), false, Some(r#"{"a":false}"#), false),
            (Some(r#"{"a":true}"#), false, Some(r#"{"a":null}"#), false),
            (Some(r#"{"a":-1}"#), false, Some(r#"{"a" :-1}"#), true),
            (Some(r#"{"a":-1}"#), false, Some(r#"{"a":-2}"#), false),
            (Some(r#"{"a":0.5}"#), false, Some(r#"{"a" :0.5}"#), true),
            (Some(r#"{"a":0.5}"#), false, Some(r#"{"a":1.5}"#), false),
            (Some(r#"{"a":null}"#), false, Some(r#"{"a" :null}"#), true),
            (Some(r#"{"a":null}"#), false, Some(r#"{"a":0}"#), false),
            (Some(r#"{"a":[1,"b"]}"#), false, Some(r#"{"a":["b",1]}"#), false),
            (Some("7"), true, Some(CAPABILITY), false),
            (Some(r#"{"access_token":7}"#), true, Some(CAPABILITY), false),
        ] {
            assert_eq!(Claims::of(given, cae).allow(field), allowed, "{given:?} {cae} {field:?}");
        }
    }
}
