//! The imports besides WASI, as generated from `wit/`.

#![allow(missing_docs, unreachable_pub, unused_qualifications, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "contoso:whoami/consumer",
    generate_all,
    inline: "
        package contoso:whoami;

        world consumer {
            import azure-identity:shared-token-cache/tokens@0.2.0;
        }
    ",
});

pub(crate) use self::azure_identity::shared_token_cache::{credential, tokens};
