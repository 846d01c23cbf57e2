//! Black-box tests of the library: text in, text out.

mod codes;
mod corpus;
mod flyctl;
