//! An agent whose connections are held by another program.

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use shared_token_cache_tests::cli::SHARED;
use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, SignIn, VAULT, access_token, document};

use super::agent::{Agent, policy};
use super::signed_in;

/// More connections than the agent's limit on open files.
const CONNECTIONS: usize = 300;

#[test]
fn a_sign_out_is_withdrawn_while_hundreds_of_connections_are_held() {
    let cli = signed_in();
    let arguments = ["--token-file", "graph=g", "--sds", "unix:run/s.sock", "--metrics", "127.0.0.1:0"];
    let agent = Agent::start_limited(&cli, &policy(LOCAL), &arguments, 64);
    agent.until_file("g", &access_token(1, GRAPH));
    let (address, socket) = (agent.metrics_address(), cli.home().join("run/s.sock"));
    let mut held: (Vec<TcpStream>, Vec<UnixStream>) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        let mut metrics = TcpStream::connect(&address).unwrap();
        // The agent may have closed it.
        drop(metrics.write_all(b"GET /metrics HTTP/1.1\r\nhost"));
        held.0.push(metrics);
        if let Ok(mut stream) = UnixStream::connect(&socket) {
            drop(stream.write_all(b"PRI * HTTP/2.0"));
            held.1.push(stream);
        }
    }
    assert!(held.1.len() > 100, "{}", held.1.len());
    agent.write(SHARED, &document(&[SignIn::new(0, LOCAL).access_token(VAULT)]));
    let start = Instant::now();
    agent.until_file("g", "");
    assert!(start.elapsed() < Duration::from_secs(2), "withdrawn after {:?}", start.elapsed());
    drop(held);
    agent.until("the metrics", || TcpStream::connect(&address).is_ok());
    let said = agent.end();
    assert!(!said.contains("Too many open files") && said.contains("too many connections"), "{said}");
}

#[test]
fn incomplete_requests_do_not_block_the_metrics() {
    let cli = signed_in();
    let agent = Agent::start(&cli, &policy(LOCAL), &["--token-file", "graph=g", "--metrics", "127.0.0.1:0"]);
    agent.until_file("g", &access_token(1, GRAPH));
    let address = agent.metrics_address();
    let mut held = Vec::new();
    for _ in 0..12 {
        // A client that holds as many connections as it can, and reconnects when they are closed.
        for _ in 0..75 {
            let mut stream = TcpStream::connect(&address).unwrap();
            drop(stream.write_all(b"GET /metrics HTTP/1.1\r\nhost"));
            held.push(stream);
        }
        let start = Instant::now();
        assert!(agent.metrics().ends_with("# EOF\n"));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    drop(held);
    let said = agent.end();
    assert_eq!(said.matches("the metrics have too many connections").count(), 1, "{said}");
}
