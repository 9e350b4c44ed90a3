//! The command line: every flag, every environment variable, every exit code.

// On Windows the tools' caches are encrypted, which this version can't open.
#![cfg(unix)]

mod accounts;
mod agent_session;
mod audit;
mod caches;
mod certificates;
mod core_dumps;
mod doctor;
mod errors;
mod escaped;
mod helpers;
mod http;
mod places;
mod planted;
mod policy;
mod policy_command;
mod printed;
mod proxy;
mod record;
mod refresh;
mod run;
mod selection;
mod serve;
mod shim;
mod sources;
mod tenants;
mod tools;
mod usage;
