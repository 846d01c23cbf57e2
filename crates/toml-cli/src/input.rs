//! Finding and reading what a command is about: files, directories, standard input. Sizes are bounded before reading.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fly_toml::MAX_BYTES;
use ops_cli::CliError;

/// The word for standard input in messages and reports.
pub(crate) const STDIN: &str = "<stdin>";

/// Folders that hold other people's files, or made ones.
const SKIPPED: [&str; 4] = ["node_modules", "target", "vendor", "venv"];

/// Where a text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file.
    File {
        /// As typed, or found below what was typed; messages name it.
        shown: String,
        /// Where it is.
        path: PathBuf,
    },
    /// Standard input.
    Stdin,
}

/// The bytes of a source.
#[derive(Debug)]
pub(crate) enum Content {
    /// All of them.
    Bytes(Vec<u8>),
    /// More than are read.
    TooLarge,
}

impl Source {
    /// The name in reports.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::File { shown, .. } => shown,
            Self::Stdin => STDIN,
        }
    }

    /// The folder that relative paths in the file start from.
    pub(crate) fn folder<'a>(&'a self, directory: &'a Path) -> &'a Path {
        match self {
            Self::File { path, .. } => path.parent().unwrap_or(directory),
            Self::Stdin => directory,
        }
    }

    /// Reads it, up to the limit.
    pub(crate) fn read(&self) -> Result<Content, CliError> {
        let read = match self {
            Self::File { path, .. } => fs::File::open(path).and_then(bounded),
            Self::Stdin => bounded(io::stdin().lock()),
        };
        read.map_err(|error| {
            CliError::usage(format!("cannot read {}", self.name())).caused_by(error)
        })
    }
}

/// Reads no more than what a check would accept, so that a wrong path costs neither time nor memory.
fn bounded(from: impl Read) -> io::Result<Content> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > MAX_BYTES { Content::TooLarge } else { Content::Bytes(bytes) })
}

/// A file as a text, for commands that need all of it.
pub(crate) fn text(source: &Source) -> Result<String, CliError> {
    match source.read()? {
        Content::TooLarge => Err(CliError::usage(format!(
            "cannot use {}: it has more than the {MAX_BYTES} bytes that are read",
            source.name()
        ))),
        Content::Bytes(bytes) => String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            CliError::usage(format!(
                "cannot use {}: byte {at} does not belong to UTF-8 text",
                source.name()
            ))
            .hint("save the file as UTF-8")
        }),
    }
}

/// Refuses to go on when somebody else changed a file since it was read.
pub(crate) fn unchanged(path: &Path, shown: &str, before: &[u8]) -> Result<(), CliError> {
    let now = fs::read(path)
        .map_err(|error| CliError::nothing_done(format!("cannot read {shown}")).caused_by(error))?;
    if now == before {
        return Ok(());
    }
    Err(CliError::nothing_done(format!("{shown} changed since it was read"))
        .hint("nothing was written; run the command again"))
}

/// The one file that a command is about: `-`, a path, a directory that holds fly.toml, or fly.toml here.
pub(crate) fn one(named: Option<&Path>, directory: &Path) -> Result<Source, CliError> {
    let named = named.unwrap_or_else(|| Path::new("fly.toml"));
    if named.as_os_str() == "-" {
        return Ok(Source::Stdin);
    }
    let path = directory.join(named);
    if path.is_dir() {
        return existing(&named.join("fly.toml"), directory);
    }
    existing(named, directory)
}

/// A file of data, e.g. JSON that flyctl printed, or `-`.
pub(crate) fn data(named: &Path, directory: &Path) -> Source {
    if named.as_os_str() == "-" {
        return Source::Stdin;
    }
    Source::File { shown: named.display().to_string(), path: directory.join(named) }
}

