//! `words.json` has this crate's constants for programs in other languages. Rust code uses the
//! constants and parses no file.

use serde_json::{Value, json};

use crate::{agent_session, cache, client, cloud, header};

#[test]
fn the_file_for_other_languages_equals_the_constants() {
    let file: Value = serde_json::from_str(include_str!("../words.json")).unwrap();
    let constants = json!({
        "clouds": cloud::CLOUDS,
        "default_host": cloud::DEFAULT_HOST,
        "azure_cli_client": client::AZURE_CLI,
        "cache": {
            "default_name": cache::DEFAULT_NAME,
            "suffixes": { "cae": cache::CAE, "nocae": cache::NOCAE },
        },
        "headers": { "allowed": header::ALLOWED, "longest_value": header::LONGEST_VALUE },
        "agent_session": {
            "variable": agent_session::VARIABLE,
            "parameter": agent_session::PARAMETER,
            "longest": agent_session::LONGEST,
        },
    });
    assert_eq!(file, constants);
}
