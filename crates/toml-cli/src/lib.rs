//! Check, lint, explain, edit, convert and overlay fly.toml.
