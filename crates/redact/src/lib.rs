//! Finds secrets in bytes and replaces them with keyed pseudonyms.
//!
//! Bytes in, bytes out: nothing here opens a file, knows an API or reads a clock. A [`Redactor`] is cheap to clone and
//! shared by all threads of a run. Two passes make a bundle: [`Redactor::stream`] (or [`Redactor::redact`]) before the first
//! write of each file, and [`Redactor::sweep`] over what was written once every file has been seen, because a password that was first
//! met in a configuration may have been echoed earlier in a log.
//!
//! ```
//! use redact::{Format, Options, PseudonymKey, Redactor};
//!
//! let redactor = Redactor::new(Options::new(PseudonymKey::from_bytes(&[7; 32])))?;
//! let (out, report) = redactor.redact("app.log", Format::Auto, b"dial postgres://app:hunter2hunter2@db.internal:5432/app\n")?;
//! assert!(!String::from_utf8_lossy(&out).contains("hunter2"));
//! assert_eq!(report.total(), 1);
//! # Ok::<(), redact::RedactError>(())
//! ```

mod address;
mod engine;
mod error;
mod fields;
mod format;
mod key;
mod kind;
mod known;
mod nested;
mod options;
mod replace;
mod report;
mod rules;
mod scan;
mod stream;
mod window;

pub use engine::Redactor;
pub use error::RedactError;
pub use format::Format;
pub use key::PseudonymKey;
pub use kind::Kind;
pub use options::{Identities, Mode, Options};
pub use report::{Dropped, FileReport, PseudonymCount, Report, RuleCount, Status};
pub use rules::{Layer, RULES, RULES_VERSION, Rule, RuleId};
pub use stream::Stream;
