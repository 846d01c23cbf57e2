//! The Dockerfile beside a fly.toml: what it exposes and runs, and what hurts on a Machine.
//!
//! Only what can be read without building: instructions, not the files they copy. One condition per file, as with the
//! lints of fly.toml; places are those of the Dockerfile's text. Must not know: files, fly.toml.

mod base_image;
mod build_secrets;
mod instructions;
mod root_user;
mod shell_command;

pub use instructions::{Dockerfile, Instruction};

pub(crate) use build_secrets::CODE as SECRET;

use crate::diag::{Code, Diagnostic};

/// One lint of Dockerfiles.
pub struct Lint {
    /// Its code.
    pub code: &'static Code,
    /// Reports each place that has it.
    pub check: fn(&Dockerfile<'_>, &mut Vec<Diagnostic>),
}

/// Every lint of Dockerfiles.
pub static ALL: &[&Lint] =
    &[&base_image::LINT, &build_secrets::LINT, &root_user::LINT, &shell_command::LINT];

/// Everything there is to say about a Dockerfile by itself, in the order of the text.
pub fn check(text: &str) -> Vec<Diagnostic> {
    let dockerfile = Dockerfile::parse(text);
    let mut diagnostics = Vec::new();
    // Without a stage it is no Dockerfile, and nothing can be said.
    if dockerfile.stages().next().is_none() {
        return diagnostics;
    }
    for lint in ALL {
        (lint.check)(&dockerfile, &mut diagnostics);
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.span().unwrap_or_default());
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_read() {
        for text in [
            "",
            "FROM",
            "\\",
            "FROM a\\\n",
            "# escape=`\nFROM a `\n b\n",
            "RUN <<EOF\nUSER x\n",
            "ü\u{0}\n",
            "FROM scratch\r\nUSER 1\r\n",
        ] {
            check(text);
        }
    }
}
