//! From a diagnostic to the model that all judging tools share.

use findings::{Confidence, Evidence, Finding, Location, Remedy};

use super::{Applicability, Diagnostic};
use crate::document::Document;

/// The finding for a diagnostic about the file `source`. Excerpts are the words of the labels, never text of the file:
/// a value may be a secret.
pub fn to_finding(diagnostic: &Diagnostic, document: &Document, source: &str) -> Finding {
    let evidence = diagnostic
        .labels
        .iter()
        .map(|label| {
            let start = document.position(label.span.start);
            let end = document.position(label.span.end);
            Evidence {
                source: source.to_owned(),
                location: Location::Span {
                    line: start.line as u64,
                    column: start.column as u64,
                    end_line: end.line as u64,
                    end_column: end.column as u64,
                },
                excerpt: (!label.text.is_empty()).then(|| label.text.clone()),
                at: None,
            }
        })
        .collect();
    let code = diagnostic.code;
    let remedy = match &diagnostic.fix {
        Some(fix) => {
            let fixable = fix.applicability == Applicability::MachineApplicable;
            let commands =
                if fixable { vec![format!("fly-toml check --fix {source}")] } else { Vec::new() };
            Remedy { text: fix.title.clone(), commands, url: None }
        }
        None => Remedy {
            text: format!("see `fly-toml explain {}`", code.id),
            commands: Vec::new(),
            url: None,
        },
    };
    Finding {
        rule: code.id.to_owned(),
        severity: diagnostic.severity,
        confidence: Confidence::High,
        title: diagnostic.message.clone(),
        explanation: diagnostic.why.clone(),
        evidence,
        remedy,
        subjects: vec![source.to_owned()],
        first_seen: None,
        last_seen: None,
        tags: vec!["fly.toml".to_owned(), code.grade.name().to_owned()],
    }
}
