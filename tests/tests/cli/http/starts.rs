//! The start of an endpoint: accepted settings, refused settings, and output.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use shared_token_cache_tests::cli::Cli;
use shared_token_cache_tests::sign_in::LOCAL;

use super::super::serve::agent::policy;
use super::endpoint::{Endpoint, QUERY};
use super::signed_in;

/// Runs an agent that ends at once; returns its output.
fn refused(cli: &Cli, arguments: &[&str]) -> String {
    let policy = cli.write("policy.toml", &policy(LOCAL)).unwrap();
    let mut all = vec!["serve", "--policy", &policy];
    all.extend(arguments);
    let run = cli.run(&all).unwrap();
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}: {run:?}");
    run.stderr
}

#[test]
fn an_endpoint_that_the_user_did_not_mean_is_refused_before_anything_is_served() {
    let cli = signed_in();
    fs::create_dir(cli.home().join("open")).unwrap();
    fs::set_permissions(cli.home().join("open"), Permissions::from_mode(0o777)).unwrap();
    cli.write("certificates/server.key", "-----BEGIN PRIVATE KEY-----").unwrap();
    let on_loopback = ["--http", "127.0.0.1:0", "--http-client", "app=vault", "--http-keys", "keys"];
    let with = |more: &[&'static str]| [&on_loopback as &[&str], more].concat();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (arguments, part) in [
        (vec!["--http", "127.0.0.1:0"], "--http-client"),
        (vec!["--http-client", "app=vault", "--token-file", "vault=v"], "--http"),
        (vec!["--http", "127.0.0.1:0", "--http-client", "app=vault"], "name a folder with --http-keys"),
        (vec!["--http", "127.0.0.1:0", "--http-client", "app=mail"], "the policy has no profile mail"),
        (vec!["--http", "127.0.0.1:0", "--http-client", "../app=vault"], "a client's name has"),
        (vec!["--http", "0.0.0.0:0", "--http-client", "app=vault"], "--http-allow-non-loopback"),
        (vec!["--http", "[::]:0", "--http-client", "app=vault"], "--http-allow-non-loopback"),
        (vec!["--http", "example.com:80", "--http-client", "app=vault"], "127.0.0.1:0"),
        (vec!["--http", &taken, "--http-client", "app=vault"], &taken),
        (with(&["--http-client", "App=graph"]), "named twice"),
        (
            with(&["--http-client", "other=graph", "--print-env", "sh"]),
            "--print-env prints the variables of one client",
        ),
        (with(&["--http-tls-cert", "c.pem"]), "--http-tls-key"),
        (with(&["--http-tls-cert", "c.pem", "--http-tls-key", "k.pem"]), "cannot use the certificate c.pem"),
        (with(&["--http-host", "http://x"]), "host.docker.internal"),
        (with(&["--allow-uid", "1"]), "--allow-uid is about Unix sockets"),
        (vec!["--http", "127.0.0.1:0", "--http-client", "app=vault", "--http-keys", "open"], "other users may replace"),
        (
            vec!["--http", "127.0.0.1:0", "--http-client", "server=vault", "--http-keys", "certificates"],
            "is not a client's key",
        ),
    ] {
        let said = refused(&cli, &arguments);
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    assert_eq!(cli.read("certificates/server.key").unwrap(), "-----BEGIN PRIVATE KEY-----");
    assert!(!cli.home().join("open/app.key").exists());
}

#[test]
fn an_address_beyond_loopback_is_served_with_a_warning_under_the_names_that_were_given() {
    let cli = signed_in();
    let arguments = ["--http-host", "host.docker.internal", "--http-allow-non-loopback", "--http", "0.0.0.0:0"];
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &arguments);
    let said = endpoint.agent.said();
    assert!(said.contains("not on loopback") && said.contains("--http-tls-cert"), "{said}");
    let open = said.split("http://0.0.0.0:").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let key = endpoint.key("app");
    for (host, status) in [("host.docker.internal", 200), ("0.0.0.0", 403), ("evil.example", 403), ("192.0.2.1", 403)] {
        let stream = std::net::TcpStream::connect(format!("127.0.0.1:{open}")).unwrap();
        let request =
            format!("GET /msi/token?{QUERY} HTTP/1.1\r\nhost: {host}:{open}\r\nx-identity-header: {key}\r\n\r\n");
        assert_eq!(super::endpoint::talk(stream, &request).status, status, "{host}");
    }
}

#[test]
fn the_variables_of_a_client_are_printed_once_in_each_form() {
    for form in ["sh", "docker", "compose", "devcontainer"] {
        let cli = signed_in();
        let arguments = ["--print-env", form, "--http-host", "host.docker.internal"];
        let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &arguments);
        let (key, printed) = (endpoint.key("app"), endpoint.agent.printed());
        let port = endpoint.address.rsplit(':').next().unwrap();
        let expected = [
            ("IDENTITY_ENDPOINT", format!("http://host.docker.internal:{port}/msi/token")),
            ("IDENTITY_HEADER", key.clone()),
            ("AZD_AUTH_ENDPOINT", format!("http://host.docker.internal:{port}")),
            ("AZD_AUTH_KEY", key.clone()),
            ("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential".to_owned()),
            ("NO_PROXY", "localhost,127.0.0.1,host.docker.internal".to_owned()),
            ("no_proxy", "localhost,127.0.0.1,host.docker.internal".to_owned()),
        ];
        let devcontainer: Value = serde_json::from_str(&printed).unwrap_or_default();
        for (name, value) in expected {
            let found = match form {
                "sh" => printed.contains(&format!("export {name}='{value}'\n")),
                "docker" => printed.lines().any(|line| line == format!("{name}={value}")),
                "compose" => printed.contains(&format!("\n  {name}: \"{value}\"\n")),
                _ => devcontainer["containerEnv"][name] == value.as_str(),
            };
            assert!(found, "{form}: {name}: {printed}");
        }
        assert!(!printed.contains("ARM_MSI_ENDPOINT") && !printed.contains("AZD_AUTH_CERT"), "{printed}");
        assert!(!endpoint.agent.end().contains(&key));
    }
}
