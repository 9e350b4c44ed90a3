//! The command `shared-token-cache`.

mod cli;
mod server;

fn main() -> std::process::ExitCode {
    cli::main()
}
