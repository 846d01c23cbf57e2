//! What other redactors are known to get wrong, one test each: those failures that a library can have. That a failed
//! encryption keeps no clear archive, and that settings are never collected, is for the bundle's tests.

use std::io::{self, Write};

use redact::{Format, Identities, Kind, Options, PseudonymKey, RedactError, Redactor, Status};

use crate::support::{MIXED, noise, options, redactor, text};

#[test]
fn an_error_leaves_no_raw_file() {
    let raw = [&b"\x7fELF\x02\x01\0\0 password=hunter7Zq "[..], &[0; 64]].concat();
    assert!(redactor().redact("core", Format::Auto, &raw).is_err());
    let (stub, report) = redactor().redact_or_stub("core", Format::Auto, &raw);
    assert!(!String::from_utf8_lossy(&stub).contains("hunter7Zq"));
    assert_eq!(report.status, Status::RedactionFailed);
}

#[test]
fn a_line_above_ten_mebibytes_is_no_error() {
    let line =
        format!("{} password=hunter7Zq {}\n", "word ".repeat(1_100_000), "word ".repeat(1_100_000));
    let out = text(&line);
    assert!(out.len() > 10 << 20 && !out.contains("hunter7Zq"));
}

#[test]
fn each_match_of_a_line_has_its_own_pseudonym() {
    let out = text("password=hunter7Zq password=swordf1sh password=hunter7Zq");
    let parts: Vec<&str> = out.split(' ').collect();
    assert!(parts[0] == parts[2] && parts[0] != parts[1] && out.matches('‹').count() == 3, "{out}");
}

#[test]
fn addresses_that_tell_nothing_are_not_hidden() {
    let line = "dial 10.1.2.3:5432, listen 0.0.0.0:8080, docs 192.0.2.1, lo 127.0.0.1";
    assert_eq!(text(line), line);
}

#[test]
fn a_longer_address_is_not_taken_for_a_shorter_one() {
    let out = text("84.1.2.3 84.1.2.34 84.1.2.3 84x1y2z3 184.1.2.3");
    let parts: Vec<&str> = out.split(' ').collect();
    assert_eq!(parts[0], parts[2]);
    assert!(parts[0] != parts[1] && parts[0] != parts[4] && parts[3] == "84x1y2z3", "{out}");
    // Found text is not searched for again: the second does not hold the first's pseudonym.
    assert!(!parts[1].starts_with(parts[0]), "{out}");
}

#[test]
fn ranges_are_exact() {
    assert_ne!(text("1.2.3.4"), "1.2.3.4");
    assert_eq!(text("0.1.2.3"), "0.1.2.3");
}

#[test]
fn names_with_dashes_are_found_in_logs_arguments_and_file_names() {
    let redactor = Redactor::new(options().identities(Identities::ANONYMOUS)).unwrap();
    redactor.add_known(Kind::Host, "web-01-eu");
    for text in ["at web-01-eu", "--host=web-01-eu", "logs/web-01-eu.log", "web-01-eu.internal"] {
        let out = redactor.redact_str(text);
        assert!(!out.contains("web-01-eu"), "{out}");
    }
    let (_, report) = redactor.redact("logs/web-01-eu.log", Format::Text, b"x\n").unwrap();
    assert!(!report.name.contains("web-01-eu"), "{}", report.name);
}

/// Fails after some bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_error_half_way_is_told_and_nothing_more_is_taken() {
    let mut stream = redactor().stream("x", Format::Text, Full(300_000));
    let line = b"password=hunter7Zq and more text to fill a window\n".repeat(2000);
    let mut failed = false;
    for _ in 0..20 {
        let result = stream.write_all(&line);
        assert!(!failed || result.is_err(), "bytes were taken after an error");
        failed |= result.is_err();
    }
    assert!(failed);
    let mut stream = redactor().stream("x", Format::Text, Full(3));
    stream.write_all(b"four bytes and more").unwrap();
    assert!(matches!(stream.finish(), Err(RedactError::Sink { .. })));
}

#[test]
fn an_unknown_key_of_the_environment_masks_and_stops_nothing() {
    let out = text(r#"{"env":{"NEVER_SEEN":"plum","PORT":"8080","ALSO_NEW":{"deep":"pear"}}}"#);
    assert!(!out.contains("plum") && !out.contains("pear") && out.contains("8080"), "{out}");
    assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
}

#[test]
fn an_unknown_rule_is_refused() {
    let options = Options::new(PseudonymKey::from_bytes(&[1; 32])).without_rule("no-such");
    assert!(matches!(Redactor::new(options), Err(RedactError::NoSuchRule { .. })));
}

#[test]
fn tokens_on_command_lines_are_redacted() {
    let token = noise(3, 40, MIXED);
    for line in [
        format!("tool --token {token} run"),
        format!("tool --token={token}"),
        format!("[\"tool\",\"--token\",\"{token}\"]"),
    ] {
        let out = redactor().redact_str(&line);
        assert!(!out.contains(&token), "{out}");
    }
}

#[test]
fn several_secrets_at_every_offset_of_a_chunk_are_found() {
    let secrets = [
        format!("ghp_{}", noise(1, 36, MIXED)),
        format!("fm2_{}", noise(2, 90, MIXED)),
        "hunter7Zq".to_owned(),
    ];
    for pad in [0, 1, 7, 63] {
        let mut input = "x".repeat(pad) + "\n";
        while input.len() < 600_000 {
            for word in
                [&secrets[0], &secrets[1], &format!("db://u:{}@h\nplain words\n", secrets[2])]
            {
                input.push_str(word);
                input.push(' ');
            }
        }
        let out = text(&input);
        assert!(secrets.iter().all(|secret| !out.contains(secret.as_str())));
        assert_eq!(out.lines().count(), input.lines().count());
    }
}

#[test]
fn random_looking_identifiers_stay_and_keys_without_a_word_are_found() {
    let line = "machine 3d8d9e4cd10689 image sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    assert_eq!(text(line), line);
    // A key under a harmless name: its shape tells.
    let key = "kBd3H9sQw0XzYp5mT7uJ2rVfN8aLcE1gKiOoPqRsTuA=";
    assert!(!text(&format!("[peer]\nthing = {key}\n")).contains("kBd3H9"));
}

#[test]
fn broken_characters_are_mended_and_hide_nothing() {
    let mut input = b"caf\xe9 password=hunter7Zq \xff\xfe\n".to_vec();
    input.extend_from_slice(b"next \xf0\x9f\x92 ghp_16C7e42F292c6912E7710c838347Ae178B4a\n");
    let (out, _) = redactor().redact("x.log", Format::Text, &input).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(!out.contains("hunter7Zq") && !out.contains("16C7e42F"), "{out}");
    assert!(out.starts_with("caf\u{fffd} password=‹secret") && out.lines().count() == 2, "{out}");
}
