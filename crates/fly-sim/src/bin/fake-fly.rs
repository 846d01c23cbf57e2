//! `fake-fly`: a stand-in for the `fly` executable that prints recorded output only.

use std::path::PathBuf;
use std::process::ExitCode;

use fly_sim::fake;

fn main() -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "it stands in for a program that people configure by environment"
    )]
    let directory = std::env::var_os(fake::RECORDINGS_VARIABLE)
        .map_or_else(fake::default_directory, PathBuf::from);
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    match fake::run(&args, &directory, &mut out, &mut err) {
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::from(fake::NOT_RECORDED),
    }
}
