//! A home of its own for each run of a tool: no variable, file or program of the person who runs the tests gets in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "tmp", "out", "bin"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Files in one of the folders, sorted.
    pub(crate) fn files(&self, name: &str) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(self.folder(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// Puts a `fly` with this shell text on the path of the tools.
    pub(crate) fn fly(&self, text: &str) {
        let path = self.folder("bin").join("fly");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// One of the workspace's binaries, in this sandbox.
    #[expect(clippy::disallowed_methods, reason = "this is where the tests start programs")]
    pub(crate) fn command(&self, binary: &str) -> Command {
        let path = format!("{}:/usr/bin:/bin", self.folder("bin").display());
        let mut command = Command::new(program(binary));
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder("home"))
            .env("TMPDIR", self.folder("tmp"))
            .env("FLY_OPS_LOOPBACK_ONLY", "1")
            .current_dir(self.folder("home"));
        command
    }
}

/// Where cargo puts the binaries of this workspace: `cargo test --workspace` has built them.
pub(crate) fn program(binary: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(binary);
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace` first", path.display());
    path
}
