//! The Dockerfile that belongs to a fly.toml: which one it is, and its text.

use std::path::{Path, PathBuf};

use fly_toml::{Config, Diagnostic, Document};
use ops_cli::{CliError, Context};

use super::Checked;
use crate::input::{Content, Source};

/// A Dockerfile that was found.
#[derive(Debug)]
pub(crate) struct Dockerfile {
    name: String,
    /// Its text.
    pub(crate) text: String,
}

impl Dockerfile {
    /// What there is to say about it by itself; `None` when nothing is.
    pub(crate) fn checked(self, chosen: impl Fn(&Diagnostic) -> bool) -> Option<Checked> {
        let mut diagnostics = fly_toml::dockerfile::check(&self.text);
        diagnostics.retain(chosen);
        (!diagnostics.is_empty()).then(|| Checked {
            name: self.name,
            document: Document::unparsed(self.text),
            diagnostics,
        })
    }
}

/// The Dockerfile: the one that was named, or that of `[build]`, or the one beside the file. None where the image comes
/// from elsewhere.
pub(crate) fn find(
    bytes: &[u8],
    source: &Source,
    named: Option<&Path>,
    context: &Context,
) -> Result<Option<Dockerfile>, CliError> {
    if let Some(named) = named {
        return Ok(Some(read(named.display().to_string(), &context.directory.join(named))?));
    }
    let text = String::from_utf8_lossy(bytes);
    let config = fly_toml::schema::load(&Document::parse(text), &[]).0;
    let Some(relative) = relative(&config) else { return Ok(None) };
    let path = source.folder(&context.directory).join(&relative);
    if !path.is_file() {
        return Ok(None);
    }
    let shown = match source {
        Source::File { shown, .. } => Path::new(shown)
            .parent()
            .map_or_else(|| relative.clone(), |folder| folder.join(&relative)),
        Source::Stdin => relative,
    };
    read(shown.display().to_string(), &path).map(Some)
}

/// Relative to the folder of the file.
fn relative(config: &Config) -> Option<PathBuf> {
    let build = config.build.as_ref();
    let elsewhere = build.is_some_and(|build| {
        build.image.is_some() || build.builder.is_some() || build.builtin.is_some()
    });
    if elsewhere {
        return None;
    }
    let named = build.and_then(|build| build.dockerfile.as_ref());
    let name = named.map_or("Dockerfile", |name| name.value.as_str());
    (!name.contains("://")).then(|| PathBuf::from(name))
}

fn read(shown: String, path: &Path) -> Result<Dockerfile, CliError> {
    let source = Source::File { shown: shown.clone(), path: path.to_owned() };
    let bytes = match source.read()? {
        Content::Bytes(bytes) => bytes,
        Content::TooLarge => {
            return Err(CliError::usage(format!("{shown} is too large for a Dockerfile"))
                .hint("leave it out with --no-dockerfile"));
        }
    };
    // A Dockerfile in another encoding still builds; what cannot be read is not judged.
    Ok(Dockerfile { name: shown, text: String::from_utf8_lossy(&bytes).into_owned() })
}
