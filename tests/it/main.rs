//! Cross-crate tests: one binary, one module a topic.

mod canary;
mod sandbox;
