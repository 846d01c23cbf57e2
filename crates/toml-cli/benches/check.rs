//! Speed of `fly-toml check` over the corpus, beside `taplo check` where that is installed, in one run. Prints figures and
//! judges nothing.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark prints figures and may panic"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs; the best counts.
const RUNS: usize = 5;

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fly-toml/tests/corpus");
    let mut files: Vec<PathBuf> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "toml"))
        .collect();
    files.sort();
    let texts: Vec<String> =
        files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    println!("{} files, best of {RUNS}", files.len());
    report("library, one thread, lints included", files.len(), || {
        for text in &texts {
            std::hint::black_box(fly_toml::check(text));
        }
    });
    let megabyte =
        "[[services]]\ninternal_port = 8080\n[[services.ports]]\nport = 443\n".repeat(17_000);
    let start = Instant::now();
    std::hint::black_box(fly_toml::check(&megabyte));
    println!("a file of {} bytes: {:.0} ms", megabyte.len(), start.elapsed().as_secs_f64() * 1e3);
    report("fly-toml check, one process", files.len(), || {
        run(Path::new(env!("CARGO_BIN_EXE_fly-toml")), &["check", "--format", "github"], &files);
    });
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/fly-toml.schema.json");
    let schema = format!("file://{}", schema.canonicalize().unwrap().display());
    if spawn(Path::new("taplo"), &["--version"], &[]).is_ok() {
        report("taplo check with our schema, one process", files.len(), || {
            run(Path::new("taplo"), &["check", "--schema", &schema], &files);
        });
    } else {
        println!("taplo is not installed: `cargo install taplo-cli --locked` to compare");
    }
}

fn report(name: &str, files: usize, mut run: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{name}: {:.0} files/s", files as f64 / best);
}

fn run(program: &Path, args: &[&str], files: &[PathBuf]) {
    // Findings are expected; only a program that cannot run is not.
    spawn(program, args, files).unwrap();
}

fn spawn(program: &Path, args: &[&str], files: &[PathBuf]) -> std::io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark of programs")]
    let mut command = Command::new(program);
    command.args(args).args(files).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().map(drop)
}
