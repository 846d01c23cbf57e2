//! A setting together with where it came from.

use std::fmt;
use std::path::PathBuf;

use crate::env::Variable;

/// A value and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub source: Source,
}

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Typed on the command line, e.g. `--app`.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A file; `key` says where in it, and may be empty.
    File {
        /// The file.
        path: PathBuf,
        /// What in it, e.g. `app`.
        key: &'static str,
    },
    /// Built in.
    Default,
}

impl<T> Resolved<T> {
    pub(crate) fn flag(value: T, flag: &'static str) -> Self {
        Self { value, source: Source::Flag(flag) }
    }

    pub(crate) fn variable(value: T, variable: Variable) -> Self {
        Self { value, source: Source::Variable(variable.name) }
    }

    pub(crate) fn file(value: T, path: impl Into<PathBuf>, key: &'static str) -> Self {
        Self { value, source: Source::File { path: path.into(), key } }
    }

    pub(crate) fn default(value: T) -> Self {
        Self { value, source: Source::Default }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { path, key: "" } => write!(f, "{}", path.display()),
            Self::File { path, key } => write!(f, "'{key}' in {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}
