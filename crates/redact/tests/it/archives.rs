//! Archives inside: every member is redacted, what cannot be is a stub or refused, and nothing raw comes through.

use std::io::{Read, Write};

use redact::{Format, RedactError};

use crate::support::redactor;

const SECRET: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o777);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn members(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    tar::Archive::new(bytes)
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (name, content)
        })
        .collect()
}

fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

#[test]
fn every_member_of_a_tar_file_is_redacted_and_so_are_names() {
    let name = format!("logs/{SECRET}.log");
    let inner = gzip(format!("old {SECRET}\n").as_bytes());
    let image = [&b"\x7fELF\x02\x01\x01\0\0"[..], SECRET.as_bytes()].concat();
    let input = tar(&[
        ("a.log", format!("plain {SECRET}\n").as_bytes()),
        ("old/b.log.gz", &inner),
        (&name, b"nothing\n"),
        ("core.bin", &image),
    ]);
    let (out, report) = redactor().redact("all.tar", Format::Auto, &input).unwrap();
    assert!(!holds(&out, "16C7e42F") && report.total() >= 2, "{report:?}");
    let members = members(&out);
    assert_eq!(members.len(), 4);
    assert!(holds(&members[0].1, "plain ‹github:ghp_:"));
    assert!(holds(&gunzip(&members[1].1), "old ‹github:ghp_:"));
    assert!(members[2].0.starts_with("logs/‹github"), "{}", members[2].0);
    assert!(members[3].1.starts_with(b"{\"redaction_failed\""), "{:?}", members[3]);
}

#[test]
fn links_and_ways_out_of_an_archive_are_left_out() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "link", "/etc/shadow").unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(3);
    header.as_ustar_mut().unwrap().name[..10].copy_from_slice(b"../../evil");
    header.set_cksum();
    builder.append(&header, &b"hi\n"[..]).unwrap();
    let (out, _) =
        redactor().redact("x.tar", Format::Auto, &builder.into_inner().unwrap()).unwrap();
    let names: Vec<String> = members(&out).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["evil"]);
}

#[test]
fn three_levels_are_looked_into_and_a_fourth_is_refused() {
    let mut bytes = format!("deep {SECRET}\n").into_bytes();
    for level in 1..=4 {
        bytes = gzip(&bytes);
        let result = redactor().redact("x.gz", Format::Auto, &bytes);
        if level <= 3 {
            let mut out = result.unwrap().0;
            for _ in 0..level {
                out = gunzip(&out);
            }
            assert!(holds(&out, "deep ‹github:ghp_:"), "level {level}");
        } else {
            assert!(matches!(result, Err(RedactError::Limit { .. })), "{result:?}");
            let (stub, report) = redactor().redact_or_stub("x.gz", Format::Auto, &bytes);
            assert!(stub.starts_with(b"{\"redaction_failed\"") && report.reason.is_some());
        }
    }
}

#[test]
fn bombs_are_refused_early() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(&vec![b'a'; 24 << 20]).unwrap();
    let bomb = gz.finish().unwrap();
    let result = redactor().redact("x.gz", Format::Auto, &bomb);
    assert!(
        matches!(result, Err(RedactError::Limit { .. })),
        "{:?}",
        result.map(|(_, report)| report)
    );
    let large = tar(&[("a", &vec![b'\n'; 13 << 20])]);
    let result = redactor().redact("x.tar", Format::Auto, &large);
    assert!(matches!(result, Err(RedactError::Limit { .. })));
}

#[test]
fn a_damaged_archive_is_refused_whole() {
    let mut cut = gzip(format!("x {SECRET}\n").repeat(50).as_bytes());
    cut.truncate(cut.len() - 12);
    let (stub, _) = redactor().redact_or_stub("x.gz", Format::Auto, &cut);
    assert!(stub.starts_with(b"{\"redaction_failed\""), "{}", String::from_utf8_lossy(&stub));
    // Two members, one behind the other, are one text.
    let two = [gzip(b"one\n"), gzip(format!("{SECRET}\n").as_bytes())].concat();
    let out = gunzip(&redactor().redact("x.gz", Format::Auto, &two).unwrap().0);
    assert!(holds(&out, "one\n‹github"), "{}", String::from_utf8_lossy(&out));
}
