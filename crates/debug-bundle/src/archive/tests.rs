//! Packing, names, verification, publishing: each check fails when what it checks is broken.

use std::collections::BTreeMap;
use std::fs;

use ops_cli::Leftovers;
use secrecy::SecretString;

use super::*;
use crate::leak::Scanner;
use crate::staging::describe;

const STEM: &str = "fly-debug-demo-20261125T120000Z-0badcafe";

fn entry(path: &str, content: &[u8]) -> Entry {
    Entry {
        path: path.to_owned(),
        source: Source::Bytes(content.to_vec()),
        bytes: content.len() as u64,
    }
}

/// Three mebibytes that do not compress to nothing.
fn noise() -> Vec<u8> {
    let mut state: u32 = 1;
    (0..3 << 20)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"abcdefghijklmnop"[(state >> 28) as usize]
        })
        .collect()
}

fn check(
    entries: &[Entry],
    change: impl Fn(&mut BTreeMap<String, String>),
) -> Result<(), VerifyError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.tar.gz");
    fs::write(&path, pack(Vec::new(), STEM, FIXED_TIME, entries, 2).unwrap()).unwrap();
    let mut expected = BTreeMap::new();
    for entry in entries {
        let Source::Bytes(bytes) = &entry.source else { continue };
        expected.insert(entry.path.clone(), describe("", bytes).sha256);
    }
    change(&mut expected);
    let own = SecretString::from("correct-horse-battery");
    let scanner = Scanner::new([&own]);
    let leaks = Leaks {
        scanner: &scanner,
        holds_known: &|_, piece| piece.windows(7).any(|it| it == b"learned"),
    };
    verify(&path, STEM, &expected, &leaks).map(|_| ())
}

#[test]
fn threads_do_not_show() {
    let entries = [entry("manifest.json", b"{}"), entry("logs/a.txt", &noise())];
    let one = pack(Vec::new(), STEM, 7, &entries, 1).unwrap();
    for threads in [2, 3, 16] {
        assert!(pack(Vec::new(), STEM, 7, &entries, threads).unwrap() == one, "{threads}");
    }
    let turned: Vec<Entry> = entries.iter().rev().cloned().collect();
    assert!(
        pack(Vec::new(), STEM, 7, &turned, 2).unwrap() == one,
        "nor does the order of collection"
    );
    assert_ne!(pack(Vec::new(), STEM, 8, &entries, 1).unwrap(), one, "the time does");
}

#[test]
fn names_longer_than_ustar_holds() {
    let long = format!("app/certs/{}/{}.json", "a".repeat(100), "b".repeat(95));
    assert!(is_safe_path(&long));
    check(&[entry("manifest.json", b"{}"), entry(&long, b"x")], |_| {}).unwrap();
}

#[test]
fn components_are_safe_everywhere() {
    assert_eq!(safe_component("www.example.com"), "www.example.com");
    assert_eq!(safe_component("*.exämple/.."), "%2A.ex%C3%A4mple%2F..");
    assert_eq!(safe_component("../x"), "%2E.%2Fx");
    assert!(safe_component(&"%".repeat(200)).len() <= 100);
    for path in ["", "/etc/passwd", "a/../b", "a//b", "-rf", "a b", ".hidden"] {
        assert!(!is_safe_path(path), "{path}");
    }
}

#[test]
fn verification_finds_each_thing() {
    let good = || [entry("manifest.json", b"{}"), entry("a.txt", b"fine\n")];
    check(&good(), |_| {}).unwrap();
    let hash =
        check(&good(), |it| drop(it.insert("a.txt".to_owned(), "0".repeat(64)))).unwrap_err();
    assert!(matches!(hash, VerifyError::Hash { path } if path == "a.txt"));
    let missing =
        check(&good(), |it| drop(it.insert("b.txt".to_owned(), String::new()))).unwrap_err();
    assert!(matches!(missing, VerifyError::Missing { path } if path == "b.txt"));
    let extra = check(&good(), |it| drop(it.remove("a.txt"))).unwrap_err();
    assert!(matches!(extra, VerifyError::Entry { .. }));
    let headless = check(&[entry("a.txt", b"fine\n")], |_| {}).unwrap_err();
    assert!(matches!(headless, VerifyError::Entry { what, .. } if what.contains("manifest")));
    for (content, line) in [
        (b"one\ntwo correct-horse-battery\n".as_slice(), 2),
        (b"one\n\nfm2_lJPECAAAAAAAAABCDEFGHIJ", 3),
        (b"learned elsewhere", 1),
    ] {
        let leak =
            check(&[entry("manifest.json", b"{}"), entry("a.txt", content)], |_| {}).unwrap_err();
        assert!(matches!(leak, VerifyError::Leak { line: at, .. } if at == line), "{leak}");
    }
    // Across the border of two stretches that are looked at.
    let mut far = noise();
    let secret = b" fm2_lJPECAAAAAAAAABCDEFGHIJ ";
    let border = 1 << 20;
    far[border - 10..border - 10 + secret.len()].copy_from_slice(secret);
    assert!(check(&[entry("manifest.json", b"{}"), entry("a.txt", &far)], |_| {}).is_err());
}

#[test]
fn a_cut_archive_is_not_good() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.tar.gz");
    let entries = [entry("manifest.json", b"{}"), entry("a.txt", &noise())];
    let whole = pack(Vec::new(), STEM, 0, &entries, 2).unwrap();
    let expected = BTreeMap::from([
        ("manifest.json".to_owned(), describe("", b"{}").sha256),
        ("a.txt".to_owned(), describe("", &noise()).sha256),
    ]);
    let scanner = Scanner::new([]);
    let leaks = Leaks { scanner: &scanner, holds_known: &|_, _| false };
    for length in [0, 1, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(verify(&path, STEM, &expected, &leaks).is_err(), "{length} of {}", whole.len());
    }
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(&path, flipped).unwrap();
    assert!(verify(&path, STEM, &expected, &leaks).is_err());
    fs::write(&path, &whole).unwrap();
    assert_eq!(verify(&path, STEM, &expected, &leaks).unwrap().sha256, describe("", &whole).sha256);
}

#[test]
fn a_draft_never_replaces_and_never_stays() {
    let directory = tempfile::tempdir().unwrap();
    let leftovers = Leftovers::default();
    let names = || fs::read_dir(directory.path()).unwrap().count();
    drop(Draft::create(directory.path(), &leftovers).unwrap());
    assert_eq!(names(), 0);
    let target = directory.path().join("final");
    fs::write(&target, "precious").unwrap();
    let draft = Draft::create(directory.path(), &leftovers).unwrap();
    assert!(matches!(draft.publish(&target), Err(PublishError::Exists { .. })));
    assert_eq!((fs::read_to_string(&target).unwrap().as_str(), names()), ("precious", 1));
    let free = directory.path().join("free");
    let draft = Draft::create(directory.path(), &leftovers).unwrap();
    draft
        .fill(|mut file| {
            file.write_all(b"new")?;
            Ok(file)
        })
        .unwrap();
    draft.publish(&free).unwrap();
    assert_eq!((fs::read_to_string(&free).unwrap().as_str(), names()), ("new", 2));
    let _draft = Draft::create(directory.path(), &leftovers).unwrap();
    drop(leftovers.remove_all());
    assert_eq!(names(), 2, "the second signal removes it");
}
