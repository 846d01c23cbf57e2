//! Input made to hurt: no panic, no broken promise, whatever the bytes are.

use fly_toml::{Options, check_bytes};
use proptest::prelude::*;

use crate::corpus::cases;
use crate::flyctl::{Chance, mutate};

#[path = "../../fuzz/targets.rs"]
mod targets;

/// Pieces that make texts which are almost TOML, and almost a fly.toml.
const PIECES: &[&str] = &[
    "\n",
    " ",
    "=",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    ",",
    ".",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "#",
    "\\",
    "\r\n",
    "\t",
    "app",
    "env",
    "http_service",
    "services",
    "ports",
    "port",
    "checks",
    "mounts",
    "vm",
    "processes",
    "experimental",
    "= 1",
    "= \"x\"",
    "= []",
    "= {}",
    "= true",
    "= 1.5",
    "= inf",
    "= 1979-05-27",
    "interval",
    "headers",
    "memory",
    "\u{feff}",
    "\u{0}",
    "é",
    "\u{2028}",
    "<<<<<<<",
    "=======",
    ">>>>>>>",
    "App",
    "VM",
    "kill_timeout",
    "concurrency",
    "= \"20,25\"",
    "[services]",
    "[[services]]",
    "[http_service]",
    "[env]",
    "[[services.ports]]",
    "metrics_port",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn almost_toml(picks in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = picks.into_iter().map(|pick| PIECES[pick]).collect();
        targets::parse(text.as_bytes());
        targets::convert(text.as_bytes());
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        targets::parse(&bytes);
    }

    #[test]
    fn edits_anywhere(
        path in "[a-z\\[\\]0-9.\"]{1,12}|http_service\\.[a-z]{1,3}|services\\[[0-2]\\]\\.[a-z]|env\\.[A-Z]",
        value in "[0-9]{1,3}|\"[a-z \\\\\"]{0,4}\"|\\{[a-z=1, ]{0,8}\\}|\\[[0-9, ]{0,6}\\]",
        picks in proptest::collection::vec(0..PIECES.len(), 0..30),
    ) {
        let file: String = picks.into_iter().map(|pick| PIECES[pick]).collect();
        targets::edit(format!("{path}\n{value}\n{file}").as_bytes());
    }
}

#[test]
fn mutated_real_files() {
    let files = cases();
    for case in 0..400 {
        let mut chance = Chance(case * 7919 + 1);
        let (_, bytes) = &files[chance.below(files.len())];
        let text = mutate(&String::from_utf8_lossy(bytes), &mut chance);
        targets::parse(text.as_bytes());
        if case % 4 == 0 {
            targets::convert(text.as_bytes());
            targets::edit(format!("http_service.checks[0].path\n'/x'\n{text}").as_bytes());
        }
    }
}

/// Sizes that grow tenfold must not cost more than some multiple of ten: counted in diagnostics and by finishing at all.
/// Times are the benchmark's.
#[test]
fn repetition_ends() {
    for piece in [
        "[",
        "{a=",
        "a.",
        "=\n",
        "\"",
        "<<<<<<< a\n",
        "a = 1\n",
        "[a]\nb = 1\n",
        "[[services]]\n",
        "]}{[=,.\"'#\n",
        "[[a]]\n",
        "a = [[",
        "[a.b.c]\n",
        "App = 1\n",
        "'''",
        "# \u{7f}\n",
    ] {
        let text = piece.repeat(20_000);
        let report = check_bytes(text.as_bytes(), &Options::default());
        assert!(report.diagnostics.len() <= 500, "{piece:?}");
        assert_eq!(report.document.text(), text);
    }
}
