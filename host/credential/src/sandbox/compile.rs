//! Compiling a component within a deadline.
//!
//! The caps of `inspect` bound the compiler's work; the deadline is the second limit. A compiler in
//! a process of its own is killed at the deadline, and can have a memory limit; a thread cannot be
//! stopped, only abandoned.

use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine::engine;
use super::inspect::{Unfit, inspect};
use crate::error::{Error, LimitExceeded};
use crate::escape::bounded;

/// The argument by which a program is asked to run [`compile_component`].
const ARGUMENT: &str = "compile-component";

/// A component within the caps compiles in some three seconds on one processor.
const DEADLINE: Duration = Duration::from_secs(20);

/// The size limit of a component in the compiling process, in bytes.
const LARGEST_COMPONENT: u64 = 1 << 30;

/// The size limit of a compiled component, in bytes. The compiler makes some 16 MiB of 4 MiB of
/// code.
const LARGEST_OUTPUT: u64 = 256 << 20;

/// The size limit of a compiling process's error text, in bytes.
const LONGEST_REASON: usize = 2 << 10;

/// Compiles a component that `inspect` accepts, in `compiler` if one is given.
pub(super) fn compile(engine: &Engine, component: Vec<u8>, compiler: Option<&Path>) -> Result<Component, Failed> {
    inspect(&component)?;
    match compiler {
        Some(program) => load(engine, &in_process(program, component)?),
        None => in_thread(engine, component),
    }
}

/// The reason why a component cannot be used.
#[derive(Debug)]
pub(super) enum Failed {
    Unfit(Unfit),
    /// The failed operation and its cause.
    Other(String),
}

impl From<Unfit> for Failed {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

/// Reads a component from `input`, compiles it for this machine, and writes the result to `output`.
/// The program of [`crate::Builder::compiler`] calls it. The program gets no secret, and needs no
/// file and no network.
///
/// # Errors
/// [`Error::InvalidArgument`] when the component cannot be used, [`Error::Limit`] when it exceeds a
/// limit.
pub fn compile_component(input: impl Read, mut output: impl io::Write) -> Result<(), Error> {
    let unusable = |why: String| Error::InvalidArgument(bounded(&why, LONGEST_REASON));
    let mut component = Vec::new();
    input
        .take(LARGEST_COMPONENT)
        .read_to_end(&mut component)
        .map_err(|error| unusable(format!("cannot read the component: {error}")))?;
    inspect(&component).map_err(|unfit| match unfit {
        Unfit::Limit(limit) => Error::Limit(limit),
        Unfit::Malformed(why) | Unfit::World(why) => unusable(why),
    })?;
    let compiled = engine()?.precompile_component(&component).map_err(|error| unusable(format!("{error:#}")))?;
    output
        .write_all(&compiled)
        .and_then(|()| output.flush())
        .map_err(|error| unusable(format!("cannot write the compiled component: {error}")))
}

fn in_thread(engine: &Engine, component: Vec<u8>) -> Result<Component, Failed> {
    let (sender, receiver) = mpsc::channel();
    let engine = engine.clone();
    let work = move || drop(sender.send(Component::from_binary(&engine, &component)));
    thread::Builder::new()
        .name("compile-component".into())
        .spawn(work)
        .map_err(|error| failed("start a thread", &error))?;
    match receiver.recv_timeout(DEADLINE) {
        Ok(compiled) => compiled.map_err(|error| Failed::Other(format!("{error:#}"))),
        Err(RecvTimeoutError::Timeout) => Err(too_slow()),
        Err(RecvTimeoutError::Disconnected) => Err(Failed::Other("the compiler panicked".into())),
    }
}

/// Compiles the component in a process that is killed at the deadline.
fn in_process(program: &Path, component: Vec<u8>) -> Result<Vec<u8>, Failed> {
    let mut child = Command::new(program)
        .arg(ARGUMENT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format!("start {} to compile the component", program.display()), &error))?;
    let output = exchange(&mut child, component);
    // The process has ended, or has reached the deadline.
    drop(child.kill());
    let status = child.wait().map_err(|error| failed("wait for the compiler", &error))?;
    let (compiled, reason) = output?;
    if status.success() {
        return Ok(compiled);
    }
    match String::from_utf8_lossy(&reason).trim() {
        "" => Err(Failed::Other(format!("the compiler ended with {status}"))),
        reason => Err(Failed::Other(bounded(reason, LONGEST_REASON))),
    }
}

/// Writes the component to the process's stdin, and reads stdout and stderr.
fn exchange(child: &mut Child, component: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), Failed> {
    let (sender, receiver) = mpsc::channel();
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Failed::Other("the compiler has no pipes".into()));
    };
    thread::spawn(move || drop(stdin.write_all(&component)));
    let reason = thread::spawn(move || read(stderr, LONGEST_REASON as u64));
    thread::spawn(move || {
        let compiled = read(stdout, LARGEST_OUTPUT);
        let reason = reason.join().unwrap_or_else(|_| Ok(Vec::new()));
        drop(sender.send(compiled.and_then(|compiled| Ok((compiled, reason?)))));
    });
    match receiver.recv_timeout(DEADLINE) {
        Ok(output) => output.map_err(|error| failed("read the compiled component", &error)),
        Err(_) => Err(too_slow()),
    }
}

fn read(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[expect(unsafe_code, reason = "the bytes come from a program that the embedder names as its compiler")]
fn load(engine: &Engine, compiled: &[u8]) -> Result<Component, Failed> {
    // SAFETY: `Builder::compiler` requires a program that is as trusted as this one; its input has
    // been inspected here.
    unsafe { Component::deserialize(engine, compiled) }.map_err(|error| Failed::Other(format!("{error:#}")))
}

fn failed(what: &str, error: &io::Error) -> Failed {
    Failed::Other(format!("cannot {what}: {error}"))
}

fn too_slow() -> Failed {
    let why = format!("compiling the component took more than {} s and was stopped", DEADLINE.as_secs());
    Failed::Unfit(Unfit::Limit(LimitExceeded::fixed(&why)))
}
