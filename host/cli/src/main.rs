//! The command `shared-token-cache`.

mod agent;
mod commands;
mod times;

fn main() -> std::process::ExitCode {
    commands::main()
}
