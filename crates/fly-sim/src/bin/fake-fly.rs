//! `fake-fly`: a stand-in for the `fly` executable that prints recorded output only.
fn main() {}
