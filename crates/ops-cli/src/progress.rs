//! Progress: bars on a terminal, a line per finished task elsewhere, nothing with `--quiet`.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::ui::{ProgressMode, Ui};

/// One task under way. Dropped unfinished, its bar disappears without a word.
#[derive(Debug)]
pub struct Progress {
    ui: Ui,
    title: String,
    bar: Option<ProgressBar>,
}

impl Ui {
    /// Starts a task; `total` is the number of its parts, where known.
    pub fn progress(&self, title: impl Into<String>, total: Option<u64>) -> Progress {
        let title = title.into();
        let bar = (self.progress_mode() == ProgressMode::Bars).then(|| {
            let (bar, template) = match total {
                Some(total) => {
                    (ProgressBar::new(total), "{prefix:<24} {bar:30} {pos}/{len} {wide_msg}")
                }
                None => (ProgressBar::new_spinner(), "{prefix:<24} {spinner} {elapsed} {wide_msg}"),
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            let bar = self.bars.add(bar.with_prefix(title.clone()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Progress { ui: self.clone(), title, bar }
    }
}

impl Progress {
    /// Parts that were done since the last call.
    pub fn advance(&self, parts: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(parts);
        }
    }

    /// What is being done right now. Seen on bars only.
    pub fn message(&self, text: impl Into<String>) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.into());
        }
    }

    /// Ends the task; the outcome stays as a line.
    pub fn finish(self, outcome: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if self.ui.progress_mode() != ProgressMode::Hidden {
            self.ui.err_line(None, &format!("{}: {outcome}", self.title));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            self.ui.bars.remove(bar);
        }
    }
}
