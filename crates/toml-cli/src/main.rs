//! The binary `fly-toml`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ops_cli::main(toml_cli::run)
}
