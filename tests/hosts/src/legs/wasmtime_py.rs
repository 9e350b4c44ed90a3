//! wasmtime for Python: the bare component with imports written in Python, which is the example for Python, and the composed one.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use shared_token_cache_interop::authority::Scheme;
use shared_token_cache_interop::install;
use shared_token_cache_interop::process::{output, run};
use shared_token_cache_interop::root;

use super::{Host, Leg};
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::scene::{Components, Scene};

const LIMIT: Duration = Duration::from_secs(60);

/// The example's own tests take some ten seconds, and longer on a busy machine.
const TESTS_LIMIT: Duration = Duration::from_secs(300);

const VERSION: &str = "
import importlib.metadata, platform
print(f\"wasmtime-py {importlib.metadata.version('wasmtime')} on Python {platform.python_version()}\")
";

/// The example's tests, each with its topic.
const TESTS: &[(&str, &str)] = &[
    ("test_client", "clients of the Azure SDK, a chain, and call_api.py"),
    ("test_component", "threads, limits and exceptions"),
    ("test_cache_file", "the file beside other programs"),
    ("test_https", "destination and content of requests"),
];

/// The bare component; its imports are those of `examples/python`.
pub(crate) struct Bare;

/// The composed component.
pub(crate) struct Composed;

struct Installed {
    python: PathBuf,
    script: &'static str,
    tests: &'static [(&'static str, &'static str)],
    version: String,
}

impl Leg for Bare {
    fn name(&self) -> &'static str {
        "wasmtime-py"
    }

    fn authority(&self) -> Scheme {
        Scheme::Https
    }

    fn cannot(&self, scenario: Scenario) -> Option<&'static str> {
        match scenario {
            Scenario::NoFolder | Scenario::NoHome => {
                Some("the imports in Python look for the file themselves, so there is no grant that could be missing")
            }
            _ => None,
        }
    }

    fn install(&self, _: &Components) -> Result<Box<dyn Host>> {
        Ok(Box::new(Installed::with("bare.py", TESTS)?))
    }
}

impl Leg for Composed {
    fn name(&self) -> &'static str {
        "wasmtime-py composed"
    }

    // wasmtime-py's wasi:http only trusts the CAs that are compiled into it.
    fn authority(&self) -> Scheme {
        Scheme::Http
    }

    fn install(&self, _: &Components) -> Result<Box<dyn Host>> {
        Ok(Box::new(Installed::with("composed.py", &[])?))
    }
}

impl Installed {
    fn with(script: &'static str, tests: &'static [(&'static str, &'static str)]) -> Result<Self> {
        let python = install::python("python", &folder().join("requirements.txt"))?;
        let version = output(Command::new(&python).args(["-c", VERSION]), LIMIT)?.trim().to_owned();
        Ok(Self { python, script, tests, version })
    }

    /// Python with warnings as errors, which writes no bytecode into the source tree.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-B", "-W", "error"]).current_dir(folder());
        command
    }

    fn test(&self, module: &str) -> Result<()> {
        let finished = run(self.command().args(["-m", "unittest", module]), "", TESTS_LIMIT)?;
        let report = finished.stderr.trim();
        if !finished.status.success() {
            bail!("{report}");
        }
        // unittest passes on an empty module as well.
        let count = report.lines().find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse::<u32>().ok());
        ensure!(count.context("no count of tests")? > 0, "no test was run");
        ensure!(!report.contains("skipped"), "tests were skipped: {report}");
        Ok(())
    }
}

impl Host for Installed {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn call(&mut self, scene: &Scene) -> Result<Outcome> {
        let finished = run(self.command().arg(self.script), &serde_json::to_string(scene)?, LIMIT)?;
        if !finished.status.success() {
            bail!("{} failed ({}): {}", self.script, finished.status, finished.stderr.trim());
        }
        Outcome::from_script(&finished.stdout)
    }

    fn extras(&mut self, _: &Components) -> Vec<(&'static str, Result<()>)> {
        self.tests.iter().map(|(module, about)| (*about, self.test(module))).collect()
    }
}

fn folder() -> PathBuf {
    root().join("tests/hosts/python")
}
