//! Cross-crate tests: one binary, one module a topic.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure is the answer, with the line where it happened"
)]

mod bundle_faults;
mod canary;
mod sandbox;
