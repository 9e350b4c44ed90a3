//! Certificates in company networks.

use std::{fs, io};

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{Authority, Cli, SHARED};
use shared_token_cache_tests::proxy::proxy_to;
use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, SignIn, document, new_access_token, token_reply};

fn signed_in() -> io::Result<Cli> {
    Cli::with_shared(&document(&[SignIn::new(0, LOCAL)]))
}

fn authority() -> io::Result<Authority> {
    Authority::answering(200, token_reply(0))
}

#[test]
fn an_authority_that_is_not_known_is_named_with_the_options_that_decide() {
    let authority = authority().unwrap();
    let (proxy, requests) = proxy_to(authority.address()).unwrap();
    for variable in ["REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "PIP_CERT"] {
        for through in [false, true] {
            let mut cli = signed_in().unwrap();
            cli.set(variable, "/etc/contoso/inspection.pem");
            if through {
                cli.set("HTTPS_PROXY", &format!("http://{proxy}"));
            }
            let run = cli.run(&["get-token", "--scope", GRAPH, "--authority", &authority.host()]).unwrap();
            let error = run.error(6).unwrap();
            assert_eq!(run.stderr.lines().count(), 1, "it is not repeated: {}", run.stderr);
            let message = error["message"].as_str().unwrap();
            for part in ["issued by \"shared-token-cache test CA\"", "UnknownIssuer"] {
                assert!(message.contains(part), "{part}: {message}");
            }
            let hint = error["hint"].as_str().unwrap();
            for part in ["`--ca-file FILE`", "SSL_CERT_FILE", &format!("`--ca-file \"${variable}\"`")] {
                assert!(hint.contains(part), "{part}: {hint}");
            }
        }
    }
    assert_eq!(requests.try_iter().count(), 5, "one request each");
    assert!(authority.requests().is_empty());
}

#[test]
fn the_file_of_the_variable_is_trusted_in_place_of_the_systems() {
    let authority = authority().unwrap();
    let mut cli = signed_in().unwrap();
    cli.set("SSL_CERT_FILE", &authority.ca_file());
    let run = cli.run(&["get-token", "--scope", GRAPH, "--authority", &authority.host()]).unwrap();
    assert_eq!(run.answer().unwrap()["token"], new_access_token(0).as_str());
}

#[test]
fn a_variable_that_names_nothing_of_use_is_named_and_the_option_still_works() {
    let authority = authority().unwrap();
    for (variable, value, warning) in [
        ("SSL_CERT_FILE", "", None),
        ("SSL_CERT_DIR", "", None),
        ("SSL_CERT_FILE", "/gone.pem", Some("SSL_CERT_FILE names /gone.pem")),
        ("SSL_CERT_DIR", "/gone", Some("SSL_CERT_DIR names /gone")),
        ("SSL_CERT_FILE", "/dev/null", Some("SSL_CERT_FILE names /dev/null")),
    ] {
        let mut cli = signed_in().unwrap();
        cli.set(variable, value);
        let run = cli.redeem(&authority, &[]).unwrap();
        assert_eq!((run.code, run.stdout.contains(&new_access_token(0))), (Some(0), true), "{value}: {run:?}");
        match warning {
            Some(part) => {
                assert!(run.stderr.contains(part) && run.stderr.contains("instead"), "{value}: {}", run.stderr)
            }
            None => assert_eq!(run.stderr, "", "{variable}"),
        }
    }
}

#[test]
fn a_broken_certificate_in_the_file_of_the_option_is_skipped_with_a_warning() {
    let authority = authority().unwrap();
    let good = fs::read_to_string(authority.ca_file()).unwrap();
    let cli = signed_in().unwrap();
    let broken = good.replacen("MII", "M!I", 1);
    let path = cli.write("both.pem", &format!("\u{feff}{broken}{}", good.replace('\n', "\r\n  "))).unwrap();
    let arguments = ["get-token", "--scope", GRAPH, "--authority", &authority.host(), "--ca-file", &path];
    let run = cli.run(&arguments).unwrap();
    assert_eq!((run.code, run.stdout.contains(&new_access_token(0))), (Some(0), true), "{run:?}");
    assert!(run.stderr.contains("both.pem") && run.stderr.contains("number 1"), "{}", run.stderr);

    cli.write("both.pem", &broken).unwrap();
    let error = cli.run(&arguments).unwrap().error(2).unwrap();
    assert!(error["message"].as_str().unwrap().contains("no certificate that can be used"), "{error}");
}

