//! The one file that a command reads, and where its result goes.

use std::path::Path;

use fly_toml::{Config, Document, schema};
use ops_cli::{CliError, Context, write_atomic};

use crate::input::{self, Source};

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Where it came from.
    pub(crate) source: Source,
    /// Its text.
    pub(crate) document: Document,
}

/// Reads the named file, or fly.toml here.
pub(crate) fn load(named: Option<&Path>, context: &Context) -> Result<Loaded, CliError> {
    let source = input::one(named, &context.directory)?;
    let document = Document::parse(input::text(&source)?);
    Ok(Loaded { source, document })
}

impl Loaded {
    /// The file as flyctl reads it; an error when it cannot.
    pub(crate) fn config(&self) -> Result<Config, CliError> {
        let report = fly_toml::check(self.document.text());
        if report.loads() {
            return Ok(schema::load(&self.document, &[]).0);
        }
        let first = report.diagnostics.iter().find(|found| found.span().is_some());
        let place = first.and_then(fly_toml::Diagnostic::span).map(|span| {
            let at = self.document.position(span.start);
            format!(" (line {}, column {})", at.line, at.column)
        });
        let name = self.source.name();
        Err(CliError::usage(format!("flyctl cannot read {name}{}", place.unwrap_or_default()))
            .hint(format!("`fly-toml check {name}` says what is wrong")))
    }

    /// Puts a new text where it belongs: into the file, or on standard output for standard input and with `print`.
    pub(crate) fn replace(
        &self,
        text: &str,
        print: bool,
        context: &Context,
    ) -> Result<(), CliError> {
        match &self.source {
            Source::File { path, shown } if !print => {
                if text == self.document.text() {
                    context.ui.note(&format!("{shown}: nothing to change"));
                    return Ok(());
                }
                input::unchanged(path, shown, self.document.text().as_bytes())?;
                write_atomic(path, text.as_bytes())?;
                context.ui.note(&format!("{shown}: written"));
                Ok(())
            }
            _ => context.ui.bytes(text.as_bytes()),
        }
    }
}

/// Writes a new file, or refuses to replace one that is there.
pub(crate) fn create(
    path: &Path,
    text: &str,
    force: bool,
    context: &Context,
) -> Result<(), CliError> {
    let full = context.directory.join(path);
    if full.exists() && !force {
        return Err(CliError::usage(format!("{} exists", path.display()))
            .hint("name another file, or give --force to replace it"));
    }
    write_atomic(&full, text.as_bytes())?;
    context.ui.note(&format!("{}: written", path.display()));
    Ok(())
}
