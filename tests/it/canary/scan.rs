//! Looks for pieces of secrets in bytes. Eight characters in a row are a leak, wherever they stand.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::plant::Case;

const PIECE: usize = 8;

/// Pieces of all secrets, each with the number of its case.
pub(crate) struct Pieces(HashMap<[u8; PIECE], (usize, Vec<u8>)>);

impl Pieces {
    pub(crate) fn new(cases: &[Case]) -> Self {
        let mut pieces = HashMap::new();
        for (number, case) in cases.iter().enumerate() {
            for secret in &case.secrets {
                assert!(
                    secret.len() >= PIECE,
                    "{}: a secret of {} bytes proves nothing",
                    case.kind,
                    secret.len()
                );
                // Pseudonyms of addresses are addresses: two octets in common are chance, the whole is not.
                let whole = matches!(case.kind, "ipv4" | "ipv6" | "six-pn");
                let count = if whole { 1 } else { usize::MAX };
                for piece in secret.as_bytes().chunks_exact(PIECE).take(count) {
                    // The fraction of a second has nine digits: eight in common with one of them are chance, too.
                    let digits = piece.iter().all(u8::is_ascii_digit);
                    let all = if whole || digits && secret.as_bytes().starts_with(piece) {
                        secret.as_bytes()
                    } else if digits {
                        continue;
                    } else {
                        piece
                    };
                    pieces.insert(piece.try_into().unwrap(), (number, all.to_vec()));
                }
            }
        }
        Self(pieces)
    }

    /// Numbers of the cases of which a piece is in these bytes, with the place of the first piece.
    pub(crate) fn find(&self, bytes: &[u8]) -> HashMap<usize, usize> {
        let mut found = HashMap::new();
        for (at, window) in bytes.windows(PIECE).enumerate() {
            let window: [u8; PIECE] = window.try_into().unwrap();
            if let Some((number, all)) = self.0.get(&window)
                && bytes[at..].starts_with(all)
            {
                found.entry(*number).or_insert(at);
            }
        }
        found
    }
}

/// Entries of a `.tar.gz`: name and content.
pub(crate) fn entries(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let reader = flate2::read::MultiGzDecoder::new(archive);
    let mut tar = tar::Archive::new(reader);
    let mut out = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        out.push((name, content));
    }
    out
}

/// All files below a folder: path and content, archives of the tool unpacked.
pub(crate) fn tree(folder: &Path, out: &mut Vec<(String, Vec<u8>)>) {
    let Ok(listing) = fs::read_dir(folder) else { return };
    for entry in listing.flatten() {
        let path = entry.path();
        out.push((format!("name of {}", path.display()), path.display().to_string().into_bytes()));
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            tree(&path, out);
        } else if let Ok(content) = fs::read(&path) {
            if content.starts_with(&[0x1f, 0x8b]) {
                out.extend(entries(&content));
            } else {
                out.push((path.display().to_string(), content));
            }
        }
    }
}
