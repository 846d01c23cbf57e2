//! Packs an unpacked bundle again: the same files, the same bytes.
//!
//! The tree must be what its manifest says, to the byte: a file that was changed or added since has not been through the
//! redactor, and one that is gone makes the manifest a lie.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ops_cli::{CliError, Exit, Leftovers};

use crate::archive::{self, Entry, Source};
use crate::leak;
use crate::manifest::Manifest;
use crate::output::Output;
use crate::staging;

/// What to pack, and how.
pub struct Repack {
    /// The unpacked bundle: the directory that holds `manifest.json`.
    pub directory: PathBuf,
    /// Where the archive goes.
    pub output: Output,
    /// Fixed times.
    pub reproducible: bool,
    /// Threads that compress.
    pub threads: usize,
}

/// What came out.
pub struct Repacked {
    /// Where the archive is, unless it was streamed.
    pub path: Option<PathBuf>,
    /// Its size.
    pub bytes: u64,
    /// Its hash.
    pub sha256: String,
}

/// Checks and packs.
pub fn repack(
    repack: &Repack,
    scanner: &leak::Scanner,
    leftovers: &Leftovers,
) -> Result<Repacked, CliError> {
    let root = &repack.directory;
    let place = root.join("manifest.json");
    let text = fs::read(&place).map_err(|error| {
        CliError::usage(format!("cannot read {}", place.display())).caused_by(error).hint(
            "name the directory that came out of `tar -xzf`, the one with manifest.json in it",
        )
    })?;
    let manifest = Manifest::parse(&text)
        .map_err(|error| CliError::usage(format!("cannot use {}: {error}", place.display())))?;
    let mut expected: BTreeMap<String, String> =
        manifest.all_files().map(|file| (file.path.clone(), file.sha256.clone())).collect();
    expected.insert("manifest.json".to_owned(), staging::describe("", &text).sha256);
    let changed = |path: &str, what: &str| {
        CliError::new(Exit::VerificationFailed, format!("{path} in {} {what}", root.display()))
            .hint("only a bundle as it was collected is packed; collect again, with --skip or --no-logs to leave things out")
    };
    if let Some(unsafe_path) = expected.keys().find(|path| !archive::is_safe_path(path)) {
        return Err(changed(
            &unsafe_path.escape_debug().to_string(),
            "has a name that no bundle has",
        ));
    }
    if let Some(extra) = files(root, "")
        .map_err(|error| unreadable(root, error))?
        .into_iter()
        .find(|path| !expected.contains_key(path))
    {
        return Err(changed(&extra, "is not in its manifest"));
    }
    let mut entries = Vec::new();
    for (path, hash) in &expected {
        let place = root.join(path);
        let metadata = fs::symlink_metadata(&place).map_err(|_| changed(path, "is missing"))?;
        if !metadata.is_file()
            || digest(&place).map_err(|error| unreadable(&place, error))? != *hash
        {
            return Err(changed(path, "is not what its manifest says"));
        }
        entries.push(Entry {
            path: path.clone(),
            source: Source::File(place),
            bytes: metadata.len(),
        });
    }
    let mtime = if repack.reproducible {
        archive::FIXED_TIME
    } else {
        u64::try_from(manifest.started_at.as_second()).unwrap_or_default()
    };
    let stem = archive::safe_component(&manifest.stem);
    let draft = repack.output.draft(leftovers)?;
    let bytes = draft.fill(|file| archive::pack(file, &stem, mtime, &entries, repack.threads))?;
    let leaks = archive::Leaks { scanner, holds_known: &|_, _| false };
    let verified = archive::verify(draft.path(), &stem, &expected, &leaks).map_err(|error| {
        CliError::new(
            Exit::VerificationFailed,
            "the archive did not pass its own check, and was removed",
        )
        .caused_by(error)
    })?;
    let path = repack.output.publish(draft, &stem)?;
    Ok(Repacked { path, bytes, sha256: verified.sha256 })
}

fn unreadable(path: &Path, error: io::Error) -> CliError {
    CliError::nothing_done(format!("cannot read {}", path.display())).caused_by(error)
}

/// Every file below a directory, relative to the root; links and devices count as files, and are refused later.
fn files(root: &Path, below: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type()?.is_dir() {
            found.extend(files(root, &path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn digest(path: &Path) -> io::Result<String> {
    Ok(staging::describe("", &fs::read(path)?).sha256)
}
