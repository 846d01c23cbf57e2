//! What a run would do: every call, file, estimate and permission. `--plan` prints it and runs nothing; a bundle keeps it
//! as `self/plan.json`.

use serde_json::{Value, json};

use crate::collect::{Need, Spec};
use crate::manifest::Manifest;
use crate::schedule::{Ended, Wanted};
use crate::surroundings::millis;

/// The plan of a run that has been made.
pub fn document(manifest: &Manifest, ended: &[Ended]) -> Value {
    let collectors: Vec<Value> = ended.iter().map(|end| collector(end.spec, None)).collect();
    json!({
        "app": manifest.app,
        "deadline_ms": manifest.deadline_ms,
        "limits": manifest.limits,
        "collectors": collectors,
    })
}

/// One collector. `left_out` says why it would not run.
pub fn collector(spec: &Spec, left_out: Option<&str>) -> Value {
    let needs: Vec<&str> = spec.needs.iter().copied().map(word).collect();
    json!({
        "id": spec.id,
        "title": spec.title,
        "requires": spec.requires,
        "needs": needs,
        "calls": spec.calls,
        "files": spec.files,
        "estimated_bytes": spec.bytes,
        "limit_ms": millis(spec.limit),
        "pool": spec.pool,
        "value": spec.value,
        "enables": crate::analyze::enabled_by(spec.id),
        "left_out": left_out,
    })
}

/// A need in words.
fn word(need: Need) -> &'static str {
    match need {
        Need::Token => "access token",
        Need::Internet => "hosts beyond this machine",
    }
}

/// The plan for people: per collector its calls, what the token must allow, and its files.
pub fn text(wanted: &[Wanted], has_token: bool) -> String {
    let mut lines = Vec::new();
    for it in wanted {
        let spec = it.collector.spec();
        if let Some(reason) = &it.left_out {
            lines.push(format!("{:<11} {}", spec.id, reason.message));
            continue;
        }
        let without = spec.needs.contains(&Need::Token) && !has_token;
        let note = if without { "  (will be skipped: there is no token)" } else { "" };
        lines.push(format!("{:<11} {}{note}", spec.id, spec.title));
        for call in spec.calls {
            lines.push(format!("{:<13}{}", "", call.what));
            lines.push(format!(
                "{:<13}  times: {}; permission: {}",
                "", call.times, call.permission
            ));
        }
        if spec.calls.is_empty() {
            lines.push(format!("{:<13}no call", ""));
        }
        let size = match spec.bytes {
            0..1_000 => "under 1 kB".to_owned(),
            bytes => format!("about {} kB", bytes / 1_000),
        };
        let files = spec.files.join(", ");
        lines.push(format!("{:<13}-> {files} ({size}, at most {} s)", "", spec.limit.as_secs()));
    }
    lines.join("\n")
}
