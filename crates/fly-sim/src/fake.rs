//! The fake `fly`: prints recorded output only, with placeholders filled. It invents nothing: a command without a
//! recording ends with exit code 90.
//!
//! A recording is a directory with `recording.toml` (`args`, `exit`, where it came from), `stdout` and `stderr`.
//! An argument `{{name}}` matches anything and fills `{{name}}` in the output.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Exit code for a command that nobody recorded.
pub const NOT_RECORDED: u8 = 90;

/// Variable that names the directory of recordings.
pub const RECORDINGS_VARIABLE: &str = "FAKE_FLY_RECORDINGS";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    args: Vec<String>,
    exit: u8,
    #[serde(default)]
    #[expect(dead_code, reason = "read by people and by the replay test")]
    origin: String,
    #[serde(default)]
    #[expect(dead_code, reason = "read by people and by the replay test")]
    world: String,
}

/// Where recordings are when nothing else is said: those of this repository, as it was when this was built.
pub fn default_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings/flyctl-0.4.87")
}

/// Answers one command line from the recordings; the result is the exit code.
pub fn run(
    args: &[String],
    directory: &Path,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<u8> {
    let mut entries: Vec<PathBuf> = match std::fs::read_dir(directory) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) => {
            writeln!(err, "fake-fly: cannot read recordings in {}: {error}", directory.display())?;
            return Ok(NOT_RECORDED);
        }
    };
    entries.sort();
    for folder in entries {
        let Ok(text) = std::fs::read_to_string(folder.join("recording.toml")) else { continue };
        let meta: Meta = toml::from_str(&text).map_err(io::Error::other)?;
        if let Some(values) = matches(&meta.args, args) {
            out.write_all(fill(&read(&folder, "stdout")?, &values).as_bytes())?;
            err.write_all(fill(&read(&folder, "stderr")?, &values).as_bytes())?;
            return Ok(meta.exit);
        }
    }
    writeln!(err, "fake-fly: no recording of `fly {}` in {}", args.join(" "), directory.display())?;
    Ok(NOT_RECORDED)
}

fn read(folder: &Path, name: &str) -> io::Result<String> {
    let path = folder.join(name);
    if path.exists() { std::fs::read_to_string(path) } else { Ok(String::new()) }
}

fn matches(template: &[String], args: &[String]) -> Option<BTreeMap<String, String>> {
    let (template, args) = (canonical(template), canonical(args));
    if template.len() != args.len() {
        return None;
    }
    let mut values = BTreeMap::new();
    for (wanted, seen) in template.iter().zip(&args) {
        if wanted.0 != seen.0 {
            return None;
        }
        match wanted.1.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
            Some(name) => {
                values.insert(name.to_owned(), seen.1.clone());
            }
            None if wanted.1 == seen.1 => {}
            None => return None,
        }
    }
    Some(values)
}

/// Flags that take a value, under their long names, with what they are also called.
const VALUED: [(&str, &str); 4] =
    [("--app", "-a"), ("--org", "-o"), ("--region", "-r"), ("--config", "-c")];

/// (flag, value) pairs in the order of flags; words keep their order under an empty flag. So `doctor -a x --json` and
/// `doctor --json --app=x` are the same command.
fn canonical(args: &[String]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with('-') => (name, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let long = VALUED.iter().find(|(long, short)| name == *long || name == *short);
        pairs.push(match (long, inline) {
            (Some((long, _)), Some(value)) => ((*long).to_owned(), value),
            (Some((long, _)), None) => {
                ((*long).to_owned(), words.next().cloned().unwrap_or_default())
            }
            (None, Some(value)) => (name.to_owned(), value),
            (None, None) if name == "-j" => ("--json".to_owned(), String::new()),
            (None, None) if name.starts_with('-') => (name.to_owned(), String::new()),
            (None, None) => (String::new(), name.to_owned()),
        });
    }
    // Stable: words stay in their order.
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs
}

fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let filled = |text: String, (name, value): (&String, &String)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    };
    values.iter().fold(text.to_owned(), filled)
}
