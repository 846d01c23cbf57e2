//! What a person sees, over real files.

use std::fmt::Write as _;

use crate::support::{Folder, corpus};

#[test]
fn real_files() {
    let mut all = String::new();
    // A merge conflict, a duplicate definition, a bare value, a table for a list, a contradiction, old spellings.
    for name in [
        "009-2600hz-oscillator-patchtogether.live.toml",
        "020-abdicodes-full-stack-open-pokedex.toml",
        "044-brendanlong-lion-reader.toml",
        "052-commonknowledge-leftbookclub.toml",
        "132-kelvinn-wheretolive.toml",
        "158-MutinyWallet-blinded-hermes.toml",
    ] {
        let folder = Folder::new(&[("fly.toml", &corpus(name))]);
        // Lints have their own tests; without them this changes when the wording for flyctl's own rules does.
        let ran = folder.run(&["check", "--no-lints"]);
        writeln!(all, "=== {name}: exit {}\n{}{}", ran.code, ran.out, ran.err).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn color_only_where_it_is_wanted() {
    let folder = Folder::new(&[("fly.toml", "app = 1\n")]);
    assert!(!folder.run(&["check"]).out.contains('\u{1b}'));
    assert!(folder.run(&["check", "--color", "always"]).out.contains("\u{1b}[1m"));
}
