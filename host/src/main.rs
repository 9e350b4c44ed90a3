//! The command `shared-token-cache`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
