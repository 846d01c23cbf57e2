//! Black-box tests of the redactor.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod addresses;
mod archives;
mod baseline;
mod failures;
mod grammar;
mod grammar_table;
mod memory;
mod reference;
mod rows;
mod streams;
mod support;
