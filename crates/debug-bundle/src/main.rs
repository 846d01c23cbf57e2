//! `fly-debug-bundle`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ops_cli::main(debug_bundle::run)
}
