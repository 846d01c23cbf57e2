//! Speed of `check`: the real files, and files of 1 MiB made to hurt. Beside it `taplo check` with our schema, where taplo
//! is installed.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark prints figures, may panic and starts another tool to compare with"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use fly_toml::{Options, check_bytes};

const MIB: usize = 1 << 20;
const ROUNDS: u32 = 20;

fn corpus() -> (PathBuf, Vec<Vec<u8>>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    (folder, paths.iter().map(|path| fs::read(path).unwrap()).collect())
}

/// Repeats a piece up to 1 MiB; `{}` in it is replaced by a number.
fn filled(head: &str, piece: &str) -> String {
    let mut text = head.to_owned();
    let mut number = 0;
    while text.len() < MIB {
        text.push_str(&piece.replace("{}", &number.to_string()));
        number += 1;
    }
    text
}

/// The lines of the first half.
fn half(text: &str) -> String {
    let end = text[..MIB / 2].rfind('\n').map_or(0, |at| at + 1);
    text[..end].to_owned()
}

/// Files of 1 MiB, each meant to find something that grows faster than its input.
fn hostile() -> Vec<(&'static str, String)> {
    vec![
        ("comments", filled("", "# a comment of some length, as people write them\n")),
        ("variables", filled("[env]\n", "  VARIABLE_{} = \"value\"\n")),
        ("unknown keys", filled("", "some_unknown_key_{} = 1\n")),
        ("sections", filled("", "[section_{}]\nkey = 1\n")),
        ("process groups", filled("[processes]\n", "group{} = \"run\"\n")),
        (
            "groups that do not exist",
            filled("[processes]\na = \"x\"\n[http_service]\nprocesses = [", "\"group{}\", ")
                + "]\n",
        ),
        (
            "services",
            filled("", "[[services]]\ninternal_port = 8080\n[[services.ports]]\nport = {}\n"),
        ),
        ("mounts", filled("", "[[mounts]]\nsource = \"a{}\"\ndestination = \"/a\"\n")),
        ("checks", filled("", "[checks.c{}]\ntype = \"tcp\"\nport = 80\n")),
        ("vm entries", filled("", "[[vm]]\nmemory = 512\nprocesses = [\"g{}\"]\n")),
        ("duplicate keys", filled("", "key = 1\n")),
        ("duplicate sections", filled("", "[a]\nb = 1\n")),
        ("one long line", filled("app = \"", "x") + "\"\n"),
        ("one long list", filled("a = [", "1, ") + "]\n"),
        ("open brackets", "[".repeat(MIB)),
        ("open values", format!("a = {}", "[".repeat(MIB))),
        ("open braces", format!("a = {}", "{a=".repeat(MIB / 3))),
        ("dots", format!("a{} = 1", ".a".repeat(MIB / 2))),
        ("quotes", "\"".repeat(MIB)),
        ("equal signs", "=\n".repeat(MIB / 2)),
        ("merge markers", "<<<<<<< a\n".repeat(MIB / 10)),
        ("garbage", filled("", "]}{[=,.\"'#\n")),
        ("inline tables", filled("a = [", "{ b = { c = 1 } }, ") + "]\n"),
        ("deep headers", filled("", "[a.b.c.d.e.f{}.g.h]\nx = 1\n")),
        ("other capitals", filled("", "App = 1\n[Env{}]\n")),
        (
            "files beside mounts",
            half(&filled("[env]\n", "DB_{} = \"sqlite:////z/x.db\"\n"))
                + &half(&filled("", "[[mounts]]\nsource = \"a{}\"\ndestination = \"/a{}\"\n")),
        ),
        (
            "services and groups",
            half(&filled("", "[[services]]\nauto_stop_machines = true\nprocesses = [\"g1\"]\n"))
                + "[processes]\n"
                + &half(&filled("", "g{} = \"celery\"\n")),
        ),
    ]
}

/// Processor time of one run: what else the machine does is not counted. Zero where there is no procfs.
fn cost(rounds: u32, mut work: impl FnMut()) -> Duration {
    let start = cpu(false);
    for _ in 0..rounds {
        work();
    }
    cpu(false).saturating_sub(start) / rounds
}

/// Processor time of this process, or of the children that it has waited for.
fn cpu(children: bool) -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
    let fields = fields.skip(if children { 13 } else { 11 });
    let ticks: u64 = fields.take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn main() {
    let (folder, files) = corpus();
    let options = Options::default();
    let bytes: usize = files.iter().map(Vec::len).sum();
    let took = cost(ROUNDS, || {
        for file in &files {
            black_box(check_bytes(file, &options));
        }
    });
    let rate = files.len() as f64 / took.as_secs_f64();
    println!("corpus: {} files, {bytes} bytes in {took:.1?}: {rate:.0} files/s", files.len());
    taplo(&folder, files.len());
    let mut worst = Duration::ZERO;
    let wanted = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for (name, text) in hostile() {
        if wanted.as_ref().is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        let took = cost(5, || {
            black_box(check_bytes(text.as_bytes(), &options));
        });
        worst = worst.max(took);
        println!("1 MiB of {name}: {took:.1?}");
    }
    println!("worst: {worst:.1?}");
}

/// The same files through `taplo check` with our schema, as one process over all of them.
fn taplo(folder: &Path, files: usize) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/fly-toml.schema.json");
    let Ok(schema) = schema.canonicalize() else { return };
    let program = env::var_os("TAPLO_BIN").unwrap_or_else(|| "taplo".into());
    let start = cpu(true);
    let status = Command::new(program)
        .args(["check", "--schema"])
        .arg(format!("file://{}", schema.display()))
        .arg(folder.join("*.toml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if status.is_err() {
        println!("taplo: not installed, no comparison");
        return;
    }
    let took = cpu(true).saturating_sub(start);
    let rate = files as f64 / took.as_secs_f64();
    println!("taplo check: {took:.1?} with its start: {rate:.0} files/s");
}
