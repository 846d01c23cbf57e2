//! From spans to output: overlapping spans become one, each is written as its pseudonym, everything is counted. One pass from left to right; the
//! text of a secret is never searched for again here.

use crate::engine::Redactor;
use crate::kind::Kind;
use crate::report::FileReport;
use crate::scan::{Learn, Shape, Span};

/// Lines named per file.
const MAX_LINES: usize = 100;

/// Sorts spans and joins those that overlap. The outer one wins; where neither holds the other, the joined text is one secret.
pub(crate) fn merge(spans: &mut Vec<Span>) {
    spans.sort_by(|a, b| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
    spans.dedup_by(|next, kept| {
        if next.start >= kept.end {
            return false;
        }
        kept.from = kept.from.min(next.from);
        if next.end > kept.end {
            kept.end = next.end;
            kept.kind = Kind::Secret;
            kept.prefix = "";
            kept.value = None;
            if !matches!(kept.shape, Shape::Quoted(_)) {
                kept.shape = Shape::Plain;
            }
        }
        true
    });
}

/// Counts of one file so far.
pub(crate) struct Tally {
    pub(crate) report: FileReport,
    lines: u64,
    pub(crate) removed: u64,
}

impl Tally {
    pub(crate) fn new(report: FileReport) -> Self {
        Self { report, lines: 1, removed: 0 }
    }

    /// Notes that `bytes` were written.
    pub(crate) fn passed(&mut self, bytes: &[u8]) {
        if self.report.lines.len() < MAX_LINES {
            self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        }
    }

    /// Notes a replacement at the current line.
    pub(crate) fn hit(&mut self, span: &Span, swept: bool) {
        *self.report.rules.entry(span.rule.id()).or_default() += 1;
        self.report.swept += u64::from(swept);
        self.removed += (span.end - span.start) as u64;
        if self.report.lines.len() < MAX_LINES && self.report.lines.last() != Some(&self.lines) {
            self.report.lines.push(self.lines);
        }
    }

    pub(crate) fn finish(mut self) -> FileReport {
        self.report.bytes_removed =
            if self.removed == 0 { 0 } else { self.removed.next_power_of_two() };
        self.report
    }
}

/// Writes `bytes` to `out` with every span replaced. The spans are merged.
pub(crate) fn write(
    redactor: &Redactor,
    bytes: &[u8],
    spans: &[Span],
    out: &mut Vec<u8>,
    tally: &mut Tally,
    swept: bool,
) {
    let mut at = 0;
    for span in spans {
        let kept = &bytes[at..span.start];
        out.extend_from_slice(kept);
        tally.passed(kept);
        tally.hit(span, swept);
        let source = &bytes[span.start..span.end];
        match &span.shape {
            Shape::Text(text) => out.extend_from_slice(text.as_bytes()),
            Shape::Plain => out.extend_from_slice(redactor.pseudonym(span, source).as_bytes()),
            Shape::Quoted(slashes) => {
                let quote = [&vec![b'\\'; *slashes][..], b"\""].concat();
                out.extend_from_slice(&quote);
                out.extend_from_slice(redactor.pseudonym(span, source).as_bytes());
                out.extend_from_slice(&quote);
            }
        }
        // Line numbers are evidence: line ends survive.
        if span.learn != Learn::No || source.len() > 1 {
            for end in memchr::memchr_iter(b'\n', source) {
                out.extend_from_slice(if end > 0 && source[end - 1] == b'\r' {
                    b"\r\n"
                } else {
                    b"\n"
                });
            }
        }
        tally.passed(source);
        at = span.end;
    }
    out.extend_from_slice(&bytes[at..]);
    tally.passed(&bytes[at..]);
}
