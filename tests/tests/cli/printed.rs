//! The output of `get-token` and `supported`.

use serde_json::json;
use shared_token_cache_tests::cli::{Authority, Cli};
use shared_token_cache_tests::sign_in::{
    FAR, LOCAL, PUBLIC, SignIn, VAULT, access_token, document, new_access_token, token_reply,
};

fn signed_in() -> String {
    document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])
}

#[test]
fn a_token_is_printed_as_a_json_object_in_a_line() {
    let cli = Cli::with_shared(&signed_in()).unwrap();
    let expected = json!({
        "token": access_token(0, VAULT),
        "expires_on": FAR,
        "refresh_on": null,
        "token_type": "Bearer",
        "source": "shared",
    });
    for arguments in [&["get-token", "--scope", VAULT][..], &["get-token", "--scope", VAULT, "--output", "json"]] {
        let run = cli.run(arguments).unwrap();
        assert_eq!(run.answer().unwrap(), expected);
        assert_eq!(run.stdout.matches('\n').count(), 1);
        assert!(run.stdout.ends_with('\n'));
    }
}

#[test]
fn the_time_to_refresh_is_printed_where_it_is_cached() {
    let token = SignIn::new(0, PUBLIC).access_token_with(VAULT, json!({ "refresh_on": "4102440000" }));
    let cli = Cli::with_shared(&document(&[token])).unwrap();
    let answer = cli.run(&["get-token", "--scope", VAULT]).unwrap().answer().unwrap();
    assert_eq!(answer["refresh_on"], 4_102_440_000_u64);
}

#[test]
fn the_bare_token_is_printed_on_request() {
    let cli = Cli::with_shared(&signed_in()).unwrap();
    let run = cli.run(&["get-token", "--scope", VAULT, "--output", "token"]).unwrap();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.stdout, format!("{}\n", access_token(0, VAULT)));
}

#[test]
fn a_header_field_is_printed_on_request() {
    let cli = Cli::with_shared(&signed_in()).unwrap();
    let run = cli.run(&["get-token", "--scope", VAULT, "--output", "header"]).unwrap();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.stdout, format!("Authorization: Bearer {}\n", access_token(0, VAULT)));
}

#[test]
fn every_value_is_a_string_on_request() {
    for refresh_on in [None, Some("4102440000")] {
        let mut fields = json!({});
        let mut expected = json!({
            "token": access_token(0, VAULT),
            "expires_on": FAR.to_string(),
            "token_type": "Bearer",
            "source": "shared",
        });
        if let Some(time) = refresh_on {
            (fields["refresh_on"], expected["refresh_on"]) = (json!(time), json!(time));
        }
        let sign_in = SignIn::new(0, PUBLIC).access_token_with(VAULT, fields);
        let cli = Cli::with_shared(&document(&[sign_in])).unwrap();
        let run = cli.run(&["get-token", "--scope", VAULT, "--output", "strings"]).unwrap();
        assert_eq!((run.code, run.answer().unwrap()), (Some(0), expected));
    }
}

#[test]
fn a_new_token_is_printed_like_a_cached_one() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let expected = json!({
        "token": new_access_token(0),
        "expires_on": FAR,
        "refresh_on": null,
        "token_type": "Bearer",
        "source": "shared",
    });
    assert_eq!(cli.redeem(&authority, &[]).unwrap().answer().unwrap(), expected);
}

#[test]
fn the_log_shows_what_crosses_the_border_and_no_secret() {
    for level in ["debug", "trace", "shared_token_cache::border=debug"] {
        let authority = Authority::answering(200, token_reply(0)).unwrap();
        let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
        cli.set("SHARED_TOKEN_CACHE_LOG", level);
        // Every run checks that no line contains a secret.
        let run = cli.redeem(&authority, &["--output", "token"]).unwrap();
        assert_eq!(run.stdout, format!("{}\n", new_access_token(0)), "{level}");
        for crossing in ["cache-file.read msal.cache.nocae", "https.post-form", "cache-file.replace msal.cache.nocae"] {
            assert!(run.stderr.contains(crossing), "{level}: {}", run.stderr);
        }
        assert!(!run.stderr.contains('\u{1b}'), "{level}: escapes outside of a terminal: {}", run.stderr);
    }
}

#[test]
fn a_log_level_that_does_not_exist_is_pointed_out_and_costs_no_token() {
    let mut cli = Cli::with_shared(&signed_in()).unwrap();
    cli.set("SHARED_TOKEN_CACHE_LOG", "shared_token_cache=loud");
    let run = cli.run(&["get-token", "--scope", VAULT, "--output", "token"]).unwrap();
    assert_eq!(run.code, Some(0));
    assert_eq!(run.stdout, format!("{}\n", access_token(0, VAULT)));
    assert!(run.stderr.contains("SHARED_TOKEN_CACHE_LOG"), "{}", run.stderr);
}

#[cfg(any(target_os = "macos", target_os = "linux"))]
#[test]
fn supported_prints_true_and_touches_nothing() {
    let cli = Cli::new().unwrap();
    let run = cli.run(&["supported"]).unwrap();
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "true\n", ""));
    assert!(cli.files().unwrap().is_empty());
}
