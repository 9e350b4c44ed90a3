//! Proxies, as the environment names them.

use serde_json::json;
use shared_token_cache_tests::cli::{ANYTHING, Authority, Cli, SHARED};
use shared_token_cache_tests::proxy::proxy_to;
use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, PUBLIC, SignIn, document, new_access_token, token_reply};

#[test]
fn a_request_goes_through_the_proxy_of_the_environment() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let (proxy, lines) = proxy_to(authority.address()).unwrap();
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let mut cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC)])).unwrap();
        cli.set(name, &format!("http://{proxy}"));
        // The authority is the default one, which no request of a test could reach otherwise.
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
    // By its name, so that it is looked up; the command's own policy names no address.
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
    assert!(error["remedy"].as_str().unwrap().contains("`network.addresses`"), "{error}");
    assert_eq!(authority.requests().len(), 1);
}

#[test]
fn no_proxy_names_hosts_that_are_asked_directly() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    // Nobody listens there.
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
    // That the password is not in it, every run checks.
    let error = cli.redeem(&authority, &[]).unwrap().error(6).unwrap();
    assert_eq!(error["kind"], "unreachable");
}
