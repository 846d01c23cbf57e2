//! How fast an archive is packed, beside the system's own `tar | gzip`, and what several members cost in size.
//!
//! `cargo xtask bench pack`. Figures are printed, nothing is judged. Input: 64 MiB of log lines from a fixed seed.

#![expect(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark runs programs and prints"
)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use debug_bundle::archive::{Entry, FIXED_TIME, Source, pack};

fn main() -> std::io::Result<()> {
    let text = lines(64 << 20);
    let mib = text.len() as f64 / f64::from(1 << 20);
    let directory = tempfile::tempdir()?;
    let place = directory.path().join("platform.ndjson");
    std::fs::File::create(&place)?.write_all(&text)?;
    let entry = Entry {
        path: "logs/platform.ndjson".to_owned(),
        source: Source::File(place.clone()),
        bytes: text.len() as u64,
    };
    let mut sizes = Vec::new();
    for threads in [1, 2, 4] {
        let begin = Instant::now();
        let packed = pack(Vec::new(), "bench", FIXED_TIME, std::slice::from_ref(&entry), threads)?;
        println!(
            "pack, {threads} thread(s): {:6.1} MiB/s, {} bytes",
            mib / begin.elapsed().as_secs_f64(),
            packed.len()
        );
        sizes.push(packed.len());
    }
    let begin = Instant::now();
    let command = format!("tar -cf - -C {} platform.ndjson | gzip -6", directory.path().display());
    let gzip = Command::new("sh").args(["-c", &command]).stdout(Stdio::piped()).output()?;
    println!(
        "tar | gzip -6:      {:6.1} MiB/s, {} bytes",
        mib / begin.elapsed().as_secs_f64(),
        gzip.stdout.len()
    );
    println!("size beside gzip -6: {:.3}", sizes[0] as f64 / gzip.stdout.len() as f64);
    Ok(())
}

/// Lines that look like logs; the same every time.
fn lines(bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 256);
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let paths = ["/", "/healthz", "/api/v1/users", "/assets/app.js", "/orders/recent"];
    while text.len() < bytes {
        let (a, b) = (next(), next());
        let _ = writeln!(
            text,
            r#"{{"timestamp":"2026-11-25T{:02}:{:02}:{:02}.{:03}Z","level":"info","instance":"{:014x}","message":"GET {} 200 {} ms request_id={b:016x}"}}"#,
            a % 24,
            a / 24 % 60,
            a / 1440 % 60,
            a / 86_400 % 1000,
            0x148e_21ea_7e43_u64 + a % 8,
            paths[(b % 5) as usize],
            b % 900,
        );
    }
    text
}
