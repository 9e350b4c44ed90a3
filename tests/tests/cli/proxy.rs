//! Proxies from the environment variables.

use serde_json::json;
use shared_token_cache_tests::cli::{ANYTHING, Authority, Cli, SHARED};
use shared_token_cache_tests::proxy::{proxy_that_answers, proxy_that_refuses, proxy_to};
use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, PUBLIC, SignIn, document, new_access_token, token_reply};

#[test]
fn a_request_goes_through_the_proxy_of_the_environment() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let (proxy, lines) = proxy_to(authority.address()).unwrap();
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let mut cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC)])).unwrap();
        cli.set(name, &format!("http://{proxy}"));
        // The authority is the default one, which a test can reach through a proxy only.
        let run = cli.run(&["get-token", "--scope", GRAPH, "--ca-file", &authority.ca_file()]).unwrap();
        assert_eq!(run.answer().unwrap()["token"], new_access_token(0).as_str(), "{name}");
        assert_eq!(lines.recv().unwrap(), "CONNECT login.microsoftonline.com:443 HTTP/1.1");
        let entries = cli.read_json(SHARED).unwrap()["AccessToken"].take();
        let environments: Vec<_> = entries.as_object().unwrap().values().map(|entry| &entry["environment"]).collect();
        assert_eq!(environments, [&json!(PUBLIC)]);
    }
    assert!(authority.requests().iter().all(|request| request.host == PUBLIC));
}

#[test]
fn a_proxy_may_have_any_address_and_looks_the_authority_up_by_itself() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let (proxy, lines) = proxy_to(authority.address()).unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC)])).unwrap();
    // By its name, so that it is resolved; the command's own policy names no address.
    cli.set("HTTPS_PROXY", &format!("http://localhost:{}", proxy.port()));
    let run = cli.run(&["get-token", "--scope", GRAPH, "--ca-file", &authority.ca_file()]).unwrap();
    assert_eq!(run.answer().unwrap()["token"], new_access_token(0).as_str());
    assert_eq!(lines.recv().unwrap(), "CONNECT login.microsoftonline.com:443 HTTP/1.1");
}

#[test]
fn an_authority_that_the_proxy_looks_up_needs_no_address_and_one_that_is_asked_directly_does() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let (proxy, lines) = proxy_to(authority.address()).unwrap();
    let grant = "[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\"\n";
    let policy =
        format!("authorities = [\"{}\"]\n{}{grant}", authority.host(), ANYTHING.replace("loopback", "private"));
    let redeem = |except: &str| {
        let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)]))?;
        cli.set("HTTPS_PROXY", &format!("http://{proxy}"));
        cli.set("NO_PROXY", except);
        let path = cli.write("policy.toml", &policy)?;
        cli.redeem(&authority, &["--policy", &path])
    };
    assert_eq!(redeem("").unwrap().answer().unwrap()["token"], new_access_token(0).as_str());
    assert_eq!(lines.recv().unwrap(), format!("CONNECT {} HTTP/1.1", authority.host()));

    let error = redeem("localhost").unwrap().error(5).unwrap();
    assert_eq!(error["kind"], "denied");
    assert!(error["hint"].as_str().unwrap().contains("`network.addresses`"), "{error}");
    assert_eq!(authority.requests().len(), 1);
}

#[test]
fn no_proxy_names_hosts_that_are_asked_directly() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    // The port is closed.
    cli.set("HTTPS_PROXY", "http://127.0.0.1:9");
    cli.set("NO_PROXY", "contoso.com,localhost");
    let answer = cli.redeem(&authority, &[]).unwrap().answer().unwrap();
    assert_eq!(answer["token"], new_access_token(0).as_str());
}

#[test]
fn a_password_of_a_proxy_is_not_repeated_in_an_error() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    cli.set("HTTPS_PROXY", "http://user0:made-up-secret@127.0.0.1:9");
    cli.set("SHARED_TOKEN_CACHE_LOG", "trace");
    // Every run checks that the password is not in it.
    let error = cli.redeem(&authority, &[]).unwrap().error(6).unwrap();
    assert_eq!(error["kind"], "unreachable");
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_by_the_name_of_its_variable_and_never_passed_by() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    for (value, why) in [
        ("\"http://user0:made-up@127.0.0.1:9\"", "quotation marks"),
        ("http://user0:made-up@127.0.0.1:9\r", "line break"),
        ("http://CONTOSO\\user0:made-up@127.0.0.1:9", "backslash"),
        ("http://user0:made up@127.0.0.1:9", "blank"),
        ("http://127.0.0.1:port", "port"),
        ("http://127.0.0.1:9/proxy.pac", "`/`"),
        ("ftp://127.0.0.1:9", "scheme"),
        ("socks5h://user0:made-up@127.0.0.1:9", "SOCKS"),
    ] {
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
            cli.set(variable, value);
            let run = cli.redeem(&authority, &[]).unwrap();
            let error = run.error(6).unwrap();
            let message = error["message"].as_str().unwrap();
            assert_eq!(error["kind"], "unreachable", "{value:?}");
            assert!(message.contains(variable) && message.contains(why), "{value:?}: {message}");
            assert!(error["hint"].as_str().unwrap().contains("http://HOST:PORT"), "{error}");
            assert!(!run.stderr.contains("made") && !run.stderr.contains("user0:"), "{value:?}: {}", run.stderr);
        }
    }
    assert!(authority.requests().is_empty());
}

#[test]
fn a_variable_of_requests_without_tls_and_an_empty_one_name_no_proxy() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    for (variable, value) in [("HTTP_PROXY", "\"x\""), ("http_proxy", "http://127.0.0.1:9"), ("HTTPS_PROXY", "")] {
        cli.set(variable, value);
    }
    assert_eq!(cli.redeem(&authority, &[]).unwrap().answer().unwrap()["token"], new_access_token(0).as_str());
}

