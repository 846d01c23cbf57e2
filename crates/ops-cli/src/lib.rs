//! What every binary shares: arguments, configuration, output, progress, exit codes.
//!
//! A binary's `main` is [`main`]; its options are the groups of [`args`] that it flattens plus its own; what they mean
//! together with environment and files is a [`Config`]. Invariant: the only crate that reads environment variables and
//! knows the terminal.

mod app;
pub mod args;
mod cancel;
mod config;
mod diag;
pub mod env;
mod exit;
mod files;
mod progress;
mod resolved;
mod run;
mod scrub;
mod token;
mod token_advice;
mod trace;
mod ui;
mod window;

pub use app::config_file;
pub use cancel::{Cancel, Signal};
pub use config::{Config, Typed};
pub use diag::{CliError, Explain, chain};
pub use env::Env;
pub use exit::Exit;
pub use files::{Dirs, Leftovers, Registered, write_atomic};
pub use progress::Progress;
pub use resolved::{Resolved, Source};
pub use run::{Arguments, Context, main};
pub use scrub::Scrubber;
pub use token_advice::LeastToken;
pub use trace::OwnLog;
pub use ui::{Captured, Terminal, Ui, table};
pub use window::{Window, WindowError};
