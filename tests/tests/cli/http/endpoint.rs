//! An agent's HTTP endpoint, and raw requests to it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;
use shared_token_cache_tests::cli::Cli;

use super::super::serve::agent::Agent;

/// The query of App Service for Key Vault.
pub(crate) const QUERY: &str = "api-version=2019-08-01&resource=https://vault.azure.net";

/// An agent with its endpoint at a port of its own.
pub(crate) struct Endpoint<'a> {
    pub(crate) agent: Agent<'a>,
    pub(crate) address: String,
    cli: &'a Cli,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl<'a> Endpoint<'a> {
    /// Starts an agent with these clients.
    pub(crate) fn start(cli: &'a Cli, policy: &str, clients: &[&str], more: &[&str]) -> Self {
        let mut arguments = vec!["--http", "127.0.0.1:0", "--http-keys", "keys", "--audit", "a.jsonl"];
        clients.iter().for_each(|client| arguments.extend(["--http-client", client]));
        arguments.extend(more);
        Self::of(cli, Agent::start(cli, policy, &arguments))
    }

    /// The agent's endpoint.
    pub(crate) fn of(cli: &'a Cli, agent: Agent<'a>) -> Self {
        let mark = "the HTTP endpoint is at http";
        agent.until("the address", || agent.said().contains("may have"));
        let said = agent.said();
        let address = said.split_once(mark).and_then(|(_, rest)| rest.split_once("://")).map(|(_, rest)| rest);
        let address = address.and_then(|rest| rest.lines().next()).unwrap_or_default().trim().to_owned();
        Self { agent, address, cli }
    }

    /// The key of a client.
    pub(crate) fn key(&self, client: &str) -> String {
        self.cli.read(&format!("keys/{client}.key")).unwrap()
    }

    /// A token request with a key and these header lines.
    pub(crate) fn ask(&self, key: &str, query: &str) -> Answer {
        self.send(&format!(
            "GET /msi/token?{query} HTTP/1.1\r\nhost: {}\r\nx-identity-header: {key}\r\n\r\n",
            self.address
        ))
    }

    /// A request as azd sends it.
    pub(crate) fn azd(&self, key: &str, body: &str) -> Value {
        let (address, length) = (&self.address, body.len());
        let answer = self.send(&format!(
            "POST /token?api-version=2023-07-12-preview HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub(crate) fn send(&self, request: &str) -> Answer {
        talk(TcpStream::connect(&self.address).unwrap(), request)
    }

    /// The audit's lines about requests.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let lines = self.cli.read("a.jsonl").unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["operation"].as_str().unwrap().starts_with("http")).collect()
    }

    /// Polls for a line of the audit with these values.
    pub(crate) fn until_audited(&self, expected: [(&str, &str); 3]) {
        let fits = |line: &Value| expected.iter().all(|(field, value)| line[*field] == *value);
        self.agent.until(&format!("{expected:?}"), || self.audit().iter().any(fits));
    }
}

/// Sends bytes; returns all bytes of the response.
pub(crate) fn talk(mut stream: impl Read + Write, request: &str) -> Answer {
    // The agent may close the connection before everything is sent.
    let _ = stream.write_all(request.as_bytes());
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// A connection to a socket.
pub(crate) fn socket(cli: &Cli, path: &str) -> UnixStream {
    let stream = UnixStream::connect(cli.home().join(path)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert!(self.head.contains("content-type: application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
