//! Looking for canaries: strings that must not turn up anywhere in what a tool left behind.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A canary that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The file; its own name may be the place.
    pub path: PathBuf,
    /// Position of the first occurrence in the content; absent when it is in the name.
    pub offset: Option<usize>,
    /// Which canary.
    pub canary: String,
}

/// Every file under `root` (or `root` itself) whose content or name has one of the canaries, sorted. Archives are not opened:
/// unpack them first. Symbolic links are looked at by name and target, not followed.
pub fn scan(root: &Path, canaries: &[&str]) -> Result<Vec<Hit>> {
    let mut hits = Vec::new();
    visit(root, canaries, &mut hits)?;
    hits.sort();
    Ok(hits)
}

fn visit(path: &Path, canaries: &[&str], hits: &mut Vec<Hit>) -> Result<()> {
    let shown = || path.display().to_string();
    let mut hit = |offset, canary: &str| {
        hits.push(Hit { path: path.to_owned(), offset, canary: canary.to_owned() });
    };
    let kind = fs::symlink_metadata(path).with_context(shown)?.file_type();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for canary in canaries.iter().filter(|canary| name.contains(**canary)) {
        hit(None, canary);
    }
    let content = if kind.is_file() {
        fs::read(path).with_context(shown)?
    } else if kind.is_symlink() {
        fs::read_link(path).with_context(shown)?.to_string_lossy().into_owned().into_bytes()
    } else {
        Vec::new()
    };
    for canary in canaries {
        if let Some(offset) = find(&content, canary.as_bytes()) {
            hit(Some(offset), canary);
        }
    }
    if kind.is_dir() {
        for entry in fs::read_dir(path).with_context(shown)? {
            visit(&entry.with_context(shown)?.path(), canaries, hits)?;
        }
    }
    Ok(())
}

fn find(content: &[u8], canary: &[u8]) -> Option<usize> {
    let first = *canary.first()?;
    let mut from = 0;
    while let Some(at) = content[from..].iter().position(|byte| *byte == first) {
        let at = from + at;
        if content[at..].starts_with(canary) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}