#[test]
fn doctor_reports_how_the_authority_is_reached() {
    let authority = authority().unwrap();
    let (proxy, _requests) = proxy_to(authority.address()).unwrap();
    let mut cli = signed_in().unwrap();
    cli.set("https_proxy", &format!("http://user0:made-up-secret@{proxy}"));
    cli.set("SSL_CERT_FILE", &authority.ca_file());
    let doctor =
        |cli: &Cli, more: &[&str]| cli.run(&[&["doctor", "--authority", &authority.host()], more].concat()).unwrap();
    let run = doctor(&cli, &[]);
    assert!(run.stdout.contains(&format!("  proxy        http://{proxy} (https_proxy)\n")), "{run:?}");
    assert!(run.stdout.contains(&format!("  certificates {} (SSL_CERT_FILE)\n", authority.ca_file())), "{run:?}");
    assert!(run.stdout.contains("ok           it answers") && !run.stdout.contains("made-up"), "{run:?}");

    cli.set("NO_PROXY", "*.localhost");
    cli.set("SSL_CERT_FILE", "");
    let run = doctor(&cli, &["--output", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let shown = &report["authority"];
    assert_eq!((&shown["proxy"], &shown["excepted_from_proxy"]), (&Value::Null, &json!(true)), "{shown}");
    let finding = &shown["findings"][0];
    assert!(finding["what"].as_str().unwrap().contains("issued by \"shared-token-cache test CA\""), "{finding}");
    assert!(finding["next"].as_str().unwrap().contains("`--ca-file FILE`"), "{finding}");
    assert!(!finding["next"].as_str().unwrap().contains("HTTPS_PROXY"), "{finding}");
}

#[cfg(unix)]
#[test]
fn a_certificate_variable_neither_blocks_on_a_fifo_nor_reads_an_endless_file() {
    use std::time::{Duration, Instant};
    let authority = authority().unwrap();
    let mut cli = signed_in().unwrap();
    cli.write("folder/x", "").unwrap();
    for name in ["fifo", "folder/fifo"] {
        assert!(std::process::Command::new("mkfifo").arg(cli.home().join(name)).status().unwrap().success());
    }
    for name in ["sparse.pem", "folder/sparse.pem"] {
        fs::File::create(cli.home().join(name)).unwrap().set_len(3 << 30).unwrap();
    }
    for (variable, value, says) in [
        ("SSL_CERT_FILE", "fifo", "it is a FIFO, not a regular file"),
        ("SSL_CERT_FILE", "/dev/zero", "it is a device, not a regular file"),
        ("SSL_CERT_FILE", "folder", "it is a folder, not a regular file"),
        ("SSL_CERT_FILE", "sparse.pem", "it has more than 16777216 bytes"),
        ("SSL_CERT_DIR", "folder", "it holds no certificate"),
    ] {
        cli.set("SSL_CERT_FILE", "");
        cli.set("SSL_CERT_DIR", "");
        cli.set(variable, value);
        // Removes the token of the last run from the cache.
        cli.write(SHARED, &document(&[SignIn::new(0, LOCAL)])).unwrap();
        let start = Instant::now();
        let run = cli.redeem(&authority, &[]).unwrap();
        assert_eq!((run.code, run.stdout.contains(&new_access_token(0))), (Some(0), true), "{value}: {run:?}");
        assert!(run.stderr.contains(&format!("{variable} names {value}, which cannot be used: {says}")), "{run:?}");
        let doctor = ["doctor", "--authority", &authority.host(), "--ca-file", &authority.ca_file()];
        assert_eq!(cli.run(&doctor).unwrap().code, Some(0), "{value}");
        assert!(start.elapsed() < Duration::from_secs(10), "{value}: {:?}", start.elapsed());
    }
    cli.write(SHARED, &document(&[SignIn::new(0, LOCAL)])).unwrap();
    fs::copy(authority.ca_file(), cli.home().join("folder/ca.pem")).unwrap();
    let run = cli.run(&["get-token", "--scope", GRAPH, "--authority", &authority.host()]).unwrap();
    assert_eq!(run.answer().unwrap()["token"], new_access_token(0).as_str(), "the others of a folder count");
}
