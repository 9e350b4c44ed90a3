//! The command `shared-token-cache`.

mod agent;
mod commands;

fn main() -> std::process::ExitCode {
    commands::main()
}
