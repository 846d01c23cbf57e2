//! Cross-crate tests: one binary, one module a topic.
