//! `fly-debug-bundle redact`: standard input to standard output, as a stream.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ops_cli::{CliError, Context, Exit, Ui};
use redact::{Format, Options, RedactError, Redactor};

use super::args::{RedactArgs, Shape};

/// Runs on a thread of its own: reading standard input can take for ever, and a signal must not wait for it.
pub(super) async fn run(
    args: RedactArgs,
    key: Option<PathBuf>,
    context: &Context,
) -> Result<Exit, CliError> {
    let owned = context.clone();
    let work = tokio::task::spawn_blocking(move || filter(&args, key.as_deref(), &owned));
    match context.cancel.race(work).await {
        Ok(done) => done.map_err(|_| CliError::nothing_done("redacting crashed"))?,
        // What was not scanned to its end is not printed.
        Err(signal) => Ok(signal.exit()),
    }
}

fn filter(args: &RedactArgs, key: Option<&Path>, context: &Context) -> Result<Exit, CliError> {
    let key = super::prepare::pseudonym_key(key)?;
    if let Some(empty) = args.fields.iter().find(|path| path.split('.').any(str::is_empty)) {
        return Err(CliError::usage(format!(
            "invalid field '{empty}': it must be names joined by dots, like user.email"
        )));
    }
    let redactor = Redactor::new(Options::new(key).fields(&args.fields))
        .map_err(|error| CliError::nothing_done(error.to_string()))?;
    let format = match args.format {
        // Named fields only make sense in records.
        Shape::Auto if !args.fields.is_empty() => Format::Ndjson,
        shape => format(shape),
    };
    let mut stream = redactor.stream("standard input", format, Sink(context.ui.clone()));
    let mut input = io::stdin().lock();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(CliError::nothing_done("cannot read standard input").caused_by(error));
            }
        };
        if count == 0 {
            break;
        }
        if let Err(error) = stream.write_all(&buffer[..count]) {
            return Err(refused(&error.to_string()));
        }
        if context.ui.stdout_closed() {
            return Ok(Exit::Ok);
        }
    }
    stream.finish().map_err(|error| match error {
        RedactError::Sink { .. } => {
            CliError::nothing_done("cannot write to standard output").caused_by(error)
        }
        other => refused(&other.to_string()),
    })?;
    if let Some(path) = &args.report {
        let text = serde_json::to_string_pretty(&redactor.report()).unwrap_or_default() + "\n";
        if path == Path::new("-") {
            context.ui.note(text.trim_end());
        } else {
            ops_cli::write_atomic(path, text.as_bytes())?;
        }
    }
    Ok(Exit::Ok)
}

fn refused(why: &str) -> CliError {
    CliError::new(Exit::VerificationFailed, format!("the input could not be redacted: {why}"))
        .hint("what was printed so far is clean; the rest was not printed")
        .hint("name the format with --format")
}

fn format(shape: Shape) -> Format {
    match shape {
        Shape::Auto => Format::Auto,
        Shape::Json => Format::Json,
        Shape::Ndjson => Format::Ndjson,
        Shape::Toml => Format::Toml,
        Shape::Yaml => Format::Yaml,
        Shape::Ini => Format::Ini,
        Shape::Env => Format::Env,
        Shape::Headers => Format::Headers,
        Shape::Text => Format::Text,
    }
}

/// Standard output as a sink.
struct Sink(Ui);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.bytes(bytes).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
