//! Sandboxes, worlds and crash points for tests.
