//! Load on `serve --http`: cached tokens for a minute, by wrk. The figures are printed; nothing asserts on time.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::world::World;
use super::{Checks, show};
use crate::python::is_in_path;
use crate::run::{output, root};

/// A client may ask 10 times per second, and 100 times at once.
const CLIENTS: usize = 1000;

/// How much more memory the agent may have after the load, in KiB. A leak of 100 bytes per request would be 20 MB.
const MORE_MEMORY: u64 = 8 << 10;

pub(super) fn install() -> Result<Checks> {
    for program in ["wrk", "taskset"] {
        if !is_in_path(program) {
            bail!("there is no {program} in PATH (Debian: apt-get install wrk util-linux)");
        }
    }
    Ok(Box::new(|report| {
        let figures = load()?;
        show(&format!("  {figures}"));
        report.add("every request got a token", figures.all_served());
        report.add("the audit has a line for each request", figures.all_audited());
        report.add("memory is flat", figures.is_flat());
        Ok(())
    }))
}

struct Figures {
    requests: u64,
    refused: u64,
    lost: u64,
    microseconds: u64,
    slowest_percent: u64,
    audited: u64,
    /// In KiB: when the agent serves, after a first load, and after the second one.
    memory: [u64; 3],
}

/// The agent on one processor, wrk on another one with 32 connections.
fn load() -> Result<Figures> {
    let world = World::new()?;
    let clients: Vec<_> = (0..CLIENTS).map(|number| format!("client-{number}=vault")).collect();
    let agent = world.serve_clients(&clients, &["--http", "127.0.0.1:0"])?;
    // All threads of the agent.
    output(world.command(Path::new("taskset")).args(["-a", "-c", "-p", "0", &agent.id().to_string()]))?;
    let mut keys = String::new();
    for number in 0..CLIENTS {
        writeln!(keys, "{}", fs::read_to_string(world.path(&format!("home/keys/client-{number}.key")))?)?;
    }
    let keys = world.write("keys.txt", &keys)?;
    let log = fs::read_to_string(world.path("agent.log"))?;
    let address = log.split_once("127.0.0.1:").and_then(|(_, rest)| rest.lines().next()).context("no address")?;
    let wrk = |duration: &str| {
        let mut command = world.command(Path::new("taskset"));
        command
            .args(["-c", "1", "wrk", "-t1", "-c32", "-d", duration, "-s"])
            .arg(root().join("tests/clients/load.lua"));
        output(command.arg(format!("http://127.0.0.1:{}", address.trim())).env("KEYS", &keys))
    };
    let started = agent.memory()?;
    wrk("10s")?;
    let (warm, before) = (agent.memory()?, world.audit()?.len());
    let printed = wrk("60s")?;
    let after = agent.memory()?;
    let line = printed.lines().find_map(|line| line.strip_prefix("result ")).with_context(|| printed.clone())?;
    let numbers: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [requests, refused, lost, microseconds, slowest_percent] = *numbers.as_slice() else { bail!("{line}") };
    let audited = u64::try_from(world.audit()?.len() - before)?;
    Ok(Figures { requests, refused, lost, microseconds, slowest_percent, audited, memory: [started, warm, after] })
}

impl Figures {
    fn all_served(&self) -> Result<()> {
        match (self.requests, self.refused, self.lost) {
            (0, _, _) => bail!("there was no request"),
            (_, 0, 0) => Ok(()),
            (_, refused, lost) => bail!("{refused} were refused and {lost} were lost"),
        }
    }

    /// wrk leaves up to 32 requests behind at its end.
    fn all_audited(&self) -> Result<()> {
        match self.audited.checked_sub(self.requests) {
            Some(0..=32) => Ok(()),
            _ => bail!("{} requests have {} lines", self.requests, self.audited),
        }
    }

    fn is_flat(&self) -> Result<()> {
        let [_, before, after] = self.memory;
        if after > before + MORE_MEMORY {
            bail!("it grew from {before} KiB to {after} KiB");
        }
        Ok(())
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, text: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [started, before, after] = self.memory;
        let each_second = self.requests * 1_000_000 / self.microseconds.max(1);
        write!(
            text,
            "{} requests, {each_second} per second; 99% within {} ms; memory {started} KiB, {before} KiB after a first load, {after} KiB",
            self.requests,
            self.slowest_percent / 1000
        )
    }
}
