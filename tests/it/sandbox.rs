//! The test kit's sandbox, with a folder for results, for tools that may not leave loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Sandbox(test_kit::Sandbox);

impl Sandbox {
    pub(crate) fn new() -> Self {
        let mut inner = test_kit::Sandbox::new().unwrap();
        fs::create_dir(inner.path("out")).unwrap();
        inner.set("FLY_OPS_LOOPBACK_ONLY", "1");
        Self(inner)
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.0.path(name)
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
        self.0.script("fly", text).unwrap();
    }

    /// The bundle tool as the tests were built with, in this sandbox.
    pub(crate) fn bundle(&self) -> Command {
        self.command(&test_kit::binary("debug-bundle", "fly-debug-bundle").unwrap())
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        self.0.command(program)
    }
}
