//! Where the access token comes from: `--token-file`, two variables, flyctl's own configuration file.
//!
//! Every message names the place and the rule, never the value. Facts about flyctl's file: wire reference 1.2, 1.3.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use fly_api::Token;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::diag::CliError;
use crate::env::{self, Env};
use crate::files::Dirs;
use crate::resolved::{Resolved, Source};

/// The largest token or configuration file that is read, in bytes. Real ones have a few kilobytes.
const CAP: u64 = 1 << 20;

/// Finds and checks the token. None anywhere is not an error: some commands need none, others say what lacks.
pub(crate) fn discover(
    flag: Option<&Path>,
    environment: &Env,
    config_dir: Option<&Path>,
    warnings: &mut Vec<String>,
) -> Result<Option<Resolved<Token>>, CliError> {
    if let Some(path) = flag {
        let text = if path == Path::new("-") {
            let mut text = Zeroizing::new(String::new());
            std::io::stdin().lock().take(CAP).read_to_string(&mut text).map_err(|error| {
                CliError::usage("cannot read a token from standard input").caused_by(error)
            })?;
            text
        } else {
            warn_if_shared(path, warnings);
            read(path, "token file")?
        };
        let source = Source::File { path: path.to_owned(), key: "" };
        return parse(&text, &source).map(Some);
    }
    if let Some((variable, value)) =
        environment.first(&[env::FLY_ACCESS_TOKEN, env::FLY_API_TOKEN])?
    {
        return parse(value, &Source::Variable(variable.name)).map(Some);
    }
    let Some(path) = config_dir.map(|directory| directory.join("config.yml")) else {
        return Ok(None);
    };
    match fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(_) | Ok(_) => {}
    }
    let text = read(&path, "flyctl's configuration file")?;
    let Some(value) = access_token(&text).map_err(|rule| {
        CliError::usage(format!("invalid configuration file {}: {rule}", path.display()))
            .hint("run `fly auth login` to write it anew, or set FLY_API_TOKEN")
    })?
    else {
        return Ok(None);
    };
    warn_if_shared(&path, warnings);
    parse(&value, &Source::File { path, key: "access_token" }).map(Some)
}

/// flyctl's directory: `FLY_CONFIG_DIR`, or `.fly` in the home directory.
pub(crate) fn config_dir(environment: &Env, dirs: &Dirs) -> Option<Resolved<PathBuf>> {
    match environment.raw(env::FLY_CONFIG_DIR) {
        Some(path) => Some(Resolved::variable(PathBuf::from(path), env::FLY_CONFIG_DIR)),
        None => dirs.home().map(|home| Resolved::default(home.join(".fly"))),
    }
}

fn parse(text: &str, source: &Source) -> Result<Resolved<Token>, CliError> {
    let value = Token::parse(&SecretString::from(text)).map_err(|error| {
        CliError::usage(format!("invalid access token from {source}: {error}"))
            .hint("a token looks like `FlyV1 fm2_…` or `fo1_…`; `fly tokens create` prints one")
    })?;
    Ok(Resolved { value, source: source.clone() })
}

