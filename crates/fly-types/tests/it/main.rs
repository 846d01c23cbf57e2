//! Black-box tests of the vocabulary.

mod recorded;
mod unknown_keys;
