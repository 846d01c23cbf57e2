//! `fly-toml fmt`, `get`, `set`, `unset`: edits that leave the rest of the file as it is.

use fly_toml::edit::{self, EditError, Path};
use fly_toml::{Document, syntax};
use ops_cli::{CliError, Context, Exit};

use crate::args::{FmtArgs, GetArgs, SetArgs, UnsetArgs};
use crate::input;
use crate::one::{self, Loaded};

/// Formats files; with `--check` only says which would change.
pub(crate) fn fmt(args: &FmtArgs, context: &Context) -> Result<Exit, CliError> {
    let mut different = 0;
    for source in input::many(&args.paths, &context.directory)? {
        let document = Document::parse(input::text(&source)?);
        let loaded = Loaded { source, document };
        let text = fly_toml::format(&loaded.document).map_err(|error| refused(&error, &loaded))?;
        if args.check {
            if text != loaded.document.text() {
                different += 1;
                context.ui.out(loaded.source.name())?;
            }
        } else {
            loaded.replace(&text, false, context)?;
        }
    }
    Ok(if different > 0 { Exit::Findings } else { Exit::Ok })
}

/// Prints a value: a text as it is, everything else as JSON.
pub(crate) fn get(args: &GetArgs, context: &Context) -> Result<Exit, CliError> {
    let loaded = one::load(args.file.as_deref(), context)?;
    let path: Path = args.path.parse().map_err(|error| refused(&error, &loaded))?;
    let value = edit::get(&loaded.document, &path).map_err(|error| refused(&error, &loaded))?;
    let json = syntax::to_json(value);
    match json.as_str() {
        Some(text) if !context.ui.is_json() => context.ui.out(text)?,
        _ => context.ui.json(&json)?,
    }
    Ok(Exit::Ok)
}

/// Sets values, all or none of them.
pub(crate) fn set(args: &SetArgs, context: &Context) -> Result<Exit, CliError> {
    let loaded = one::load(args.file.as_deref(), context)?;
    let refused = |error: &EditError| refused(error, &loaded);
    let mut document = loaded.document.clone();
    for pair in args.values.chunks(2) {
        let [path, value] = pair else {
            return Err(CliError::usage(format!("'{}' has no value", pair.concat()))
                .hint("give paths and values in turn: `fly-toml set app web primary_region fra`"));
        };
        let path: Path = path.parse().map_err(|error| refused(&error))?;
        let text = if args.text {
            edit::set(&document, &path, &edit::quote(value))
        } else {
            edit::set_input(&document, &path, value)
        };
        document = Document::parse(text.map_err(|error| refused(&error))?);
    }
    loaded.replace(document.text(), args.print, context)?;
    Ok(Exit::Ok)
}

/// Removes values, all or none of them.
pub(crate) fn unset(args: &UnsetArgs, context: &Context) -> Result<Exit, CliError> {
    let loaded = one::load(args.file.as_deref(), context)?;
    let refused = |error: &EditError| refused(error, &loaded);
    let mut document = loaded.document.clone();
    for path in &args.paths {
        let path: Path = path.parse().map_err(|error| refused(&error))?;
        document = Document::parse(edit::unset(&document, &path).map_err(|error| refused(&error))?);
    }
    loaded.replace(document.text(), args.print, context)?;
    Ok(Exit::Ok)
}

/// The file is untouched in every case; a missing value is the one refusal that is no mistake of the caller.
fn refused(error: &EditError, loaded: &Loaded) -> CliError {
    let name = loaded.source.name();
    let exit =
        if matches!(error, EditError::Missing { .. }) { Exit::NothingDone } else { Exit::Usage };
    let refused = CliError::new(exit, format!("{name}: {error}"));
    match error {
        EditError::NotToml { .. } => refused.hint(format!("`fly-toml check {name}` shows where")),
        EditError::Path { .. } => {
            refused.hint("a path looks like http_service.checks[0].interval or env.\"A.B\"")
        }
        _ => refused,
    }
}
