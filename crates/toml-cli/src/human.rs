//! Findings as a compiler shows them: title, the lines with labels, why, and the edit that helps.

use std::ops::Range;

use annotate_snippets::{
    AnnotationKind, Group, Level, Patch, Renderer, Snippet, normalize_untrusted_str,
};
use findings::Severity;
use fly_toml::{Applicability, Diagnostic, Span};
use ops_cli::Ui;

/// Bytes of text shown around a place at most; a hostile file must not cost more than its size.
const WINDOW: usize = 4096;

/// A file that diagnostics are about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its text, secrets already masked.
    pub(crate) text: &'a str,
}

/// The renderer for where standard output goes.
pub(crate) fn renderer(ui: &Ui) -> Renderer {
    let renderer = if ui.has_color() { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(usize::from(ui.width()))
}

/// One diagnostic with its excerpt, ending with a line break.
pub(crate) fn render(diagnostic: &Diagnostic, file: Shown<'_>, renderer: &Renderer) -> String {
    let excerpt = Excerpt::around(diagnostic, file.text);
    let level = match diagnostic.severity {
        Severity::Info => Level::INFO,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
        Severity::Critical => Level::ERROR.with_name("critical"),
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.id);
    let mut snippet = Snippet::source(excerpt.text).line_start(excerpt.line).path(file.name);
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let Some(range) = excerpt.range(label.span) else { continue };
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let text = (!label.text.is_empty()).then(|| normalize_untrusted_str(&label.text));
        snippet = snippet.annotation(kind.span(range).label(text));
    }
    let mut group = if diagnostic.labels.is_empty() {
        title.element(annotate_snippets::Origin::path(file.name))
    } else {
        title.element(snippet)
    };
    if !diagnostic.why.is_empty() {
        group = group.element(Level::NOTE.message(normalize_untrusted_str(&diagnostic.why)));
    }
    let mut groups = vec![group];
    if let Some(help) = fix(diagnostic, &excerpt) {
        groups.push(help);
    }
    let mut text = renderer.render(&groups).clone();
    text.push('\n');
    text
}

/// The edit, when all of it lies in the excerpt.
fn fix<'a>(diagnostic: &'a Diagnostic, excerpt: &Excerpt<'a>) -> Option<Group<'a>> {
    let fix = diagnostic.fix.as_ref()?;
    let words = match fix.applicability {
        Applicability::MachineApplicable => " (--fix does it)",
        Applicability::MaybeIncorrect => "",
        Applicability::HasPlaceholders => " (fill in the blanks)",
    };
    let title = format!("{}{words}", normalize_untrusted_str(&fix.title));
    let title = Level::HELP.secondary_title(title);
    let patches: Option<Vec<Patch<'_>>> = fix
        .edits
        .iter()
        .map(|edit| Some(Patch::new(excerpt.range(edit.span)?, edit.replacement.as_str())))
        .collect();
    match patches {
        Some(patches) if !patches.is_empty() => Some(
            title.element(Snippet::source(excerpt.text).line_start(excerpt.line).patches(patches)),
        ),
        _ => Some(Group::with_title(title)),
    }
}

/// The part of a text that a diagnostic needs.
#[derive(Debug)]
struct Excerpt<'a> {
    text: &'a str,
    start: usize,
    line: usize,
}

impl<'a> Excerpt<'a> {
    /// Whole lines around the labels and edits; cut to a window around the first label where that would be too much.
    fn around(diagnostic: &Diagnostic, text: &'a str) -> Self {
        let main = diagnostic.span().unwrap_or_default();
        let labels = diagnostic.labels.iter().map(|label| label.span);
        let edits = diagnostic.fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.span));
        let near = |span: &Span| {
            span.start.abs_diff(main.start) < WINDOW && span.end.abs_diff(main.start) < WINDOW
        };
        let all = labels.chain(edits).filter(near).fold(main, Span::join);
        let floor = all.start.saturating_sub(WINDOW);
        let ceiling = (all.end.min(main.start + WINDOW) + WINDOW).min(text.len());
        let floor = (0..=floor.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let floor = floor.unwrap_or(0);
        let ceiling = (ceiling..=text.len()).find(|at| text.is_char_boundary(*at));
        let ceiling = ceiling.unwrap_or(text.len());
        let before = text.get(floor..all.start).unwrap_or("");
        let start = before.rfind('\n').map_or(floor, |at| floor + at + 1);
        let last = all.end.clamp(start, ceiling);
        let after = text.get(last..ceiling).unwrap_or("");
        // A place right behind a line break belongs to the line before.
        let end = if last > all.start && text[..last].ends_with('\n') {
            last
        } else {
            after.find('\n').map_or(ceiling, |at| last + at + 1)
        };
        let line = text.get(..start).unwrap_or("").matches('\n').count() + 1;
        Self { text: text.get(start..end).unwrap_or(""), start, line }
    }

    fn range(&self, span: Span) -> Option<Range<usize>> {
        let start = span.start.checked_sub(self.start)?;
        let end = span.end.checked_sub(self.start)?.min(self.text.len());
        (start <= end).then_some(start..end)
    }
}

/// The text with these places blanked out; places in it stay where they are.
pub(crate) fn masked(text: &str, secrets: &[Span]) -> String {
    let mut masked = text.to_owned();
    for span in secrets {
        let hidden = span.of(text);
        let blank: String =
            hidden.split('\n').map(|line| "*".repeat(line.len())).collect::<Vec<_>>().join("\n");
        if !hidden.is_empty() {
            masked.replace_range(span.start..span.end, &blank);
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Vec<String> {
        let report = fly_toml::check(text);
        let file = Shown { name: "fly.toml", text };
        let render = |diagnostic| render(diagnostic, file, &Renderer::plain());
        report.diagnostics.iter().map(render).collect()
    }

    #[test]
    fn places_far_apart_at_the_end_and_in_long_lines() {
        let far = format!("[env]\nA = 'x'\n{}\nA = 'y'", "# comment\n".repeat(2000));
        let shown = plain(&far);
        assert!(shown[0].contains("2004 | A = 'y'"), "{}", shown[0]);
        let long = format!("app = 'a'\nx = '{}' = 1\n", "ü".repeat(20_000));
        assert!(plain(&long).iter().all(|text| text.len() < 20_000));
        for text in
            ["", "app", "app = ", "app = 'a", "a = 1\r\na = 2\r\n", "\u{1b}[31m = 1", "[[", "ü"]
        {
            plain(text);
        }
    }

    #[test]
    fn control_characters_of_a_file_do_not_reach_the_terminal() {
        for text in plain("\"a\\u001b[2Jb\" = 1\nkey = \u{1b}[2J\n") {
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
    }

    #[test]
    fn masks_keep_lengths_and_lines() {
        assert_eq!(masked("a = 'ü\nb'", &[Span::new(4, 10)]), "a = ***\n**");
    }
}
