//! Redaction speed, the whole pipeline, beside `sed -E` and `rg --replace` with equivalent patterns, in one run on the same seeded bytes.
//! Prints figures and judges nothing.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark prints figures and may panic"
)]

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use redact::{Format, Kind, Options, PseudonymKey, Redactor};

/// Bytes of each kind of input, and how often they are written in one run.
const BLOCK: usize = 8 << 20;
const REPEAT: usize = 4;
/// Runs; the best counts.
const RUNS: usize = 3;

/// What the two competitors look for: the shapes of rules that a person would write down.
const PATTERN: &str = concat!(
    r"(fm1[ra]_|fm2_|fo1_|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_|rk_live_|npm_|tid_|tsec_)[A-Za-z0-9+/=_-]+",
    r"|(AKIA|ASIA)[A-Z0-9]{16}",
    r"|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
    r"|[a-z]+://[^/: ]+:[^@ ]+@",
    r"|([Pp]assword|[Pp]asswd|[Ss]ecret|[Tt]oken|[Aa]pi_?[Kk]ey|PGPASSWORD)[A-Za-z_]*.?.?[:=] ?.?[^ ,&]+",
    r"|[Bb]earer [A-Za-z0-9._~+/=-]+",
    r"|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
);

fn main() {
    let temp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    println!(
        "whole pipeline, one thread, {} MB per run, best of {RUNS}; MB per second of processor time, 1 MB = 10^6 bytes",
        BLOCK * REPEAT / 1_000_000
    );
    println!(
        "{:<28} {:>9} {:>12} {:>9} {:>9} {:>8} {:>8}",
        "input", "redact", "known x6", "sed -E", "rg", "vs sed", "vs rg"
    );
    for (name, format, make) in [
        ("text logs", Format::Text, text_line as fn(&mut Rng, bool) -> String),
        ("ndjson platform logs", Format::Ndjson, ndjson_line),
        ("machine configs, JSON", Format::Json, config),
    ] {
        for hits in [false, true] {
            let block = block(make, hits);
            let file = temp.join(format!("redact-bench-{}-{hits}", name.replace([' ', ','], "-")));
            write_file(&file, &block);
            let plain = best(|| ours(&block, format, false));
            let known = best(|| ours(&block, format, true));
            let sed = tool("sed", &["-E", &format!("s#{PATTERN}#X#g")], &file);
            let rg = tool(
                "rg",
                &["-N", "--passthru", "--no-unicode", "--replace", "X", "-e", PATTERN],
                &file,
            );
            let mb = (BLOCK * REPEAT) as f64 / 1e6;
            let rate = |time: Option<Duration>| {
                time.map_or_else(
                    || "absent".to_owned(),
                    |time| format!("{:.0}", mb / time.as_secs_f64()),
                )
            };
            let ratio = |time: Option<Duration>| {
                time.map_or_else(
                    || "-".to_owned(),
                    |time| format!("{:.1}x", time.as_secs_f64() / plain.as_secs_f64()),
                )
            };
            let label = format!("{name}, {}", if hits { "1 hit/kB" } else { "no hit" });
            println!(
                "{label:<28} {:>9} {:>12} {:>9} {:>9} {:>8} {:>8}",
                rate(Some(plain)),
                rate(Some(known)),
                rate(sed),
                rate(rg),
                ratio(sed),
                ratio(rg)
            );
            let _ = std::fs::remove_file(&file);
        }
    }
    println!(
        "peak resident memory of this process, input block of {} MB included: {}",
        BLOCK / 1_000_000,
        peak()
    );
}

/// One run of ours, in pieces of 64 KiB as a pipe would give them.
fn ours(block: &[u8], format: Format, known: bool) {
    let redactor = Redactor::new(Options::new(PseudonymKey::from_bytes(&[1; 32]))).unwrap();
    if known {
        let mut rng = Rng(99);
        for _ in 0..6 {
            redactor.add_known(Kind::Secret, rng.word(40));
        }
    }
    let mut stream = redactor.stream("bench", format, io::sink());
    for _ in 0..REPEAT {
        for piece in block.chunks(64 << 10) {
            stream.write_all(piece).unwrap();
        }
    }
    std::hint::black_box(stream.finish().unwrap());
}

fn best(mut run: impl FnMut()) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = cpu(false);
            run();
            cpu(false).saturating_sub(start)
        })
        .min()
        .unwrap_or_default()
}

/// Time of a program over the file, or nothing when it is not installed.
#[expect(clippy::disallowed_methods, reason = "a benchmark runs its competitors")]
fn tool(program: &str, args: &[&str], file: &Path) -> Option<Duration> {
    let mut times = Vec::new();
    for _ in 0..2 {
        let start = cpu(true);
        let status = std::process::Command::new(program)
            .args(args)
            .env("LC_ALL", "C")
            .stdin(File::open(file).ok()?)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok()?;
        times.push(cpu(true).saturating_sub(start));
        if !status.success() && status.code() != Some(1) {
            return None;
        }
    }
    times.into_iter().min()
}

fn write_file(path: &PathBuf, block: &[u8]) {
    let mut file = File::create(path).unwrap();
    for _ in 0..REPEAT {
        file.write_all(block).unwrap();
    }
}

