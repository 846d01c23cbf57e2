//! The tool's own log: everything it does, kept in memory through redaction, and shown on standard error on demand.
//!
//! A support bundle takes [`OwnLog::snapshot`] along as `self/tool.log`.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::scrub::Scrubber;
use crate::ui::Ui;

/// How much is kept, in bytes; the oldest lines go first.
const CAP: usize = 4 << 20;

/// What the own log keeps: our crates in detail, warnings of everything else.
const KEEP: &str = "warn,debug_bundle=debug,exec=debug,fly_api=debug,migrate=debug,net=debug,ops_cli=debug,runbook=debug,toml_cli=debug";

/// The newest lines of the tool's own log. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct OwnLog {
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<Vec<u8>>,
    bytes: usize,
    dropped: u64,
}

impl OwnLog {
    /// The log so far. When lines had to go, its first line says how many.
    pub fn snapshot(&self) -> Vec<u8> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Vec::with_capacity(lines.bytes + 64);
        if lines.dropped > 0 {
            text.extend_from_slice(
                format!("({} earlier lines dropped)\n", lines.dropped).as_bytes(),
            );
        }
        for line in &lines.kept {
            text.extend_from_slice(line);
        }
        text
    }

    fn push(&self, line: Vec<u8>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.bytes += line.len();
        lines.kept.push_back(line);
        while lines.bytes > CAP {
            let Some(oldest) = lines.kept.pop_front() else { break };
            lines.bytes -= oldest.len();
            lines.dropped += 1;
        }
    }
}

/// Where formatted lines go after redaction.
#[derive(Clone)]
enum Target {
    Log(OwnLog),
    Terminal(Ui),
}

#[derive(Clone)]
struct Redacting {
    scrubber: Scrubber,
    target: Target,
}

/// One event: collected whole, so that no secret is cut in two, redacted when it is complete.
struct Event {
    sink: Redacting,
    buffer: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Redacting {
    type Writer = Event;

    fn make_writer(&'a self) -> Event {
        Event { sink: self.clone(), buffer: Vec::new() }
    }
}

impl Write for Event {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let clean = self.sink.scrubber.clean(&String::from_utf8_lossy(&self.buffer));
        match &self.sink.target {
            Target::Log(log) => log.push(clean.into_bytes()),
            Target::Terminal(ui) => ui.err_line(None, clean.trim_end()),
        }
    }
}

/// A subscriber that writes to the own log and, from `-v` on or with a filter, to standard error.
pub(crate) fn subscriber(
    ui: &Ui,
    log: &OwnLog,
    scrubber: &Scrubber,
    filter: Option<&str>,
) -> Result<impl tracing::Subscriber + Send + Sync + 'static, String> {
    let keep = fmt::layer()
        .with_ansi(false)
        .with_writer(Redacting { scrubber: scrubber.clone(), target: Target::Log(log.clone()) })
        .with_filter(EnvFilter::new(KEEP));
    let shown = match (filter, ui.verbosity()) {
        (Some(filter), _) => Some(filter.parse::<EnvFilter>().map_err(|error| error.to_string())?),
        (None, 0) => None,
        (None, 1) => Some(EnvFilter::new("warn")),
        (None, 2) => Some(EnvFilter::new(KEEP)),
        (None, _) => Some(EnvFilter::new("trace")),
    };
    let show = shown.map(|filter| {
        fmt::layer()
            .with_ansi(false)
            .without_time()
            .with_writer(Redacting {
                scrubber: scrubber.clone(),
                target: Target::Terminal(ui.clone()),
            })
            .with_filter(filter)
    });
    Ok(Registry::default().with(keep).with(show))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::OutputArgs;
    use crate::env::Env;
    use crate::ui::Terminal;

    #[test]
    fn the_log_is_kept_clean_and_shown_on_demand() {
        for (verbose, shown) in [(0, 0), (1, 1), (2, 2)] {
            let args = OutputArgs { verbose, ..OutputArgs::default() };
            let (ui, captured) = Ui::captured(&args, &Env::default(), Terminal::default(), "");
            let (log, scrubber) = (OwnLog::default(), Scrubber::default());
            scrubber.learn(&secrecy::SecretString::from("hunter2hunter2"));
            let subscriber = subscriber(&ui, &log, &scrubber, None).unwrap();
            tracing::subscriber::with_default(subscriber, || {
                tracing::warn!(
                    token = "fm2_lJPECAAAAAAAAyFCxBDllJPECAAAAAAAAyFCxBDl",
                    "careful with hunter2hunter2"
                );
                tracing::debug!("in detail");
                tracing::trace!("never kept");
            });
            let kept = String::from_utf8(log.snapshot()).unwrap();
            assert_eq!(kept.lines().count(), 2, "{kept}");
            assert!(kept.contains("careful with ") && kept.contains("in detail"), "{kept}");
            assert_eq!(captured.stderr().lines().count(), shown);
            for text in [kept, captured.stderr()] {
                assert!(
                    !text.contains("lJPECAAAAAAAAyFCxBDl") && !text.contains("hunter2"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn the_oldest_lines_go_first() {
        let log = OwnLog::default();
        for number in 0..6 {
            log.push(format!("{number}{}\n", "x".repeat(CAP / 4)).into_bytes());
        }
        let kept = String::from_utf8(log.snapshot()).unwrap();
        assert!(kept.starts_with("(3 earlier lines dropped)\n3x"), "{}", &kept[..60]);
        assert!(kept.len() <= CAP + 64);
    }
}
