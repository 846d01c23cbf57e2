//! TOML as a tree in which every key and value knows its place in the text.
//!
//! Purpose: one parse that goes on after a mistake, so that a file with five mistakes gets five reports, and that keeps
//! both places of a name that is defined twice. Lexing and the grammar come from `toml_parser`, the lower half of
//! `toml_edit`; a tree of our own is needed because `toml_edit` stops at the first mistake.
//! Must not know: fly.toml.

mod build;
mod index;
mod json;
mod mistake;
mod node;
mod tree;

pub(crate) use build::events;
pub use build::parse;
pub use json::to_json;
pub(crate) use json::{meaning, value_meaning};
pub use mistake::{Mistake, MistakeKind};
pub use tree::{BareUnit, Entry, Key, Kind, Origin, Table, Value};
