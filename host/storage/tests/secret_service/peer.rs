//! Other programs on the same keyring: real MSAL and azure-identity for Python, and libsecret,
//! called as .NET and JavaScript call it.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use keyring_session::{Running, Session};
use serde_json::Value;

/// A session with a keyring, and the Python that runs the peers.
pub(crate) struct Peers {
    pub(crate) session: Session,
    python: PathBuf,
}

impl Peers {
    pub(crate) fn new(python: &OsStr) -> io::Result<Self> {
        Ok(Self { session: Session::with_keyring()?, python: python.into() })
    }

    /// Makes MSAL write the sign-ins of `count` users into a document.
    pub(crate) fn sign_in(&self, document: &str, first: u32, count: u32) -> io::Result<()> {
        let (first, count) = (first.to_string(), count.to_string());
        self.run(&["sign-in", "--document", document, "--number", &first, "--count", &count], "").map(drop)
    }

    /// The token that azure-identity finds in a document.
    pub(crate) fn token(&self, document: &str) -> io::Result<Value> {
        self.run(&["token", "--document", document], "")
    }

    /// Stores a document as `dotnet` or `javascript` does.
    pub(crate) fn store_as(&self, writer: &str, document: &str, content: &str) -> io::Result<()> {
        self.run(&["store", "--as", writer, "--document", document], content).map(drop)
    }

    /// The document that `dotnet` or `javascript` finds.
    pub(crate) fn load_as(&self, writer: &str) -> io::Result<Value> {
        self.run(&["load", "--as", writer], "")
    }

    /// Starts a peer that runs until its input ends.
    pub(crate) fn start(&self, arguments: &[&str]) -> io::Result<Peer> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/secret_service/peers.py");
        let mut command = Command::new(&self.python);
        command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = Running(self.session.surround(&mut command).spawn()?);
        match (program.0.stdin.take(), program.0.stdout.take()) {
            (Some(input), Some(output)) => Ok(Peer { program, input, output: BufReader::new(output) }),
            _ => Err(io::Error::other("the peer has no pipes")),
        }
    }

    fn run(&self, arguments: &[&str], input: &str) -> io::Result<Value> {
        let mut peer = self.start(arguments)?;
        peer.input.write_all(input.as_bytes())?;
        peer.end()
    }
}

pub(crate) struct Peer {
    program: Running,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Waits for its next answer.
    pub(crate) fn answer(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Requests another answer.
    pub(crate) fn ask_again(&mut self) -> io::Result<Value> {
        writeln!(self.input)?;
        self.answer()
    }

    /// Ends its input, and returns its last answer.
    fn end(self) -> io::Result<Value> {
        let Self { mut program, input, mut output } = self;
        drop(input);
        let mut answer = String::new();
        output.read_to_string(&mut answer)?;
        let status = program.0.wait()?;
        if !status.success() {
            return Err(io::Error::other(format!("the peer ended with {status}, see its output above")));
        }
        Ok(serde_json::from_str(&answer)?)
    }
}
