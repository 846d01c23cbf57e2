//! Cross-crate tests: one binary, one module a topic.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests: a failure is the answer, and sizes and seeds are printed"
)]

mod bundle_faults;
mod canary;
mod sandbox;