/// Everything that was named; directories are searched. Nothing named means fly.toml here.
pub(crate) fn many(named: &[PathBuf], directory: &Path) -> Result<Vec<Source>, CliError> {
    if named.is_empty() {
        return Ok(vec![one(None, directory)?]);
    }
    let mut sources = Vec::new();
    for path in named {
        if path.as_os_str() == "-" {
            sources.push(Source::Stdin);
        } else if directory.join(path).is_dir() {
            let before = sources.len();
            search(path, directory, &mut sources)?;
            if sources.len() == before {
                return Err(CliError::usage(format!(
                    "there is no fly.toml in or below {}",
                    path.display()
                ))
                .hint("name the file itself if it has another name"));
            }
        } else {
            sources.push(existing(path, directory)?);
        }
    }
    let mut seen = Vec::new();
    sources.retain(|source| {
        let is_new = !seen.contains(source);
        seen.push(source.clone());
        is_new
    });
    Ok(sources)
}

fn existing(named: &Path, directory: &Path) -> Result<Source, CliError> {
    let path = directory.join(named);
    let shown = named.display().to_string();
    let kind = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if matches!(kind, "json" | "yaml" | "yml") {
        return Err(CliError::usage(format!("cannot use {shown}: only TOML is read here"))
            .hint("flyctl reads JSON and YAML too; `fly config save` writes fly.toml"));
    }
    if let Err(error) = fs::metadata(&path) {
        return Err(CliError::usage(format!("cannot read {shown}"))
            .caused_by(error)
            .hint("name the file, its directory, or `-` for standard input"));
    }
    Ok(Source::File { shown, path })
}

/// Adds what is below a directory, in the order of names. Links are not followed, so there are no circles.
fn search(folder: &Path, directory: &Path, sources: &mut Vec<Source>) -> Result<(), CliError> {
    let cannot =
        |error| CliError::usage(format!("cannot search {}", folder.display())).caused_by(error);
    let mut entries: Vec<_> = fs::read_dir(directory.join(folder))
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(cannot)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type().map_err(cannot)?;
        let below = folder.strip_prefix(".").unwrap_or(folder).join(entry.file_name());
        if kind.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&&*name) {
                search(&below, directory, sources)?;
            }
        } else if kind.is_file() && is_config(&name) {
            let path = directory.join(&below);
            sources.push(Source::File { shown: below.display().to_string(), path });
        }
    }
    Ok(())
}

/// `fly.toml`, `fly.NAME.toml`, `fly-NAME.toml`, `fly_NAME.toml`.
fn is_config(name: &str) -> bool {
    name.strip_prefix("fly").and_then(|rest| rest.strip_suffix(".toml")).is_some_and(|middle| {
        middle.is_empty() || (middle.len() > 1 && middle.starts_with(['.', '-', '_']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_configuration_files() {
        for (name, is) in [
            ("fly.toml", true),
            ("fly.dev.toml", true),
            ("fly-staging.toml", true),
            ("flywheel.toml", false),
            ("fly..toml", false),
            ("fly.toml.bak", false),
            ("Cargo.toml", false),
        ] {
            assert_eq!(is_config(name), is, "{name}");
        }
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fly.toml");
        fs::write(&path, "b = 1\n").unwrap();
        assert!(unchanged(&path, "fly.toml", b"a = 1\n").is_err());
        assert!(unchanged(&path, "fly.toml", b"b = 1\n").is_ok());
    }

    #[test]
    fn directories_are_searched_and_links_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            "fly.toml",
            "apps/b/fly.toml",
            "apps/a/fly.dev.toml",
            "node_modules/x/fly.toml",
            ".git/fly.toml",
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("apps/circle")).unwrap();
        let names = |paths: &[&str]| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            let found = many(&paths, root).unwrap();
            found.iter().map(|source| source.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&["."]), ["apps/a/fly.dev.toml", "apps/b/fly.toml", "fly.toml"]);
        assert_eq!(
            names(&["apps", "apps/b/fly.toml", "-"]),
            ["apps/a/fly.dev.toml", "apps/b/fly.toml", STDIN]
        );
        assert_eq!(names(&[]), ["fly.toml"]);
        fs::create_dir(root.join("empty")).unwrap();
        assert!(many(&["empty".into()], root).is_err());
        assert!(many(&["gone.toml".into()], root).is_err());
    }
}
