//! Edits of single values that leave everything else in the text as it is.
//!
//! Each edit is checked before it is given out: the new text must mean the old one with just this change. When it does
//! not, the edit is refused. Must not know: what keys mean, files.

mod path;
mod place;
mod set;
mod unset;

pub use path::{Path, Step};
pub use set::{set, set_input};
pub use unset::unset;

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::document::Document;
use crate::syntax::{self, Kind, Table, Value};

/// Why an edit is refused. The text is unchanged in every case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The path cannot be read.
    #[error("'{path}' is not a path: {rule}")]
    Path {
        /// The path as given.
        path: String,
        /// What a path looks like.
        rule: &'static str,
    },
    /// The value is not one TOML value.
    #[error("'{value}' is not a TOML value")]
    Value {
        /// The value as given.
        value: String,
    },
    /// The file is not TOML, so nothing can be said about its parts.
    #[error("the file is not valid TOML (line {line}): mend that first")]
    NotToml {
        /// Line of the first mistake.
        line: usize,
    },
    /// There is nothing at the path.
    #[error("there is no {path} in the file")]
    Missing {
        /// The path.
        path: String,
    },
    /// The path leads through something that is no table or list, or replaces a whole section by a value.
    #[error("{path} is {found}, not {needed}")]
    Kind {
        /// The path of the obstacle.
        path: String,
        /// What is there.
        found: String,
        /// What the edit needs there.
        needed: &'static str,
    },
    /// The edit would change more than the one value; it has to be made by hand.
    #[error("{path} cannot be edited without touching more than it: edit the file by hand")]
    Unfaithful {
        /// The path.
        path: String,
    },
}

/// The value at a path.
pub fn get<'a>(document: &'a Document, path: &Path) -> Result<&'a Value, EditError> {
    sound(document)?;
    find(document.root(), path.steps()).ok_or_else(|| EditError::Missing { path: path.to_string() })
}

fn sound(document: &Document) -> Result<(), EditError> {
    match document.mistakes().first() {
        Some(mistake) => {
            Err(EditError::NotToml { line: document.position(mistake.span.start).line })
        }
        None => Ok(()),
    }
}

fn find<'a>(root: &'a Table, steps: &[Step]) -> Option<&'a Value> {
    let (Step::Key(first), rest) = steps.split_first()? else { return None };
    let mut value = root.value(first)?;
    for step in rest {
        value = match (step, &value.kind) {
            (Step::Key(name), Kind::Table(table)) => table.value(name)?,
            (Step::Index(at), Kind::Array(items)) => items.get(*at)?,
            _ => return None,
        };
    }
    Some(value)
}

/// A literal as a value; refuses anything but one TOML value on its own.
fn literal(text: &str) -> Result<Value, EditError> {
    let refused = || EditError::Value { value: text.to_owned() };
    let (table, mistakes) = syntax::parse(&format!("x = {text}\n"));
    if !mistakes.is_empty() || table.len() != 1 {
        return Err(refused());
    }
    let value = table.value("x").cloned().ok_or_else(refused)?;
    // A comment after the value would swallow what follows it.
    if value.span.end == 4 + text.len() { Ok(value) } else { Err(refused()) }
}

/// A string as a TOML literal.
pub fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A name as a TOML key: bare where that is allowed.
pub fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { quote(name) }
}

/// Gives out a new text if it means what it should.
fn checked(text: String, expected: &Json, path: &Path) -> Result<String, EditError> {
    let (root, mistakes) = syntax::parse(&text);
    if mistakes.is_empty() && syntax::meaning(&root) == *expected {
        Ok(text)
    } else {
        Err(EditError::Unfaithful { path: path.to_string() })
    }
}
