//! Black-box tests of the redactor.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod baseline;
mod grammar;
mod grammar_table;
mod rows;
mod streams;
mod support;
