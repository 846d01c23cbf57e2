//! The fly.toml schema: document with spans, lints, lossless edits, conversion.
