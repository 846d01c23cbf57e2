//! Black-box tests of the library: text in, text out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod codes;
mod corpus;
mod edit;
mod fixes;
mod flyctl;
mod format;
mod from_machines;
mod hostile;
mod lints;
mod migrate;
mod overlay;
mod schema;
