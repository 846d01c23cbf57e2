//! The fast search against a slow one that anybody can read: same text, same places.

use proptest::prelude::*;
use redact::{RULES, Redactor};

use crate::support::{MIXED, noise, options};

/// Prefix, bytes that go on, fewest of them, most of them, must the byte before be no letter or digit, must letters and digits be mixed.
type Family = (&'static str, &'static str, usize, usize, bool, bool);

const FAMILIES: &[Family] = &[
    ("fm2_", "_-+/=", 6, usize::MAX, false, false),
    ("fo1_", "_-", 6, usize::MAX, false, false),
    ("ghp_", "_-", 16, usize::MAX, true, false),
    ("glpat-", "_-", 16, usize::MAX, true, false),
    ("sk_live_", "_-+/=", 10, usize::MAX, true, false),
    ("xoxb-", "_-/", 10, usize::MAX, true, false),
    ("npm_", "", 30, usize::MAX, true, true),
    ("AKIA", "", 16, 16, true, false),
];

/// Every position, every family, byte by byte.
fn slow(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut hidden = vec![false; bytes.len()];
    for at in 0..bytes.len() {
        for (prefix, signs, least, most, bounded, mixed) in FAMILIES {
            if !bytes[at..].starts_with(prefix.as_bytes())
                || *bounded && at > 0 && bytes[at - 1].is_ascii_alphanumeric()
            {
                continue;
            }
            let body = at + prefix.len();
            let part = |byte: &u8| {
                let letter = if *prefix == "AKIA" {
                    byte.is_ascii_uppercase() || byte.is_ascii_digit()
                } else {
                    byte.is_ascii_alphanumeric()
                };
                letter || signs.as_bytes().contains(byte)
            };
            let mut end = body + bytes[body..].iter().take_while(|byte| part(byte)).count();
            while !signs.contains('+') && end > body && matches!(bytes[end - 1], b'-' | b'/') {
                end -= 1;
            }
            let inside = &bytes[body..end];
            let both =
                inside.iter().any(u8::is_ascii_digit) && inside.iter().any(u8::is_ascii_alphabetic);
            if (*least..=*most).contains(&inside.len()) && (!mixed || both) {
                hidden[at..end].fill(true);
            }
        }
    }
    let mut out = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        if !hidden[at] {
            out.push(char::from(*byte));
        } else if at == 0 || !hidden[at - 1] {
            out.push('*');
        }
    }
    out
}

/// What the library makes of it, every pseudonym as one mark; two that touch are one.
fn fast(redactor: &Redactor, text: &str) -> String {
    let (out, _) = redactor.redact("x", redact::Format::Text, text.as_bytes()).unwrap();
    let out = String::from_utf8(out).unwrap();
    let mut marked = String::new();
    let mut rest = out.as_str();
    while let Some((before, after)) = rest.split_once('‹') {
        marked.push_str(before);
        marked.push('*');
        rest = after.split_once('›').unwrap().1;
    }
    marked.push_str(rest);
    marked.replace("**", "*")
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![" ", "\n", ",", ";", "(", ") ", "|", "<", "a", "Z", "7"])
            .prop_map(str::to_owned),
        2 => "[a-z]{1,9} ",
        3 => (0..FAMILIES.len(), 0_u64..1000, 0_usize..44).prop_map(|(family, seed, length)| {
            let upper = FAMILIES[family].0 == "AKIA";
            let set: &[u8] = if upper { b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" } else { MIXED };
            format!("{}{}", FAMILIES[family].0, noise(seed, length, set))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_search_finds_what_the_slow_one_finds(pieces in prop::collection::vec(piece(), 0..60)) {
        // Only the rules of the families above have a slow twin here.
        let twins = ["fly-macaroon", "fly-oauth", "github", "gitlab", "stripe", "slack", "npm", "aws-id"];
        let options = RULES
            .iter()
            .filter(|rule| !twins.contains(&rule.id))
            .fold(options(), |options, rule| options.without_rule(rule.id));
        let redactor = Redactor::new(options).unwrap();
        let text = pieces.concat();
        prop_assert_eq!(fast(&redactor, &text), slow(&text), "{}", text);
    }
}
