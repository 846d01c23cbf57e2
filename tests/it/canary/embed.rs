//! What stands around a secret: where people and programs happen to write it.

use super::encode::{json_inside, percent};
use super::kinds::Canary;
use super::rng::{BASE64, LOWER, Rng};

type Wrap = fn(&str, &mut Rng) -> String;

/// Surroundings for secrets that anybody can tell by their form.
const ANY_TEXT: &[(&str, Wrap)] = &[
    ("alone", |s, _| s.to_owned()),
    ("sentence", |s, _| format!("cannot connect with {s} after 3 tries")),
    ("end", |s, _| format!("the value was {s}")),
    ("start", |s, _| format!("{s} is not valid")),
    ("double-quotes", |s, _| format!("value=\"{s}\" ok")),
    ("single-quotes", |s, _| format!("value='{s}', next")),
    ("parentheses", |s, _| format!("error (token {s}) in handler")),
    ("angle", |s, _| format!("<td>{s}</td>")),
    ("equals", |s, _| format!("DEBUG opts x={s} y=2")),
    ("colon", |s, _| format!("got: {s}; retrying")),
    ("pipe", |s, _| format!("a|{s}|b")),
    ("json-field", |s, _| serde_json::json!({ "level": "warn", "note": s, "n": 3 }).to_string()),
    ("json-array", |s, _| serde_json::json!(["x", s, "y"]).to_string()),
    ("json-in-json", |s, _| {
        let inner = serde_json::json!({ "note": s }).to_string();
        serde_json::json!({ "msg": inner }).to_string()
    }),
    ("json-thrice", |s, _| {
        let inner = serde_json::json!({ "note": s }).to_string();
        let inner = serde_json::json!({ "a": inner }).to_string();
        serde_json::json!({ "b": inner }).to_string()
    }),
    ("go-quoted", |s, _| format!("level=error err=\"open \\\"{}\\\": no\"", json_inside(s))),
    ("python-repr", |s, _| format!("{{'k': '{}', 'n': 1}}", s.replace('\n', "\\n"))),
    ("ruby-hash", |s, _| format!("{{:k=>\"{}\", :n=>1}}", json_inside(s))),
    ("yaml", |s, _| format!("items:\n  - {}\n  - other", s.replace('\n', "\n    "))),
    ("log-prefix", |s, _| format!("2026-08-01T10:00:00.123Z [info] app[148e21ea7e4389] {s}")),
    ("colour", |s, _| format!("\u{1b}[31mERROR\u{1b}[0m \u{1b}[1m{s}\u{1b}[0m done")),
    ("unicode", |s, _| format!("größe → {s} ← ende ✓")),
    ("tab-separated", |s, _| format!("id\t{s}\t7")),
    ("stack-trace", |s, _| {
        format!("Error: refused\n    at connect ({s})\n    at main (app.js:3:1)")
    }),
    ("after-long-text", |s, rng| {
        let words: Vec<String> = (0..rng.between(200, 900)).map(|_| rng.text(LOWER, 7)).collect();
        format!("{} {s}", words.join(" "))
    }),
    ("before-long-text", |s, rng| {
        let words: Vec<String> = (0..rng.between(200, 900)).map(|_| rng.text(LOWER, 7)).collect();
        format!("{s} {}", words.join(" "))
    }),
];

/// Forms in which a secret is not readable at once: percent signs in an address.
fn in_query(s: &str) -> String {
    format!("GET /callback?state=1&value={}&page=2", percent(s))
}

/// The planted text, and the name of what surrounds it.
pub(crate) fn embed(canary: &Canary, rng: &mut Rng) -> (String, &'static str) {
    if !canary.tell_tale {
        return (canary.text.clone(), "own line");
    }
    if canary.kind.starts_with("fly-") && rng.below(20) == 0 {
        return (in_query(&canary.text), "percent");
    }
    let (name, wrap) = *rng.pick(ANY_TEXT);
    (wrap(&canary.text, rng), name)
}

/// Text without a space or line break, longer than any window of a stream, with the secret somewhere in it.
pub(crate) fn in_huge_line(canary: &Canary, rng: &mut Rng) -> String {
    let before = rng.between(250_000, 270_000);
    let mut out = String::with_capacity(before + canary.text.len() + 1000);
    while out.len() < before {
        out.push_str(&rng.text(LOWER, 9));
        out.push(';');
    }
    out.push_str(&canary.text);
    out.push(';');
    out.push_str(&rng.text(LOWER, 500));
    out
}

/// A file in base64, as `config.files[].raw_value` carries it.
pub(crate) fn file_body(canary: &Canary) -> String {
    super::encode::base64(format!("# settings\n{}\n", canary.text).as_bytes())
}

/// Something that looks random and is no secret: it has to stay.
pub(crate) fn harmless(rng: &mut Rng) -> Vec<String> {
    let hex = |rng: &mut Rng, n| rng.text("0123456789abcdef", n);
    let ulid = |rng: &mut Rng| format!("01{}", rng.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24));
    vec![
        format!("machine {} started", hex(rng, 14)),
        format!("instance_id={}", ulid(rng)),
        format!("attached vol_{}", rng.text("0123456789abcdefghijklmnopqrstuvwxyz", 16)),
        format!("snapshot vs_{}", rng.text(super::rng::ALNUM, 16)),
        format!("image registry.fly.io/demo@sha256:{}", hex(rng, 64)),
        format!("image registry.fly.io/demo:deployment-{}", ulid(rng)),
        format!("fly-request-id: {}-fra", ulid(rng)),
        format!("trace_id={}", hex(rng, 32)),
        format!("commit {}", hex(rng, 40)),
        format!("region fra release v{}", rng.between(2, 900)),
        format!("secret DATABASE_URL digest {}", hex(rng, 16)),
        format!("serial {}", hex(rng, 36)),
        format!(
            "HTTP GET http://172.19.0.2:8080/healthz: 503 Service Unavailable Output: \"{}\"",
            rng.text(LOWER, 12)
        ),
    ]
}

/// A public certificate: evidence, not a secret.
pub(crate) fn certificate(rng: &mut Rng) -> (String, Vec<String>) {
    let lines: Vec<String> = (0..6).map(|_| rng.text(BASE64, 64)).collect();
    let text =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", lines.join("\n"));
    (text, lines)
}
