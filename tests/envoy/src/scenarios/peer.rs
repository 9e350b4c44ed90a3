//! Other users of the machine at the agent's socket.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use shared_token_cache_interop::process::output;

use super::Entry;
use crate::config::VAULT_PROFILE;
use crate::leg::Leg;
use crate::stage::{Stage, open};

pub(super) const SCENARIOS: &[Entry] =
    &[("another user gets nothing at the socket, unless allowed", cannot, is_checked)];

/// On every Debian, the user `daemon`.
const ANOTHER: &str = "1";

const LIMIT: Duration = Duration::from_secs(20);

/// Connects as another user, and prints the number of bytes received after HTTP/2's preface.
const PROBE: &str = r#"
import os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(5)
try:
    peer.connect(sys.argv[2])
    peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    print(len(peer.recv(1000)))
except OSError as error:
    print(type(error).__name__)
"#;

fn cannot(leg: Leg) -> Option<String> {
    if leg != Leg::Sds {
        return Some("it has no socket".to_owned());
    }
    let root = output(Command::new("id").arg("-u"), LIMIT).is_ok_and(|id| id.trim() == "0");
    (!root).then(|| "only root can run a program as another user".to_owned())
}

fn is_checked(stage: &mut Stage<'_>) -> Result<()> {
    // File permissions must not refuse before the agent does.
    open(&stage.place.folder)?;
    stage.start_agent()?;
    let own = probe(stage, "0")?;
    ensure!(is_served(&own), "the agent's own user got {own}");
    open(&stage.place.socket())?;
    let refused = probe(stage, ANOTHER)?;
    ensure!(!is_served(&refused), "another user got {refused} bytes");
    stage.kill_agent()?;
    stage.start_agent_with(&[VAULT_PROFILE], &["--allow-uid", ANOTHER])?;
    let allowed = probe(stage, ANOTHER)?;
    ensure!(is_served(&allowed), "an allowed user got {allowed}");
    Ok(())
}

fn is_served(said: &str) -> bool {
    said.parse::<u32>().is_ok_and(|bytes| bytes > 0)
}

fn probe(stage: &Stage<'_>, user: &str) -> Result<String> {
    let socket = stage.place.socket();
    let said = output(Command::new("python3").args(["-c", PROBE, user]).arg(socket), LIMIT)?;
    Ok(said.trim().to_owned())
}
