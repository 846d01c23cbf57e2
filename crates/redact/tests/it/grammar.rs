//! Every rule by examples: what it must find in ten surroundings, what it must leave alone, and that nothing else would do its work.
//!
//! In an example, `«…»` marks the part that must be gone (or, in a negative, must stay), and `{M20}` stands for twenty seeded
//! characters: M letters and digits, B base64, H hex, U upper-case letters and digits, W the base64 of a 32-byte key.

use std::collections::BTreeSet;

use redact::{Format, Identities, Kind, Options, RULES, Redactor};

use crate::grammar_table::TABLE;
use crate::support::{BASE64, MIXED, noise, options};

/// Replaces `{M20}` and the like.
fn expand(pattern: &str, seed: u64) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    let mut part = seed;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known = after.split_once('}').and_then(|(inside, after)| {
            let (set, count) = inside.split_at_checked(1)?;
            let set: &[u8] = match set {
                "M" | "W" => MIXED,
                "B" => BASE64,
                "H" => b"0123456789abcdef",
                "U" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
                _ => return None,
            };
            let count: usize = count.parse().ok()?;
            Some((set, count, inside.starts_with('W'), after))
        });
        let Some((set, count, key, after)) = known else {
            out.push('{');
            rest = after;
            continue;
        };
        part = part.wrapping_mul(31).wrapping_add(17);
        out.push_str(&noise(part, count, set));
        if key {
            out.push_str("0=");
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The text without marks, and the marked part.
fn marked(text: &str) -> (String, Option<String>) {
    let inside = text.split_once('«').and_then(|(_, rest)| rest.split_once('»'));
    (text.replace(['«', '»'], ""), inside.map(|(inside, _)| inside.to_owned()))
}

fn around(text: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::json!({ "level": "warn", "note": text, "n": 3 }).to_string();
    vec![
        ("alone", text.to_owned()),
        ("lines", format!("first line\n{text}\nlast line\n")),
        ("log", format!("2026-08-01T10:00:00.123Z app[148e21ea7e4389] fra [info] {text}\n")),
        ("sentence", format!("failed after 3 tries with {text} and gave up")),
        ("indented", format!("    {text}\r\n    next\r\n")),
        ("tabs", format!("id\t{text}\t7")),
        ("colour", format!("\u{1b}[31mERROR\u{1b}[0m \u{1b}[1m{text}\u{1b}[0m done")),
        ("unicode", format!("größe → {text} ← ende")),
        ("ndjson", format!("{json}\n{json}\n")),
        ("json in json", serde_json::json!({ "msg": json, "k": [1] }).to_string()),
        ("json array", serde_json::json!(["x", text, "y"]).to_string()),
        ("json", json),
    ]
}

/// The output, and the ids of the rules that acted. One value and one name are known.
fn clean(options: Options, input: &str) -> (String, BTreeSet<&'static str>) {
    let redactor = Redactor::new(options.identities(Identities::ANONYMOUS)).unwrap();
    redactor.add_known(Kind::Secret, "no/prefix token+1");
    redactor.add_known(Kind::App, "quiet-harbour");
    let (out, report) = redactor.redact("x", Format::Auto, input.as_bytes()).unwrap();
    (String::from_utf8(out).unwrap(), report.rules.keys().copied().collect())
}

#[test]
fn every_rule_has_examples() {
    let listed: BTreeSet<&str> = TABLE.iter().map(|(rule, ..)| *rule).chain(["field"]).collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(listed, rules);
}

#[test]
fn positives_are_gone_in_all_surroundings() {
    let mut failures = Vec::new();
    for (rule, positives, _) in TABLE {
        for (seed, pattern) in (1..).zip(positives) {
            let (text, secret) = marked(&expand(pattern, seed));
            let secret = secret.unwrap();
            for (place, input) in around(&text) {
                let (out, acted) = clean(options(), &input);
                if out.contains(&secret) {
                    failures.push(format!("{rule} {place}: leaks\n  {input}\n  {out}"));
                } else if place == "alone" && !acted.contains(rule) {
                    failures.push(format!("{rule}: not this rule, but {acted:?}: {input}"));
                }
                let json = |text: &str| {
                    text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
                };
                if json(&input) && !json(&out) {
                    failures.push(format!("{rule} {place}: no JSON any more\n  {input}\n  {out}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn negatives_stay_in_all_surroundings() {
    let mut failures = Vec::new();
    for (rule, _, negatives) in TABLE {
        for (seed, pattern) in (1..).zip(negatives) {
            let (text, part) = marked(&expand(pattern, seed));
            for (place, input) in around(&text) {
                let (out, acted) = clean(options(), &input);
                let kept = part.as_ref().map_or(out == input, |part| out.contains(part));
                if !kept || acted.contains(rule) {
                    failures.push(format!("{rule} {place}: {acted:?}\n  {input}\n  {out}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn without_any_one_rule_something_leaks() {
    let mut idle = Vec::new();
    for (rule, positives, _) in TABLE {
        let needed = (1..).zip(positives).any(|(seed, pattern)| {
            let (text, secret) = marked(&expand(pattern, seed));
            let secret = secret.unwrap();
            around(&text)
                .iter()
                .any(|(_, input)| clean(options().without_rule(rule), input).0.contains(&secret))
        });
        if !needed {
            idle.push(*rule);
        }
    }
    assert!(idle.is_empty(), "no example needs these rules: {idle:?}");
    let record = r#"{"note":"nine","n":1}"#;
    assert!(!clean(options().fields(["note"]), record).0.contains("nine"));
    assert!(clean(options().fields(["note"]).without_rule("field"), record).0.contains("nine"));
}
