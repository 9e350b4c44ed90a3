//! The messages of SDS, reduced to the fields that are used, with the field numbers of Envoy's API
//! v3 (`envoy/service/discovery/v3/discovery.proto`,
//! `envoy/extensions/transport_sockets/tls/v3/secret.proto`, `envoy/config/core/v3/base.proto`) and
//! of `google.protobuf`. Decoding skips all other fields, above all a request's `node` of some 50
//! kB.

use std::fmt;

use prost::Message;

/// The type of secrets.
pub(crate) const SECRET_TYPE: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

/// The names that a reader wants, and its ACK or NACK of the last response.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DiscoveryRequest {
    #[prost(string, repeated, tag = "3")]
    pub(crate) resource_names: Vec<String>,
    #[prost(string, tag = "4")]
    pub(crate) type_url: String,
    #[prost(string, tag = "5")]
    pub(crate) response_nonce: String,
    #[prost(message, optional, tag = "6")]
    pub(crate) error_detail: Option<Status>,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Status {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

/// The current secrets.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DiscoveryResponse {
    #[prost(string, tag = "1")]
    pub(crate) version_info: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) resources: Vec<Any>,
    #[prost(string, tag = "4")]
    pub(crate) type_url: String,
    #[prost(string, tag = "5")]
    pub(crate) nonce: String,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

/// A secret with its name.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Secret {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// Field 5 of a `oneof` of kinds of secrets.
    #[prost(message, optional, tag = "5")]
    pub(crate) generic_secret: Option<GenericSecret>,
}

/// A secret that is a text.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct GenericSecret {
    #[prost(message, optional, tag = "1")]
    pub(crate) secret: Option<DataSource>,
}

/// An inline text.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct DataSource {
    /// Field of a `oneof`, so it is present even when the text is empty.
    #[prost(string, optional, tag = "3")]
    pub(crate) inline_string: Option<String>,
}

impl Any {
    /// A text under a name, in Envoy's format.
    pub(crate) fn secret(name: &str, text: &str) -> Self {
        let source = DataSource { inline_string: Some(text.to_owned()) };
        let secret = Secret { name: name.to_owned(), generic_secret: Some(GenericSecret { secret: Some(source) }) };
        Self { type_url: SECRET_TYPE.to_owned(), value: secret.encode_to_vec() }
    }
}

/// `Debug` of messages that hold a token prints the type's name only.
macro_rules! opaque {
    ($($message:ident),+) => {$(
        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($message), "(..)"))
            }
        }
    )+};
}

opaque!(Any, Secret, GenericSecret, DataSource);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_the_bytes_that_envoy_reads() {
        // Tag 1: "n"; tag 5: { tag 1: { tag 3: "t" } }.
        assert_eq!(Any::secret("n", "t").value, b"\x0a\x01n\x2a\x05\x0a\x03\x1a\x01t");
        // An empty text is still present.
        assert_eq!(Any::secret("n", "").value, b"\x0a\x01n\x2a\x04\x0a\x02\x1a\x00");
    }

    #[test]
    fn no_message_prints_a_token() {
        let any = Any::secret("n", "hunter2");
        let secret = Secret::decode(any.value.as_slice()).unwrap();
        let response = DiscoveryResponse { resources: vec![any], ..DiscoveryResponse::default() };
        let printed = format!("{response:?} {secret:?} {:?}", secret.generic_secret);
        assert!(!printed.contains("hunter2") && printed.contains("Any(..)"), "{printed}");
    }
}
