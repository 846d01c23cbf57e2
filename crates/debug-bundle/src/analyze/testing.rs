//! Facts for analyzer tests: files with given content, collectors that ended badly.

use std::collections::BTreeMap;
use std::fs;

use jiff::{SignedDuration, Timestamp};

use crate::collect::Outcome;
use crate::facts::Facts;
use crate::manifest::{Reason, Status};

/// What stands in for a collection of 2026-11-25 12:00 UTC with a window of two hours.
pub(super) struct Bench {
    directory: tempfile::TempDir,
    files: Vec<String>,
    ends: BTreeMap<String, Outcome>,
}

/// The present of the bench, plus some seconds.
pub(super) fn at(seconds: i64) -> Timestamp {
    let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
    now + SignedDuration::from_secs(seconds)
}

/// The same in milliseconds since 1970, as events have it.
pub(super) fn millis(seconds: i64) -> i64 {
    at(seconds).as_millisecond()
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), files: Vec::new(), ends: BTreeMap::new() }
    }

    /// A file that a collector brought.
    pub(super) fn file(mut self, collector: &str, path: &str, content: &str) -> Self {
        let place = self.directory.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
        self.files.push(path.to_owned());
        self.ends.insert(collector.to_owned(), Outcome::OK);
        self
    }

    /// A collector that was denied.
    pub(super) fn lost(mut self, collector: &str) -> Self {
        let denied = Outcome::new(Status::Denied, Reason::new("http_403", "unauthorized"));
        self.ends.insert(collector.to_owned(), denied);
        self
    }

    pub(super) fn facts(&self) -> Facts {
        let places = self.files.iter().map(|path| (path.clone(), self.directory.path().join(path)));
        Facts::new("demo", at(-7200), at(0), places.collect(), self.ends.clone())
    }
}