#[test]
fn a_host_that_is_excepted_needs_no_usable_proxy() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    for except in ["localhost", ".localhost", "*.localhost", "contoso.com, LOCALHOST\r", "*"] {
        let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
        cli.set("HTTPS_PROXY", "socks5://127.0.0.1:9");
        cli.set("NO_PROXY", except);
        let answer = cli.redeem(&authority, &[]).unwrap().answer().unwrap();
        assert_eq!(answer["token"], new_access_token(0).as_str(), "{except}");
    }
}

#[test]
fn a_proxy_that_refuses_the_password_is_asked_once() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    for (user, part) in [("user0:made-up-secret@", "correct them in HTTPS_PROXY"), ("", "write them into HTTPS_PROXY")]
    {
        let (proxy, heads) = proxy_that_refuses().unwrap();
        let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
        cli.set("HTTPS_PROXY", &format!("http://{user}{proxy}"));
        let error = cli.redeem(&authority, &[]).unwrap().error(6).unwrap();
        assert_eq!((&error["kind"], &error["retry_after_seconds"]), (&json!("unreachable"), &json!(600)), "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("407") && message.contains(part), "{message}");
        assert!(error["hint"].as_str().unwrap().starts_with(part), "{error}");
        let heads: Vec<_> = heads.try_iter().collect();
        let is_sent = heads[0].to_lowercase().contains("proxy-authorization: basic dxnlcja6bwfkzs11cc1zzwnyzxq=");
        assert_eq!((heads.len(), is_sent), (1, !user.is_empty()), "{heads:?}");
    }
    assert!(authority.requests().is_empty());
}

/// Whether the head of a request contains credentials for a proxy.
fn has_password(head: &str) -> bool {
    head.to_lowercase().contains("proxy-authorization:")
}

#[test]
fn a_password_that_is_refused_in_an_odd_answer_is_sent_once() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let many = format!("HTTP/1.1 407 X\r\n{}\r\n", "a: b\r\n".repeat(101));
    let long = format!("HTTP/1.1 407 X\r\na: {}\r\n\r\n", "b".repeat(9000));
    for answer in [
        "HTTP/1.1 407 X\r\nX-Bad Header: 1\r\n\r\n",
        &many,
        &long,
        "HTTP/1.1 407 \u{1}\r\n\r\n",
        "HTTP/1.1 407 X\r\na: \u{1}\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 407 X\r\n\r\n",
        "http/1.1 407 x\r\n\r\n",
        "HTTP/1.1 407",
        "no HTTP\r\n\r\n",
    ] {
        let (proxy, heads) = proxy_that_answers(answer).unwrap();
        let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
        cli.set("HTTPS_PROXY", &format!("http://user0:made-up-secret@{proxy}"));
        let start: String = answer.chars().take(40).collect();
        let error = cli.redeem(&authority, &[]).unwrap().error(6).unwrap();
        assert_eq!(error["retry_after_seconds"], 600, "{start:?}: {error}");
        assert!(error["hint"].as_str().unwrap().starts_with("correct them in HTTPS_PROXY"), "{start:?}: {error}");
        assert_eq!(heads.try_iter().filter(|head| has_password(head)).count(), 1, "{start:?}");
    }
    assert!(authority.requests().is_empty());
}

#[test]
fn a_proxys_answer_is_reported_with_its_status_and_retried_where_it_may_pass() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    for (answer, part, passes) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "status 403", false),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", "status 401", false),
        ("HTTP/1.1 302 Found\r\nLocation: http://portal\r\n\r\n", "status 302", false),
        ("HTTP/1.1 404 Not Found\r\n\r\n", "status 404", false),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "status 502", true),
        ("HTTP/1.1 200 X\r\nX-Bad Header: 1\r\n\r\n", "status 200", false),
        ("no HTTP\r\n\r\n", "not HTTP", false),
    ] {
        for user in ["", "user0:made-up-secret@"] {
            if part == "not HTTP" && !user.is_empty() {
                continue; // this may be a refusal of the password
            }
            let (proxy, heads) = proxy_that_answers(answer).unwrap();
            let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
            cli.set("https_proxy", &format!("http://{user}{proxy}"));
            let error = cli.redeem(&authority, &[]).unwrap().error(6).unwrap();
            let (message, hint) = (error["message"].as_str().unwrap(), error["hint"].as_str().unwrap_or_default());
            assert!(message.contains(part) && message.contains("which https_proxy names"), "{answer:?}: {error}");
            assert!(hint.contains("NO_PROXY") || hint.contains("https_proxy"), "{answer:?}: {error}");
            let asked = heads.try_iter().count();
            assert_eq!(asked > 3, passes, "{answer:?} was asked {asked} times");
        }
    }
    assert!(authority.requests().is_empty());
}

#[test]
fn a_password_that_is_taken_serves() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let (proxy, lines) = proxy_to(authority.address()).unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    cli.set("HTTPS_PROXY", &format!("http://user0:made-up-secret@{proxy}"));
    assert_eq!(cli.redeem(&authority, &[]).unwrap().answer().unwrap()["token"], new_access_token(0).as_str());
    let asked = format!("CONNECT {} HTTP/1.1", authority.host());
    assert!(lines.try_iter().all(|line| line == asked));
}

#[test]
fn an_error_behind_a_proxy_names_its_variable() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    cli.set("all_proxy", "127.0.0.1:9");
    let run = cli.run(&["doctor", "--authority", &authority.host()]).unwrap();
    assert!(run.stdout.contains("through the proxy http://127.0.0.1:9, which all_proxy names"), "{run:?}");
}
