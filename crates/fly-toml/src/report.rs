//! The check of one file: everything there is to say about it, and whether flyctl would take it.

use crate::diag::{Diagnostic, Edit, Flyctl, Grade};
use crate::document::{Document, UnreadableError};
use crate::lint::{self, Facts, LintInput};
use crate::schema::{self, Config, codes};
use crate::span::Span;
use crate::{convert, diag::Applicability, mistake, verdict};

/// More diagnostics than this are cut: nobody reads them, and a hostile file must not cost more than its size.
const MAX_DIAGNOSTICS: usize = 500;

/// What the caller knows beyond the text.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Unknown top-level keys that are there on purpose.
    pub allowed: Vec<String>,
    /// Text of the Dockerfile that the app is built from.
    pub dockerfile: Option<String>,
    /// Leave out the lints: only what flyctl itself decides on, old spellings and ignored keys.
    pub without_lints: bool,
    /// What is known of the app that runs; lints that need it stay silent or say "if" without.
    pub facts: Facts,
}

/// The outcome.
#[derive(Debug, Clone)]
pub struct Report {
    /// The file as written.
    pub document: Document,
    /// The file as read; holds whatever could be read.
    pub config: Config,
    /// What there is to say, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Whether `fly config validate` would accept the file, given a name for the app.
    pub fn accepted(&self) -> bool {
        !self.diagnostics.iter().any(|diagnostic| diagnostic.code.flyctl == Flyctl::Refuses)
    }

    /// Whether flyctl could read the file into its types; if not it keeps only the name of the app.
    pub fn loads(&self) -> bool {
        !self.diagnostics.iter().any(|diagnostic| {
            diagnostic.code.flyctl == Flyctl::Refuses
                && matches!(diagnostic.code.grade, Grade::Syntax | Grade::Shape)
        })
    }

    /// The text with all machine-applicable fixes; `None` when there are none. Of two fixes that touch each other only
    /// the first is made: check the result again for the rest.
    pub fn fixed(&self) -> Option<String> {
        let mut made: Vec<&Edit> = Vec::new();
        let fixes = self.diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref());
        for fix in fixes.filter(|fix| fix.applicability == Applicability::MachineApplicable) {
            let touches = |edit: &Edit| {
                made.iter().any(|other| {
                    edit.span.start <= other.span.end && other.span.start <= edit.span.end
                })
            };
            if !fix.edits.iter().any(touches) {
                made.extend(&fix.edits);
            }
        }
        let edits: Vec<Edit> = made.into_iter().cloned().collect();
        let fixed = crate::diag::apply(self.document.text(), &edits);
        (fixed != self.document.text()).then_some(fixed)
    }
}

/// Checks a text.
pub fn check(text: &str) -> Report {
    check_with(text, &Options::default())
}

/// Checks the bytes of a file.
pub fn check_bytes(bytes: &[u8], options: &Options) -> Report {
    let error = match Document::from_bytes(bytes) {
        Ok(document) => return check_document(document, options),
        Err(error) => error,
    };
    let diagnostic = match &error {
        UnreadableError::NotUtf8 { at } => {
            // The readable part gives the place; what follows it is not quoted.
            let readable = String::from_utf8_lossy(&bytes[..*at]).into_owned();
            let place = Span::at(readable.len());
            return Report {
                document: Document::parse(readable),
                config: Config::default(),
                diagnostics: vec![
                    Diagnostic::new(&codes::NOT_UTF8, error.to_string())
                        .at(place, "the text is readable up to here"),
                ],
            };
        }
        UnreadableError::TooLarge { .. } => Diagnostic::new(&codes::TOO_LARGE, error.to_string()),
    };
    Report {
        document: Document::parse(String::new()),
        config: Config::default(),
        diagnostics: vec![diagnostic],
    }
}

/// Checks a text with what else is known.
pub fn check_with(text: &str, options: &Options) -> Report {
    check_bytes(text.as_bytes(), options)
}

fn check_document(document: Document, options: &Options) -> Report {
    let mut diagnostics = mistake::diagnostics(&document);
    let (config, found) = schema::load(&document, &options.allowed);
    // The shape of what is defined twice follows from which definition was taken.
    let twice: Vec<Span> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code.id == codes::TABLE_CONFLICT.id)
        .filter_map(Diagnostic::span)
        .collect();
    diagnostics.extend(found.into_iter().filter(|diagnostic| {
        let place = diagnostic.span().unwrap_or_default();
        diagnostic.code.grade != Grade::Shape || !twice.iter().any(|span| place.contains(*span))
    }));
    diagnostics.append(&mut verdict::validate(&config));
    diagnostics.append(&mut convert::problems(&config).into_iter().filter(is_new).collect());
    if !options.without_lints {
        let dockerfile = options.dockerfile.as_deref();
        let input =
            LintInput { document: &document, config: &config, dockerfile, facts: &options.facts };
        diagnostics.append(&mut lint::run(&input));
    }
    if diagnostics.len() > MAX_DIAGNOSTICS {
        // What flyctl refuses stays, then what is worst.
        diagnostics.sort_by_key(|diagnostic| {
            (diagnostic.code.flyctl != Flyctl::Refuses, std::cmp::Reverse(diagnostic.severity))
        });
        diagnostics.truncate(MAX_DIAGNOSTICS);
    }
    diagnostics.sort_by_key(|diagnostic| {
        (diagnostic.span().unwrap_or_default(), std::cmp::Reverse(diagnostic.severity))
    });
    Report { document, config, diagnostics }
}

/// Validation has reported the conditions that it shares with the conversion.
fn is_new(diagnostic: &Diagnostic) -> bool {
    diagnostic.code.grade != Grade::Semantic
}
