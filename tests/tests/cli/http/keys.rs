//! Keys: their files, and their revocation.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use shared_token_cache_tests::sign_in::{LOCAL, VAULT, access_token};

use super::super::serve::agent::{Agent, policy};
use super::endpoint::{Endpoint, QUERY, socket, talk};
use super::signed_in;

#[test]
fn a_removed_or_replaced_key_file_revokes_its_key_at_once_and_no_other() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault", "other=vault", "third=vault"], &[]);
    let keys = ["app", "other", "third"].map(|client| endpoint.key(client));
    let folder = cli.home().join("keys");
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);
    for client in ["app", "other", "third"] {
        assert_eq!(fs::metadata(folder.join(format!("{client}.key"))).unwrap().mode() & 0o7777, 0o600);
    }
    assert!(keys.iter().all(|key| endpoint.ask(key, QUERY).status == 200));
    fs::remove_file(folder.join("app.key")).unwrap();
    // A new file with the same content counts as a replacement.
    let copy = cli.write("copy", &keys[1]).unwrap();
    fs::rename(copy, folder.join("other.key")).unwrap();
    for (key, status) in keys.iter().zip([401, 401, 200]) {
        assert_eq!(endpoint.ask(key, QUERY).status, status);
    }
    let revoked = endpoint.azd(&keys[0], &format!("{{\"scopes\":[\"{VAULT}\"]}}"));
    assert!(revoked["message"].as_str().unwrap().contains("revoked"), "{revoked}");
    endpoint.until_audited([("reason", "revoked-key"), ("outcome", "refused"), ("operation", "http.app-service")]);
    let said = endpoint.agent.end();
    assert_eq!(said.matches("the key of the client app is revoked").count(), 1, "{said}");
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["other.key"], "the agent removes its own file, and no other");
}

#[test]
fn an_agent_that_cannot_start_revokes_no_key_of_another_one() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &[]);
    let key = endpoint.key("app");
    cli.write("keys/foreign.key", "-----BEGIN PRIVATE KEY-----").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let _listener = std::net::TcpListener::bind(&taken).unwrap();
    let start = ["serve", "--policy", "policy.toml", "--http", "127.0.0.1:0", "--http-keys", "keys"];
    for more in [["--metrics", taken.as_str()], ["--http-client", "foreign=vault"], ["--sds", "unix:/proc/no/such"]] {
        let run = cli.run(&[&start[..], &["--http-client", "app=vault"], &more].concat()).unwrap();
        assert_eq!(run.code, Some(2), "{run:?}");
        assert_eq!(endpoint.ask(&key, QUERY).status, 200, "{more:?}");
    }
}

#[test]
fn a_key_file_that_is_overwritten_revokes_its_key() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &[]);
    let key = endpoint.key("app");
    assert_eq!(endpoint.ask(&key, QUERY).status, 200);
    fs::write(cli.home().join("keys/app.key"), "").unwrap();
    assert_eq!(endpoint.ask(&key, QUERY).status, 401);
}

#[test]
fn a_new_agent_has_new_keys_and_the_old_ones_open_nothing() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &[]);
    let old = endpoint.key("app");
    // A killed agent leaves its key file behind.
    endpoint.agent.signal("KILL");
    endpoint.agent.wait();
    assert!(cli.home().join("keys/app.key").exists());
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &[]);
    assert_ne!(endpoint.key("app"), old);
    assert_eq!(endpoint.ask(&old, QUERY).status, 401);
    assert_eq!(endpoint.ask(&endpoint.key("app"), QUERY).status, 200);
}

#[test]
fn a_key_in_the_path_serves_terraform_where_it_is_allowed() {
    let cli = signed_in();
    let endpoint =
        Endpoint::start(&cli, &policy(LOCAL), &["tf=vault"], &["--http-key-in-path", "--print-env", "docker"]);
    let key = endpoint.key("tf");
    let printed = endpoint.agent.printed();
    let url = printed.lines().find_map(|line| line.strip_prefix("ARM_MSI_ENDPOINT=")).unwrap();
    let path = url.strip_prefix(&format!("http://{}", endpoint.address)).unwrap();
    assert!(printed.contains("ARM_USE_MSI=true\n") && path.contains(&key), "{printed}");
    for version in ["2019-08-01", "2018-02-01"] {
        let query = QUERY.replace("2019-08-01", version);
        let request = format!("GET {path}?{query} HTTP/1.1\r\nhost: {}\r\nmetadata: true\r\n\r\n", endpoint.address);
        assert_eq!(endpoint.send(&request).json()["access_token"], access_token(0, VAULT));
        let request = request.replace(&key, &key.replace(&key[..1], "x"));
        assert_eq!(endpoint.send(&request).status, 401);
    }
    let audit = cli.read("a.jsonl").unwrap();
    assert!(!endpoint.agent.end().contains(&key) && !audit.contains(&key));
}

#[test]
fn a_socket_serves_its_own_user() {
    let cli = signed_in();
    let arguments = ["--http", "unix:run/http.sock", "--http-keys", "keys", "--http-client", "app=vault"];
    let agent = Agent::start(&cli, &policy(LOCAL), &arguments);
    agent.until("the endpoint", || agent.said().contains("the client app may have vault"));
    let path = cli.home().join("run/http.sock");
    assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o777, 0o600);
    let key = cli.read("keys/app.key").unwrap();
    let ask = |host: &str| {
        let request = format!("GET /msi/token?{QUERY} HTTP/1.1\r\nhost: {host}\r\nx-identity-header: {key}\r\n\r\n");
        talk(socket(&cli, "run/http.sock"), &request)
    };
    assert_eq!(ask("127.0.0.1:4000").json()["access_token"], access_token(0, VAULT));
    assert_eq!(ask("evil.example").status, 403);
    agent.end();
    assert!(!path.exists());
}
