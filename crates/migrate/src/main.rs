//! The `fly-migrate` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ops_cli::main(migrate::cli::run)
}
