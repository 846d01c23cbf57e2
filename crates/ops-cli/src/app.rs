//! Which app a command is about: `--app`, `FLY_APP`, or the key `app` of the app configuration file.
//!
//! Like flyctl, only the working directory is looked at, never its parents. Of the formats that flyctl reads, TOML and
//! JSON are read here; a lone `fly.yaml` is refused with a hint. What else is in the file belongs to `fly-toml`.

use std::fs;
use std::path::{Path, PathBuf};

use fly_types::AppName;

use crate::args::AppArgs;
use crate::diag::CliError;
use crate::env::{self, Env};
use crate::resolved::Resolved;

/// The largest configuration file that is read, in bytes.
const CAP: u64 = 16 << 20;

/// Finds and checks the app's name. The file is not opened when an option or variable names the app.
pub(crate) fn discover(
    args: &AppArgs,
    environment: &Env,
    directory: &Path,
) -> Result<Option<Resolved<AppName>>, CliError> {
    if let Some(text) = &args.app {
        let name = text.parse().map_err(|error| CliError::from_id(&error, "--app"))?;
        return Ok(Some(Resolved::flag(name, "--app")));
    }
    if let Some(text) = environment.text(env::FLY_APP)? {
        let name = text.parse().map_err(|error| CliError::from_id(&error, "FLY_APP"))?;
        return Ok(Some(Resolved::variable(name, env::FLY_APP)));
    }
    let Some(path) = config_file(args.config.as_deref(), directory)? else { return Ok(None) };
    let Some(text) = app_of(&path)? else { return Ok(None) };
    let name =
        text.parse().map_err(|error| CliError::from_id(&error, &path.display().to_string()))?;
    Ok(Some(Resolved::file(name, path, "app")))
}

/// The app configuration file: the one that `--config` names (or in the directory it names), or the first of
/// `fly.toml`, `fly.json`, `fly.yaml` in `directory`. A named file that is missing is an error.
pub fn config_file(named: Option<&Path>, directory: &Path) -> Result<Option<PathBuf>, CliError> {
    if let Some(named) = named {
        let path = directory.join(named);
        let path = if path.is_dir() { path.join("fly.toml") } else { path };
        return if path.exists() {
            Ok(Some(path))
        } else {
            Err(CliError::usage(format!("there is no configuration file {}", path.display()))
                .hint("name the file, or the directory that holds fly.toml, with --config"))
        };
    }
    let candidates = ["fly.toml", "fly.json", "fly.yaml"].map(|name| directory.join(name));
    Ok(candidates.into_iter().find(|path| path.exists()))
}

fn app_of(path: &Path) -> Result<Option<String>, CliError> {
    let invalid = |rule: &str| {
        CliError::usage(format!("invalid configuration file {}: {rule}", path.display()))
            .hint("name the app with --app, or check the file with `fly-toml check`")
    };
    let cannot = |error: std::io::Error| {
        CliError::usage(format!("cannot read the configuration file {}", path.display()))
            .caused_by(error)
            .hint("name the app with --app")
    };
    let metadata = fs::metadata(path).map_err(cannot)?;
    if metadata.is_dir() {
        return Err(invalid("it is a directory"));
    }
    if metadata.len() > CAP {
        return Err(invalid("it is larger than 16 MiB"));
    }
    let bytes = fs::read(path).map_err(cannot)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| invalid("it is not UTF-8 text"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let app = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => {
            let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
                invalid(&format!(
                    "it is not JSON (line {}, column {})",
                    error.line(),
                    error.column()
                ))
            })?;
            value.get("app").map(|app| app.as_str().map(str::to_owned))
        }
        Some("yaml" | "yml") => return Err(invalid("YAML is not read here")),
        _ => {
            let table: toml::Table = toml::from_str(text).map_err(|error| {
                let line = error.span().map_or(1, |span| {
                    text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1)
                });
                invalid(&format!("line {line}: {}", error.message()))
            })?;
            table.get("app").map(|app| app.as_str().map(str::to_owned))
        }
    };
    match app {
        Some(None) => Err(invalid("`app` is not a text")),
        Some(Some(name)) if name.is_empty() => Ok(None),
        Some(Some(name)) => Ok(Some(name)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(args: &AppArgs, env: &Env, directory: &Path) -> Result<Option<String>, String> {
        match discover(args, env, directory) {
            Ok(found) => Ok(found.map(|app| format!("{} from {}", app.value, app.source))),
            Err(error) => {
                assert_eq!(error.exit(), crate::Exit::Usage);
                Err(error.render().replace(&directory.display().to_string(), "DIR"))
            }
        }
    }

    #[test]
    fn flag_then_variable_then_file() {
        let folder = tempfile::tempdir().unwrap();
        let env = Env::from_pairs([("FLY_APP", "from-env")]);
        let none = Env::default();
        let typed = AppArgs { app: Some("typed".to_owned()), config: None };
        let bare = AppArgs::default();
        assert_eq!(find(&bare, &none, folder.path()).unwrap(), None);
        // A broken file does not matter to somebody who named the app.
        fs::write(folder.path().join("fly.toml"), "app = ").unwrap();
        assert_eq!(find(&typed, &env, folder.path()).unwrap().unwrap(), "typed from --app");
        assert_eq!(find(&bare, &env, folder.path()).unwrap().unwrap(), "from-env from FLY_APP");
        fs::write(folder.path().join("fly.toml"), "primary_region = 'fra'\napp = 'shop'\n")
            .unwrap();
        let found = find(&bare, &none, folder.path()).unwrap().unwrap();
        assert!(found.starts_with("shop from 'app' in "), "{found}");
        fs::write(folder.path().join("other.json"), r#"{"app":"json-app"}"#).unwrap();
        let other = AppArgs { app: None, config: Some("other.json".into()) };
        assert!(find(&other, &none, folder.path()).unwrap().unwrap().starts_with("json-app from"));
    }

    #[test]
    fn refusals_name_value_place_and_rule() {
        let folder = tempfile::tempdir().unwrap();
        let none = Env::default();
        let mut report = String::new();
        let mut add = |args: &AppArgs, env: &Env| {
            report.push_str(&find(args, env, folder.path()).unwrap_err());
        };
        add(&AppArgs { app: Some("My_App".to_owned()), config: None }, &none);
        add(&AppArgs { app: Some(String::new()), config: None }, &none);
        add(&AppArgs::default(), &Env::from_pairs([("FLY_APP", "../x")]));
        add(&AppArgs { app: None, config: Some("gone.toml".into()) }, &none);
        for content in [&b"\n\napp = = 1\n"[..], b"app = 3\n", b"app = 'Bad Name'\n", b"\xff\xfe"] {
            fs::write(folder.path().join("fly.toml"), content).unwrap();
            add(&AppArgs::default(), &none);
        }
        insta::assert_snapshot!(report);
    }
}
