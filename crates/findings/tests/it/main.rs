//! Findings from the outside: what is accepted, what is printed, and whether the formats are what they claim to be.

mod accept;
mod formats;
mod hostile;
mod sample;
mod schema;
