//! Exports another version of the contract, in which the token may be any text.

#![no_main]

#[allow(missing_docs, unreachable_pub, unused_qualifications, unsafe_code, reason = "generated code")]
mod contract {
    wit_bindgen::generate!({
        inline: "
            package azure-identity:shared-token-cache@0.2.0;

            interface credential {
                get-token: func() -> string;
            }

            world plugin {
                export credential;
            }
        ",
    });

    use self::exports::azure_identity::shared_token_cache::credential::Guest;

    struct ExportAnotherVersion;

    impl Guest for ExportAnotherVersion {
        fn get_token() -> String {
            "anything".into()
        }
    }

    export!(ExportAnotherVersion with_types_in self);
}
