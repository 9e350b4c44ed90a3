//! The Model Context Protocol on a program's standard input and output: a line of JSON for each message.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use shared_token_cache_interop::process::Running;
use tempfile::NamedTempFile;

const LIMIT: Duration = Duration::from_secs(30);

/// A running server. It does not end when its input ends, so it is killed by its process id.
pub(super) struct Session {
    server: Running,
    input: ChildStdin,
    messages: Receiver<Value>,
    log: NamedTempFile,
    last: u64,
}

impl Session {
    /// Starts `wassette run`, without the tools with which a model could load components and grant permissions.
    pub(super) fn start(wassette: &mut Command) -> Result<Self> {
        let log = NamedTempFile::new()?;
        let command = wassette.args(["run", "--disable-builtin-tools"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log.reopen()?);
        let mut server = Running(command.spawn().context("wassette can't be started")?);
        let input = server.0.stdin.take().context("no standard input")?;
        let messages = messages(server.0.stdout.take().context("no standard output")?);
        let mut session = Self { server, input, messages, log, last: 0 };
        let client = json!({ "name": "shared-token-cache-hosts", "version": env!("CARGO_PKG_VERSION") });
        session.request(
            "initialize",
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client }),
        )?;
        session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        session.wait_until_loaded()?;
        Ok(session)
    }

    /// The names of the tools that are offered.
    pub(super) fn tools(&mut self) -> Result<Vec<String>> {
        let listed = self.request("tools/list", json!({}))?;
        let tools = listed.get("tools").and_then(Value::as_array).context("no list of tools")?;
        Ok(tools.iter().filter_map(|tool| tool.get("name").and_then(Value::as_str).map(str::to_owned)).collect())
    }

    /// The result of a tool.
    pub(super) fn call(&mut self, tool: &str, arguments: Value) -> Result<Value> {
        ensure!(self.tools()?.iter().any(|offered| offered == tool), "there is no tool {tool}");
        let answer = self.request("tools/call", json!({ "name": tool, "arguments": arguments }))?;
        let result = answer.pointer("/structuredContent/result").cloned();
        result.with_context(|| format!("the tool failed: {answer}"))
    }

    /// Ends the server, and returns its log.
    pub(super) fn end(self) -> Result<String> {
        let Self { server, log, .. } = self;
        drop(server);
        text(&log)
    }

    /// Waits until Wassette has loaded the component, which it does in the background. Before that,
    /// it may offer no tool, and grants a component no permission. The log line is the reliable
    /// sign: the notification is not sent if no request came before.
    fn wait_until_loaded(&self) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        while !text(&self.log)?.contains("component loading completed") {
            ensure!(Instant::now() < deadline, "the component was not loaded: {}", text(&self.log)?);
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn request(&mut self, method: &str, params: Value) -> Result<Value> {
        self.last += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.last, "method": method, "params": params }))?;
        let deadline = Instant::now() + LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut message = self.messages.recv_timeout(left).with_context(|| format!("no answer to {method}"))?;
            // Notifications arrive between responses.
            if message.get("id").and_then(Value::as_u64) != Some(self.last) {
                continue;
            }
            match message.get_mut("result") {
                Some(result) => return Ok(result.take()),
                None => bail!("{method} failed: {message}"),
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        writeln!(self.input, "{message}").context("wassette does not take a message")
    }
}

fn text(log: &NamedTempFile) -> Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(log.path())?).into_owned())
}

/// The messages that come, until the server ends.
fn messages(output: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if serde_json::from_str(&line).is_ok_and(|message| sender.send(message).is_err()) {
                return;
            }
        }
    });
    receiver
}
