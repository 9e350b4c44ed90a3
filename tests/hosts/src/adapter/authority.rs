//! Authorities that fail.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use serde_json::json;
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::sign_in::{Home, expired};
use token_endpoint::sign_in::token_reply;
use token_endpoint::{Received, Reply};

use super::Check;
use super::call::{Answer, Cli};
use crate::scenario::is_written_back;

/// How often the adapter sends a request that fails with a retryable error.
const TRIES: usize = 4;

pub(super) const CHECKS: &[Check] = &[
    ("an authority that does not answer, refuses or breaks off is unreachable", unreachable),
    ("a reply that is too large is not taken", too_large),
    ("a redirect is not followed", redirect),
    ("a pause that the authority asks for is kept", retry_after),
    ("a pause that is too long is not", long_retry_after),
];

fn unreachable(cli: &Cli) -> Result<()> {
    let cases: [fn(&Cli) -> Result<()>; 4] = [no_answer, hang_up, refused, broken_off];
    std::thread::scope(|scope| {
        let cases = cases.map(|case| scope.spawn(move || case(cli)));
        cases.into_iter().try_for_each(|case| case.join().map_err(|_| anyhow!("a panic"))?)
    })
}

fn no_answer(cli: &Cli) -> Result<()> {
    let slow = |_: &Received| Reply::json(200, token_reply(0)).after(Duration::from_secs(30));
    let (answer, requests) = ask(cli, slow)?;
    answer.is_error("unreachable", None, &["localhost:", "did not answer within 1 s"])?;
    ensure!(requests == TRIES, "{requests} requests");
    Ok(())
}

fn hang_up(cli: &Cli) -> Result<()> {
    let (answer, requests) = ask(cli, |_| Reply::hang_up())?;
    answer.is_error("unreachable", None, &["localhost:"])?;
    answer.logs("the token request is repeated in 2000 ms")?;
    ensure!(requests == TRIES, "{requests} requests");
    Ok(())
}

fn refused(cli: &Cli) -> Result<()> {
    // A closed port.
    let authority = format!("localhost:{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
    let home = Home::with(Some(&expired()?))?;
    let answer = cli.call(&home, &authority).make()?;
    answer.is_error("unreachable", None, &[&authority, "refuses the connection"])
}

fn broken_off(cli: &Cli) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let authority = format!("localhost:{}", listener.local_addr()?.port());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten().take(TRIES) {
            let mut request = [0; 64 << 10];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"access_token\"");
        }
    });
    let home = Home::with(Some(&expired()?))?;
    let answer = cli.call(&home, &authority).make()?;
    answer.is_error("unreachable", None, &[&authority])
}

fn too_large(cli: &Cli) -> Result<()> {
    for chunks in [None, Some(20)] {
        let body = vec![b' '; if chunks.is_some() { 1 << 10 } else { 20 << 10 }];
        let (answer, requests) = ask(cli, move |_| {
            let reply = Reply::bytes(200, "application/json", body.clone());
            chunks.map_or(reply.clone(), |times| reply.in_chunks(times))
        })?;
        let parts = ["more than 16 KiB", "SHARED_TOKEN_CACHE_RESPONSE_KIB"];
        answer.is_error("client-authentication", Some("unexpected-response"), &parts)?;
        ensure!(requests == 1, "{requests} requests");
    }
    Ok(())
}

fn redirect(cli: &Cli) -> Result<()> {
    let target = Authority::start(Scheme::Http)?;
    let location = format!("http://{}/organizations/oauth2/v2.0/token", target.name());
    let (answer, requests) = ask(cli, move |_| Reply::json(307, json!({})).header("location", &location))?;
    answer.is_error("unreachable", None, &["status 307"])?;
    ensure!(requests == 1 && target.requests().is_empty(), "the redirect was followed");
    Ok(())
}

fn retry_after(cli: &Cli) -> Result<()> {
    let mut first = true;
    let home = Home::with(Some(&expired()?))?;
    let authority = Authority::answering(Scheme::Http, move |_| {
        if std::mem::take(&mut first) {
            return Reply::json(429, json!({ "error": "throttled" })).header("retry-after", "3");
        }
        Reply::json(200, token_reply(0))
    })?;
    let started = Instant::now();
    cli.call(&home, &authority.name()).make()?.is_new_token()?;
    ensure!(started.elapsed() >= Duration::from_secs(3), "it did not wait");
    ensure!(authority.requests().len() == 2, "{} requests", authority.requests().len());
    is_written_back(&home)
}

fn long_retry_after(cli: &Cli) -> Result<()> {
    let (answer, requests) = ask(cli, |_| Reply::json(503, json!({ "error": "busy" })).header("retry-after", "600"))?;
    answer.is_error("unreachable", None, &["status 503"])?;
    ensure!(requests == 1, "{requests} requests");
    Ok(())
}

/// Calls with an authority that issues no token; returns the outcome and the number of requests.
fn ask(cli: &Cli, respond: impl FnMut(&Received) -> Reply + Send + 'static) -> Result<(Answer, usize)> {
    let (before, authority) = (expired()?, Authority::answering(Scheme::Http, respond)?);
    let home = Home::with(Some(&before))?;
    let call = cli.call(&home, &authority.name());
    let limits = [("SHARED_TOKEN_CACHE_REQUEST_SECONDS", "1"), ("SHARED_TOKEN_CACHE_RESPONSE_KIB", "16")];
    let answer = limits.into_iter().fold(call, |call, (name, value)| call.set(name, value)).make()?;
    ensure!(home.text()? == before, "the cache has changed");
    ensure!(home.beside()?.is_empty(), "something lies beside the cache");
    Ok((answer, authority.requests().len()))
}
