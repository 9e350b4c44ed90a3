//! Imports WASI's environment besides the imports of the world.

#![no_main]

use hostile::{Answer, Attempt, Call, report};

#[allow(missing_docs, unreachable_pub, unused_qualifications, unsafe_code, reason = "generated code")]
mod wasi {
    wit_bindgen::generate!({
        inline: "
            package hostile:attempt;

            world environment {
                import wasi:cli/environment@0.2.0;
            }

            package wasi:cli@0.2.0 {
                interface environment {
                    get-environment: func() -> list<tuple<string, string>>;
                }
            }
        ",
        generate_all,
    });
}

struct ImportWasi;

impl Attempt for ImportWasi {
    fn get_token(_: &Call) -> Answer {
        report(wasi::wasi::cli::environment::get_environment())
    }
}

hostile::attempt!(ImportWasi);
