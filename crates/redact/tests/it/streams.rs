//! Windows, chunks, idempotence, valid JSON, archives inside, the second sweep.

use std::io::{Read, Write};

use proptest::prelude::*;
use redact::{Format, Kind};

use crate::support::{MIXED, noise, redactor};

/// Pieces that a text is made of: ordinary text, secrets, marks that open something.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z {}\":,\\\\=\n]{0,20}",
        Just("\"password\":\"".to_owned()),
        Just("{\"env\":{\"A\":\"b\",".to_owned()),
        Just("postgres://u:p@h/".to_owned()),
        Just("-----BEGIN RSA PRIVATE KEY-----\n".to_owned()),
        Just("Authorization: Bearer abcdef123456\n".to_owned()),
        Just("client 9.8.7.6 and 2605:4c40::1".to_owned()),
        Just("\u{1b}[31mfm2_abcdefgh\u{1b}[0m".to_owned()),
        (0_u64..50).prop_map(|seed| format!("fm2_{}", noise(seed, 40, MIXED))),
        (0_u64..50).prop_map(|seed| format!("api_key={}\n", noise(seed, 24, MIXED))),
    ]
}

fn whole(input: &[u8]) -> Vec<u8> {
    redactor().redact("x.log", Format::Auto, input).map(|(out, _)| out).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_output_does_not_depend_on_the_chunks(pieces in prop::collection::vec(piece(), 0..40), step in 1_usize..97) {
        let input = pieces.concat();
        let mut out = Vec::new();
        let redactor = redactor();
        let mut stream = redactor.stream("x.log", Format::Auto, &mut out);
        for chunk in input.as_bytes().chunks(step) {
            stream.write_all(chunk).unwrap();
        }
        prop_assert!(stream.finish().is_ok());
        prop_assert_eq!(out, whole(input.as_bytes()));
    }

    #[test]
    fn twice_is_once(pieces in prop::collection::vec(piece(), 0..12)) {
        // Words that touch a replaced one may read differently afterwards; words apart may not.
        let once = whole(pieces.join("\n").as_bytes());
        let twice = whole(&once);
        prop_assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&once));
    }

    #[test]
    fn any_bytes_are_survived(input in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = redactor().redact("x", Format::Text, &input);
        let _ = redactor().redact_str(&String::from_utf8_lossy(&input));
    }

    #[test]
    fn valid_json_stays_valid(text in "[ -~]{0,60}", key in "(password|token|name|env|x)", number in any::<i32>()) {
        let input = serde_json::json!({ key.clone(): text, "env": { "A": number }, "in": serde_json::json!({ key: number }).to_string() }).to_string();
        let out = redactor().redact("x.json", Format::Json, input.as_bytes()).unwrap().0;
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok(), "{} became {}", input, String::from_utf8_lossy(&out));
    }
}

#[test]
fn a_key_block_over_many_windows_is_gone_and_lines_stay() {
    let mut input = "a\n-----BEGIN RSA PRIVATE KEY-----\n".to_owned();
    for seed in 0..40_000 {
        input.push_str(&noise(seed, 64, MIXED));
        input.push('\n');
    }
    input.push_str("-----END RSA PRIVATE KEY-----\nafter\n");
    let out = String::from_utf8(whole(input.as_bytes())).unwrap();
    assert!(
        out.starts_with("a\n‹") && out.ends_with("\nafter\n") && out.len() < 50_000,
        "{} bytes",
        out.len()
    );
    assert_eq!(out.matches('\n').count(), input.matches('\n').count());
}

#[test]
fn a_line_without_an_end_is_masked_and_not_refused() {
    let input = format!("{{\"data\":\"{}\",\"n\":1}}", "Ab9".repeat(3_500_000));
    let out = String::from_utf8(whole(input.as_bytes())).unwrap();
    assert!(
        out.len() < 200 && serde_json::from_str::<serde_json::Value>(&out).is_ok(),
        "{} bytes",
        out.len()
    );
}

#[test]
fn compressed_logs_are_looked_into() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    gz.write_all(b"login postgres://a:hunter2hunter2@h/d\n").unwrap();
    let (out, report) =
        redactor().redact("old.log.gz", Format::Auto, &gz.finish().unwrap()).unwrap();
    let mut plain = String::new();
    flate2::read::GzDecoder::new(out.as_slice()).read_to_string(&mut plain).unwrap();
    assert!(plain.starts_with("login postgres://a:‹secret") && report.total() == 1, "{plain}");
}

#[test]
fn what_cannot_be_read_is_a_stub() {
    let (out, report) =
        redactor().redact_or_stub("x.zip", Format::Auto, b"PK\x03\x04 fm2_abcdefghijklmnop");
    assert!(
        String::from_utf8_lossy(&out).starts_with("{\"redaction_failed\"")
            && report.reason.is_some()
    );
}

#[test]
fn a_value_met_later_is_swept_from_an_earlier_file() {
    let redactor = redactor();
    let (log, _) = redactor
        .redact("a.log", Format::Auto, b"trying Tr0ub4dorAnd3 now, again VHIwdWI0ZG9yQW5kMw==\n")
        .unwrap();
    redactor.redact("b.toml", Format::Toml, b"password = \"Tr0ub4dorAnd3\"\n").unwrap();
    let (swept, report) = redactor.sweep("a.log", &log).unwrap();
    let text = String::from_utf8(swept).unwrap();
    assert!(!text.contains("Tr0ub") && !text.contains("VHIwdWI0") && report.swept == 2, "{text}");
}

#[test]
fn own_tokens_are_found_in_other_forms() {
    let redactor = redactor();
    redactor.add_known(Kind::Secret, "no/prefix token+1");
    for form in
        ["no/prefix token+1", "no%2Fprefix%20token%2B1", "6e6f2f70726566697820746f6b656e2b31"]
    {
        assert!(!redactor.redact_str(&format!("x {form} y")).contains(form), "{form}");
    }
}

#[test]
fn named_fields_are_masked_whole() {
    let options = crate::support::options().fields(["user.nick"]);
    let redactor = redact::Redactor::new(options).unwrap();
    let (out, _) = redactor
        .redact(
            "x",
            Format::Ndjson,
            b"{\"user\":{\"nick\":\"zed\",\"n\":1}}\n{\"user\":{\"nick\":7}}\n",
        )
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(
        !out.contains("zed")
            && out.contains("\"n\":1")
            && out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{out}"
    );
}
#[test]
fn known_values_that_overlap_are_both_gone() {
    let redactor = redactor();
    redactor.add_known(Kind::Secret, "quartz7");
    redactor.add_known(Kind::Secret, "artz7velvet9harbour");
    let out = redactor.redact_str("x quartz7velvet9harbour y");
    assert!(!out.contains("velvet") && out.starts_with("x ‹") && out.ends_with(" y"), "{out}");
}

#[test]
fn a_value_that_begins_like_a_path_is_swept() {
    let redactor = redactor();
    redactor.redact("a.json", Format::Json, br#"{"env":{"ODD":"/R8P-xPYwrQJXNl0"}}"#).unwrap();
    let (out, _) = redactor.sweep("b", b"got /R8P-xPYwrQJXNl0 at /usr/local/bin\n").unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(!out.contains("YwrQ") && out.contains("/usr/local/bin"), "{out}");
}
