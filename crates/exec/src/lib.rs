//! Runs other programs well.
//!
//! Purpose: find a program, check its version, start it with arguments that cannot be secret, end it in time with everything
//! it started, keep its output under a size cap, and leave a redacted record of the run. Of the platforms it knows only
//! flyctl, in [`flyctl`]. It must not know: terminals, this process's environment (callers hand it in), what output means to
//! a caller.

mod capture;
mod command;
mod environment;
pub mod flyctl;
mod group;
mod program;
mod run;
mod transcript;
mod version;

pub use capture::{Cap, Captured};
pub use command::{Arg, Command};
pub use environment::Environment;
pub use program::{FindError, Program};
pub use run::{Clock, Ran, RunError, Runner};
pub use transcript::{Ending, Scrub, Transcript, scrub_with};
pub use version::Version;
