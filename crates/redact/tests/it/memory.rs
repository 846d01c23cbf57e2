//! Whatever comes in, 64 MiB are enough. Measured in a process of its own: the highest resident set is counted by the kernel per process.

#![expect(clippy::print_stdout, reason = "the figures are shown when the test fails")]

use std::io::{self, Write};

use redact::Format;

use crate::support::{MIXED, noise, redactor};

const CHILD: &str = "FLY_OPS_TEST_REDACT_CHILD";
const LIMIT_KIB: u64 = 64 << 10;

/// Writes pieces until so many bytes are written; returns how much came out.
fn pour(format: Format, start: &str, total: usize, mut piece: impl FnMut(u64) -> String) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let redactor = redactor();
    let mut count = Count(0);
    let mut stream = redactor.stream("x", format, &mut count);
    stream.write_all(start.as_bytes()).unwrap();
    let mut written = start.len();
    let mut number = 0;
    while written < total {
        let mut block = String::new();
        while block.len() < 16 << 10 {
            block.push_str(&piece(number));
            number += 1;
        }
        stream.write_all(block.as_bytes()).unwrap();
        written += block.len();
    }
    stream.finish().unwrap();
    count.0
}

fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A name, and what pours the input.
type Case<'a> = (&'static str, Box<dyn Fn() -> usize + 'a>);

/// What the process of its own does.
fn hostile() {
    let run = "Ab9".repeat(400);
    let cases: [Case<'_>; 7] = [
        (
            "one token without end",
            Box::new(|| pour(Format::Text, "fm2_", 72 << 20, |_| run.clone())),
        ),
        (
            "one line of words",
            Box::new(|| pour(Format::Text, "", 6 << 20, |_| "words and more ".repeat(40))),
        ),
        (
            "a key block without end",
            Box::new(|| {
                pour(Format::Text, "-----BEGIN RSA PRIVATE KEY-----\n", 16 << 20, |_| {
                    format!("{}\n", &run[..64]).repeat(16)
                })
            }),
        ),
        (
            "a string without end",
            Box::new(|| pour(Format::Json, "{\"password\":\"", 16 << 20, |_| "a b c ".repeat(100))),
        ),
        (
            "known values without end",
            Box::new(|| {
                pour(Format::Text, "", 6 << 20, |number| {
                    format!("password={}\n", noise(number + 1, 40, MIXED))
                })
            }),
        ),
        (
            "brackets without end",
            Box::new(|| pour(Format::Json, "{\"env\":", 6 << 20, |_| "[{\"a\":".repeat(100))),
        ),
        (
            "addresses without end",
            Box::new(|| {
                pour(Format::Text, "", 2 << 20, |number| {
                    format!(
                        "84.{}.{}.{} a@b{number}.example\n",
                        number >> 16 & 255,
                        number >> 8 & 255,
                        number & 255
                    )
                })
            }),
        ),
    ];
    for (name, case) in cases {
        let out = case();
        let peak = peak_kib().unwrap_or(0);
        println!("peak {peak} KiB behind: {name}, {out} bytes out");
        assert!(peak < LIMIT_KIB, "{peak} KiB after {name}");
    }
}

#[test]
fn hostile_input_needs_no_more_than_64_mebibytes() {
    #[expect(clippy::disallowed_methods, reason = "tells the process of its own what it is")]
    let child = std::env::var_os(CHILD).is_some();
    if child {
        return hostile();
    }
    if peak_kib().is_none() {
        // Nothing to measure with outside Linux: the inputs are poured all the same.
        return hostile();
    }
    #[expect(clippy::disallowed_methods, reason = "the test measures a process")]
    let out = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "memory::hostile_input_needs_no_more_than_64_mebibytes", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let shown = [out.stdout, out.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(out.status.success() && shown.contains("addresses without end"), "{shown}");
}
