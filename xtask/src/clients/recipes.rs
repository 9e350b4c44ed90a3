//! The recipes of docs/containers.md and docs/agents.md: `tests/clients/recipes.py` runs them as they are written there.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::json;

use super::Checks;
use super::cloud::Cloud;
use super::world::{PROFILES, World};
use crate::python;
use crate::run::root;

pub(super) fn install() -> Result<Checks> {
    if !cfg!(target_os = "linux") {
        bail!("the recipes for containers are for Linux");
    }
    let python = python::with_recipes()?;
    Ok(Box::new(move |report| {
        let world = World::new()?;
        let cloud = Cloud::start(&world, &python)?;
        let folder = world.path("recipes");
        std::fs::create_dir_all(&folder)?;
        let tokens: BTreeMap<_, _> = PROFILES.iter().map(|(_, scope)| (scope, world.access_token(scope))).collect();
        let settings = json!({
            "folder": folder, "home": world.path("home"), "policy": world.path("home/policy.toml"),
            "program": world.program().get_program().to_string_lossy(), "tokens": tokens,
            "environment": world.variables(), "cloud": cloud.variables().into_iter().collect::<BTreeMap<_, _>>(),
            "cluster": cloud.cluster(), "certificate": cloud.certificate(),
        });
        let mut command = world.command(&python);
        let mut process = command
            .arg(root().join("tests/clients/recipes.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        process.stdin.take().context("no stdin")?.write_all(settings.to_string().as_bytes())?;
        let output = process.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("ok", what)) => report.add(what, Ok(())),
                Some(("skipped", what)) => report.skip("a recipe", &anyhow!("{what}")),
                _ => report.add("a recipe", Err(anyhow!("{line}"))),
            }
        }
        if !output.status.success() || text.is_empty() {
            bail!("the recipes could not be run: {}", output.status);
        }
        Ok(())
    }))
}
