//! Nothing here: the cross-crate tests live in `it/`.
