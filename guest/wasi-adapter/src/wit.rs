//! The contract, generated from `wit/`.

#![allow(missing_docs, unreachable_pub, unused_qualifications, reason = "generated code")]

wit_bindgen::generate!({ path: "../../wit", world: "adapter" });

pub(crate) use self::exports::azure_identity::shared_token_cache::{cache_file, clock, https, log};
