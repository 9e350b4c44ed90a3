//! The contract's types, generated from `wit/`.

#![allow(missing_docs, unreachable_pub, unused_qualifications, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "plugin",
    imports: {
        "azure-identity:shared-token-cache/cache-file.read": async,
        "azure-identity:shared-token-cache/cache-file.replace": async,
        "azure-identity:shared-token-cache/https.post-form": async,
    },
    exports: { default: async },
});

pub(crate) use self::azure_identity::shared_token_cache::{cache_file, clock, https, log};
pub(crate) use self::exports::azure_identity::shared_token_cache::credential;
