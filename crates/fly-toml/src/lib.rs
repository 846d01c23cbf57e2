//! The fly.toml format: a document with places, one typed model, diagnostics, lossless edits, conversion.
//!
//! Purpose: to read a fly.toml exactly as flyctl reads it, and to say what flyctl does not. Text in, text out. It must
//! not know: files, directories, the network, terminals.
//!
//! ```
//! let report = fly_toml::check("app = \"web\"\n[http_service]\ninternal_port = 8080\n");
//! assert!(report.accepted());
//! ```

pub mod convert;
pub mod diag;
pub mod diff;
pub mod docker_run;
pub mod dockerfile;
mod document;
pub mod edit;
mod format;
pub mod lint;
pub mod migrate;
mod mistake;
pub mod overlay;
mod report;
pub mod schema;
mod span;
pub mod syntax;
pub mod template;
pub mod verdict;

pub use diag::{Applicability, Code, Diagnostic, Edit, Fix, Label, Severity};
pub use document::{Document, MAX_BYTES, UnreadableError};
pub use format::format;
pub use report::{Options, Report, check, check_bytes, check_with};
pub use schema::Config;
pub use span::{LineIndex, Position, Span};
