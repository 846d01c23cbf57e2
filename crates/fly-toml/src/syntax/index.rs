//! Names to places in a list, for tables with many keys.
//!
//! Holds hashes instead of names: the names are in the list already. The hashes are keyed by a secret of the process, so
//! that no file can be made whose names collide.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::sync::OnceLock;

/// From this many keys on a table gets an index.
const INDEX_FROM: usize = 16;

/// An index that exists only while it is worth having.
#[derive(Debug, Clone, Default)]
#[expect(clippy::box_collection, reason = "most tables are small and have none")]
pub(super) struct Index(Option<Box<HashMap<u64, usize, BuildHasherDefault<Same>>>>);

/// Hashes are spread well enough as they are.
#[derive(Debug, Clone, Copy, Default)]
struct Same(u64);

impl Hasher for Same {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn hash(name: &str) -> u64 {
    static SECRET: OnceLock<RandomState> = OnceLock::new();
    SECRET.get_or_init(RandomState::new).hash_one(name)
}

impl Index {
    /// The place of a name in a list whose names `at` gives.
    pub(super) fn find<'a>(
        &self,
        name: &str,
        length: usize,
        at: impl Fn(usize) -> &'a str,
    ) -> Option<usize> {
        match &self.0 {
            Some(index) => index.get(&hash(name)).copied().filter(|place| at(*place) == name),
            None => (0..length).find(|place| at(*place) == name),
        }
    }

    /// Notes that the list has grown by one name, which is now its last.
    pub(super) fn pushed<'a>(&mut self, length: usize, at: impl Fn(usize) -> &'a str) {
        if let Some(index) = &mut self.0 {
            index.insert(hash(at(length - 1)), length - 1);
        } else if length >= INDEX_FROM {
            self.rebuild(length, at);
        }
    }

    /// Notes that places have changed.
    pub(super) fn moved<'a>(&mut self, length: usize, at: impl Fn(usize) -> &'a str) {
        if self.0.is_some() {
            self.rebuild(length, at);
        }
    }

    fn rebuild<'a>(&mut self, length: usize, at: impl Fn(usize) -> &'a str) {
        self.0 = Some(Box::new((0..length).map(|place| (hash(at(place)), place)).collect()));
    }
}

/// Where names are does not make tables different.
impl PartialEq for Index {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