/// Processor time of this process, or of the children it has waited for: what other work the machine does is not counted. Zero where
/// there is no procfs.
fn cpu(children: bool) -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<i64> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    let at = if children { 12 } else { 10 };
    let ticks: i64 = fields.iter().skip(at).take(2).sum();
    Duration::from_millis(u64::try_from(ticks).unwrap_or(0) * 10)
}

/// Highest resident set, from the kernel; unknown where there is no procfs.
fn peak() -> String {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            status
                .lines()
                .find(|line| line.starts_with("VmHWM"))
                .map(|line| line[6..].trim().to_owned())
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[(self.next() >> 33) as usize % from.len()]
    }

    fn word(&mut self, length: usize) -> String {
        const SET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(SET[(self.next() >> 33) as usize % SET.len()])).collect()
    }

    fn hex(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(b"0123456789abcdef"[(self.next() >> 33) as usize % 16]))
            .collect()
    }
}

/// Lines up to the block's size; with `hits`, one secret in each kilobyte.
fn block(make: fn(&mut Rng, bool) -> String, hits: bool) -> Vec<u8> {
    let mut rng = Rng(0x5eed);
    let mut out = String::with_capacity(BLOCK + 4096);
    let mut next = 512;
    while out.len() < BLOCK {
        let hit = hits && out.len() >= next;
        if hit {
            next += 1000;
        }
        out.push_str(&make(&mut rng, hit));
    }
    out.truncate(out[..BLOCK].rfind('\n').map_or(BLOCK, |at| at + 1));
    out.into_bytes()
}

fn secret(rng: &mut Rng) -> String {
    match rng.next() % 5 {
        0 => format!("FlyV1 fm2_{}", rng.word(200)),
        1 => format!("postgres://app:{}@db.internal:5432/app", rng.word(20)),
        2 => format!("ghp_{}", rng.word(36)),
        3 => format!("jane.{}@example.com", rng.hex(6)),
        _ => format!("api_key={}", rng.word(32)),
    }
}

fn text_line(rng: &mut Rng, hit: bool) -> String {
    let (a, b, c) = (rng.next() % 24, rng.next() % 60, rng.next() % 1_000_000);
    let tail = if hit {
        secret(rng)
    } else {
        format!("request_id=01J{}-iad", rng.word(23).to_uppercase())
    };
    format!(
        "2026-11-25T{a:02}:{b:02}:17.{c:06}Z app[{}] {} [{}] {} {} {} in {}ms bytes={} {tail}\n",
        rng.hex(14),
        rng.pick(&["iad", "ams", "fra", "syd"]),
        rng.pick(&["info", "warning", "error"]),
        rng.pick(&[
            "GET /users/17/orders",
            "POST /checkout",
            "job finished: mailer",
            "connection pool size 12 waiting 3",
            "cache miss for product page"
        ]),
        rng.pick(&["200", "404", "500", "done"]),
        rng.pick(&["upstream took longer than usual", "ok", "retrying once", "worker 3 of 8"]),
        rng.next() % 900,
        rng.next() % 90_000,
    )
}

fn ndjson_line(rng: &mut Rng, hit: bool) -> String {
    let message = if hit { secret(rng) } else { "health check passed on port 8080".to_owned() };
    format!(
        "{{\"timestamp\":\"2026-11-25T{:02}:10:00.{:09}Z\",\"level\":\"{}\",\"instance\":\"{}\",\"region\":\"{}\",\"message\":\"{} {message}\",\"meta\":{{\"event\":{{\"provider\":\"app\"}},\"http\":{{\"status\":{}}}}}}}\n",
        rng.next() % 24,
        rng.next() % 1_000_000_000,
        rng.pick(&["info", "warn"]),
        rng.hex(14),
        rng.pick(&["iad", "ams"]),
        rng.pick(&["listening on 0.0.0.0:8080", "GET /index.html 200", "worker restarted"]),
        rng.next() % 600,
    )
}

fn config(rng: &mut Rng, hit: bool) -> String {
    let env = if hit {
        format!("\"DATABASE_URL\": \"postgres://u:{}@db/x\",", rng.word(20))
    } else {
        String::new()
    };
    format!(
        "  {{\n    \"id\": \"{}\",\n    \"name\": \"wandering-sun-{}\",\n    \"state\": \"started\",\n    \"region\": \"iad\",\n    \"instance_id\": \"01J{}\",\n    \"config\": {{\n      \"env\": {{ {env}\"PRIMARY_REGION\": \"iad\", \"PORT\": \"8080\", \"FLY_PROCESS_GROUP\": \"app\" }},\n      \"guest\": {{ \"cpu_kind\": \"shared\", \"cpus\": 1, \"memory_mb\": 512 }},\n      \"services\": [ {{ \"protocol\": \"tcp\", \"internal_port\": 8080, \"ports\": [ {{ \"port\": 443, \"handlers\": [\"tls\", \"http\"] }} ] }} ],\n      \"image\": \"registry.fly.io/demo@sha256:{}\"\n    }},\n    \"created_at\": \"2026-11-20T10:00:00Z\"\n  }},\n",
        rng.hex(14),
        rng.next() % 9000,
        rng.word(23).to_uppercase(),
        rng.hex(64),
    )
}
