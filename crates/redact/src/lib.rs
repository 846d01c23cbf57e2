//! Finds secrets in bytes and replaces them with keyed pseudonyms.
