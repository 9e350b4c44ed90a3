//! The command line of `cargo xtask`.

use clap::{Args, Parser, Subcommand};

/// Builds, tests and publishes this project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Build the command and run its demo: no account, no network, your files stay untouched
    Demo,
    /// Build everything and run all tests, or one of the suites that take longer
    Test {
        #[command(subcommand)]
        suite: Option<Suite>,
    },
    /// Build the component and the programs, or a part
    Build {
        #[command(subcommand)]
        what: Option<Build>,
    },
    /// Write the published files to target/dist
    Dist,
    /// Check format, lints, rustdoc, the contract, and the licences and use of dependencies
    Lint,
    /// Show an example at work
    Try {
        #[command(subcommand)]
        what: Try,
    },
    /// Time calls, tasks, processes and agents, beside azure-identity; writes target/bench
    Bench {
        /// Count instructions instead, and compare with benches/instructions.md
        #[arg(long)]
        instructions: bool,
        /// Keep the result in benches
        #[arg(long)]
        keep: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum Build {
    /// The component, its WIT and its machine code, in host/component/artefacts
    Artefacts,
    /// The component alone; prints its imports, its exports and its size
    Component,
    /// The components of the examples
    Examples,
    /// The components that the tests attack the host with
    Hostile,
}

#[derive(Subcommand)]
pub(crate) enum Suite {
    /// Run the published components on wasmtime, jco, wasmCloud, wasmtime-py and Wassette
    Hosts {
        /// The hosts whose names begin with one of these; all without one
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Run Azure's SDKs, az, azcopy, git and kubectl as clients of the built program
    Clients {
        /// The clients whose names begin with one of these; all without one
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Run the agent and the filter with a real Envoy
    Envoy {
        /// The legs and scenarios whose names begin with one of these; all without one
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Build the example on pingora and test it
    Pingora,
    /// Compare with azure-identity in random situations
    Reference(Situations),
    /// Count what 20 writers of one file lose: ours, MSAL's, and both together
    Contention {
        #[arg(default_value_t = 60)]
        seconds: u64,
    },
    /// Package the crates, and build an embedder and the command from the packages alone
    Packages {
        /// With the component's machine code for all targets
        #[arg(long)]
        all_targets: bool,
    },
    /// Lint the storage and the agent's socket for Windows and macOS, and test the storage under Wine
    Platforms,
    /// Check that `cargo component` builds a component with the same world
    CargoComponent,
    /// Run the fuzz targets
    Fuzz {
        /// How long each target runs
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// With AddressSanitizer
        #[arg(long)]
        address: bool,
        /// The targets to run; all without one
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
    },
}

#[derive(Args)]
pub(crate) struct Situations {
    /// The seed that the situations are made from
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many situations are compared
    #[arg(long, default_value_t = 3000)]
    pub(crate) count: u64,
    /// Only the situation of this number
    #[arg(long, conflicts_with = "count")]
    pub(crate) index: Option<u64>,
}

#[derive(Subcommand)]
pub(crate) enum Try {
    /// An example for Envoy: sds, file-sds or dynamic-module
    Envoy { example: String },
    /// A program in a sandbox without home and network, which reads a blob with a token of the broker
    Broker,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Options;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn an_unknown_suite_is_refused() {
        assert!(Options::try_parse_from(["xtask", "test", "wormholes"]).is_err());
        assert!(Options::try_parse_from(["xtask", "test", "fuzz", "--seconds", "soon"]).is_err());
        assert!(Options::try_parse_from(["xtask", "test", "hosts", "wash"]).is_ok());
    }
}
