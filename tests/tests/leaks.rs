//! Searches the program's output on the documents of every case, at the highest log level, for the
//! secrets of the case.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

use std::path::Path;
use std::process::Output;

use shared_token_cache_tests::case::{Case, load_all};
use shared_token_cache_tests::cli::{Authority, Cli, program};
use shared_token_cache_tests::endpoint::in_turn;
use shared_token_cache_tests::proxy::proxy_to;

/// The number of bytes on stdout and on stderr, and of printed tokens.
#[derive(Debug, Default)]
struct Said {
    bytes: usize,
    tokens: usize,
}

/// Runs the three commands that read caches, and returns every secret in their output.
fn play(case: &Case, said: &mut Said) -> Vec<String> {
    let authority = Authority::start(in_turn(case)).unwrap();
    let (proxy, _) = proxy_to(authority.address()).unwrap();
    let mut cli = Cli::new().unwrap();
    for (name, document) in &case.before {
        let path = cli.write(&format!(".IdentityService/{name}"), "").unwrap();
        std::fs::write(path, document).unwrap();
    }
    cli.set("HTTPS_PROXY", &format!("http://{proxy}"));
    cli.set("SHARED_TOKEN_CACHE_LOG", "trace");
    let ca_file = authority.ca_file();
    let mut get_token = vec!["get-token", "--source", "shared", "--ca-file", &ca_file];
    let options = &case.options;
    for (flag, value) in [
        ("--username", &options.username),
        ("--tenant-id", &options.tenant_id),
        ("--client-id", &options.client_id),
        ("--authority", &options.authority),
    ] {
        get_token.extend(value.iter().flat_map(|value| [flag, value.as_str()]));
    }
    let Some(call) = case.calls.first() else { return Vec::new() };
    get_token.extend(call.scopes.iter().flat_map(|scope| ["--scope", scope.as_str()]));
    get_token.extend(call.enable_cae.then_some("--enable-cae"));

    let run = |arguments: &[&str]| cli.command(&program().unwrap()).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let unspoken = case.unspoken();
    let mut problems = Vec::new();
    let Output { stdout, stderr, .. } = run(&get_token);
    said.bytes += stdout.len() + stderr.len();
    problems.extend(unspoken.leaks(&text(&stderr)));
    if let Ok(mut answer) = serde_json::from_slice::<serde_json::Value>(&stdout) {
        // The one permitted secret, an access token, is removed before the search.
        let token = answer.as_object_mut().and_then(|fields| fields.remove("token")).unwrap_or_default();
        if !case.access_tokens().contains(token.as_str().unwrap_or_default()) {
            problems.push(format!("{token} is no access token of the case"));
        }
        said.tokens += 1;
        problems.extend(unspoken.leaks(&answer.to_string()));
    } else {
        problems.extend(unspoken.leaks(&text(&stdout)));
    }
    for arguments in [&["accounts", "--source", "shared"][..], &["doctor", "--source", "shared", "--ca-file", &ca_file]]
    {
        let Output { stdout, stderr, .. } = run(arguments);
        said.bytes += stdout.len() + stderr.len();
        problems.extend(unspoken.leaks(&text(&stdout)));
        problems.extend(unspoken.leaks(&text(&stderr)));
    }
    problems
}

#[test]
fn the_program_prints_no_secret_whatever_is_in_the_cache() {
    let cases = load_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")).unwrap();
    let (mut problems, mut said, mut count) = (Vec::new(), Said::default(), 0);
    for (name, case) in cases {
        let case = case.unwrap();
        let found = play(&case, &mut said);
        problems.extend(found.into_iter().map(|problem| format!("{name}: {problem}")));
        count += 1;
    }
    println!("{count} cases, {} bytes said, {} tokens printed, {} leaks", said.bytes, said.tokens, problems.len());
    assert_eq!(problems, Vec::<String>::new());
    assert!(said.tokens > 20 && said.bytes > 100_000, "{said:?}: too little output to conclude anything");
}