fn read(path: &Path, what: &str) -> Result<Zeroizing<String>, CliError> {
    let fail = |cause: &str| {
        CliError::usage(format!("cannot read the {what} {}: {cause}", path.display()))
    };
    let file = fs::File::open(path).map_err(|error| {
        CliError::usage(format!("cannot read {what} {}", path.display())).caused_by(error)
    })?;
    let metadata = file.metadata().map_err(|error| {
        CliError::usage(format!("cannot read {what} {}", path.display())).caused_by(error)
    })?;
    if metadata.is_dir() {
        return Err(fail("it is a directory"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(CAP + 1).read_to_end(&mut bytes).map_err(|error| {
        CliError::usage(format!("cannot read {what} {}", path.display())).caused_by(error)
    })?;
    if bytes.len() as u64 > CAP {
        return Err(fail("it is larger than 1 MiB"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(fail("it is not UTF-8 text")),
    }
}

/// A token that others on this machine can read is worth a word.
fn warn_if_shared(path: &Path, warnings: &mut Vec<String>) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if let Ok(metadata) = fs::metadata(path)
            && metadata.is_file()
            && metadata.permissions().mode() & 0o077 != 0
        {
            warnings.push(format!(
                "{} holds a token and can be read by others on this machine; run `chmod 600 {}`",
                path.display(),
                path.display()
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, warnings);
}

/// The value of the top-level key `access_token` of flyctl's YAML: plain, quoted or folded. `None`: no such key, or empty.
fn access_token(text: &str) -> Result<Option<Zeroizing<String>>, String> {
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line_number = index + 1;
        let Some((key, rest)) = line.split_once(':') else {
            if line.trim().is_empty()
                || line.starts_with(['#', ' ', '\t', '-'])
                || line == "..."
                || line == "{}"
            {
                continue;
            }
            return Err(format!("line {line_number} is not `key: value`"));
        };
        if key.trim_matches(['"', '\'']) != "access_token" {
            continue;
        }
        let mut value = Zeroizing::new(rest.trim().to_owned());
        let block = value.starts_with(['|', '>']);
        if block {
            value.clear();
        }
        // Whatever is indented below belongs to the same value.
        for (_, more) in lines.by_ref() {
            if !more.starts_with([' ', '\t']) {
                break;
            }
            if !value.is_empty() {
                value.push(' ');
            }
            value.push_str(more.trim());
        }
        if value.starts_with(['[', '{', '&', '*', '!']) || value.starts_with("- ") {
            return Err(format!("`access_token` in line {line_number} is not a text"));
        }
        return Ok(Some(unquoted(&value)).filter(|value| !value.is_empty()));
    }
    Ok(None)
}

fn unquoted(value: &str) -> Zeroizing<String> {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.split(quote).next()) {
            return Zeroizing::new(inner.to_owned());
        }
    }
    // A comment needs white space in front.
    let plain = value.split(" #").next().unwrap_or_default().trim();
    Zeroizing::new(if matches!(plain, "~" | "null") { String::new() } else { plain.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Result<Option<String>, String> {
        Ok(access_token(text)?.map(|value| value.to_string()))
    }

    #[test]
    fn flyctl_files() {
        for (text, expected) in [
            ("access_token: fo1_abc\nmetrics_token: x\n", Some("fo1_abc")),
            (
                "metrics_token: x\naccess_token: \"FlyV1 fm2_a,fm2_b\"  # made by hand\n",
                Some("FlyV1 fm2_a,fm2_b"),
            ),
            ("access_token: 'fm2_a'\n", Some("fm2_a")),
            (
                "access_token: FlyV1 fm2_a,\n  fm2_b\nlast_login: 2026-01-01\n",
                Some("FlyV1 fm2_a, fm2_b"),
            ),
            ("access_token: >-\n  fm2_a\n", Some("fm2_a")),
            ("access_token: \"\"\n", None),
            ("access_token:\nlast_login: x\n", None),
            ("access_token: null\n", None),
            ("wire_guard_state:\n  acme:\n    access_token: not_this\n", None),
            ("{}\n", None),
            ("", None),
        ] {
            assert_eq!(token(text).unwrap().as_deref(), expected, "{text}");
        }
        assert!(token("access_token: [a]\n").unwrap_err().contains("not a text"));
        assert_eq!(token("hello\n").unwrap_err(), "line 1 is not `key: value`");
    }

    #[test]
    fn sources_in_order_and_never_the_value() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "fm2_fromfile\n").unwrap();
        fs::write(folder.path().join("config.yml"), "access_token: fo1_fromlogin\n").unwrap();
        let both =
            Env::from_pairs([("FLY_API_TOKEN", "fo1_api"), ("FLY_ACCESS_TOKEN", "fo1_access")]);
        let api = Env::from_pairs([("FLY_API_TOKEN", "fo1_api")]);
        let find = |flag: Option<&Path>, env: &Env| {
            discover(flag, env, Some(folder.path()), &mut Vec::new())
                .unwrap()
                .unwrap()
                .source
                .to_string()
        };
        assert_eq!(find(Some(&file), &both), file.display().to_string());
        assert_eq!(find(None, &both), "FLY_ACCESS_TOKEN");
        assert_eq!(find(None, &api), "FLY_API_TOKEN");
        assert!(find(None, &Env::default()).starts_with("'access_token' in "));
        assert!(discover(None, &Env::default(), None, &mut Vec::new()).unwrap().is_none());

        let bad = Env::from_pairs([("FLY_API_TOKEN", "fo1_top secret")]);
        let error = discover(None, &bad, None, &mut Vec::new()).unwrap_err();
        assert_eq!(error.exit(), crate::Exit::Usage);
        let text = error.render();
        assert!(text.contains("from FLY_API_TOKEN") && text.contains("white space"), "{text}");
        assert!(!text.contains("top") && !text.contains("secret"), "{text}");
        let error = discover(Some(folder.path()), &api, None, &mut Vec::new()).unwrap_err();
        assert!(error.render().contains("it is a directory"), "{}", error.render());
        let error = discover(Some(Path::new("/no/such")), &api, None, &mut Vec::new()).unwrap_err();
        assert_eq!(error.exit(), crate::Exit::Usage);
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_can_read_gets_a_warning() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "fm2_x").unwrap();
        let mut warnings = Vec::new();
        discover(Some(file.path()), &Env::default(), None, &mut warnings).unwrap();
        assert!(warnings.is_empty());
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        discover(Some(file.path()), &Env::default(), None, &mut warnings).unwrap();
        assert!(warnings[0].contains("chmod 600"));
    }
}
