//! Automation: everything that a person or CI runs besides the binaries themselves.
//!
//! Purpose: one door (`cargo xtask …`) with the same commands for people and CI. It must not hold product logic.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "xtask talks to the person who runs it"
)]

mod bench;
mod demo;
mod generate;
mod live_check;
mod process;
mod root;
mod shape;
mod simulator;
mod skips;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Automation of the fly-ops workspace")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a simulated sick app on loopback, run the real fly-debug-bundle against it, print verdict and archive
    Demo(demo::Args),
    /// Set up what the tests need, run them all, print what was skipped and what the stages cost
    Test(test::Args),
    /// Check house rules: dependency edges, module sizes, headers, unused dependencies, forbidden words
    Tidy,
    /// Run the benchmarks
    Bench(bench::Args),
    /// Run a suite at full size; CI runs a sample
    Soak(soak::Args),
    /// Compare the live platform's answers with the simulator's, by shape only; read-only, prints its calls first
    LiveCheck(live_check::Args),
    /// Write generated files (reference pages, schemas); with --check only compare
    Gen(generate::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Tidy => tidy::run(),
        Command::Bench(args) => bench::run(&args),
        Command::Soak(args) => soak::run(&args),
        Command::LiveCheck(args) => live_check::run(&args),
        Command::Gen(args) => generate::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
