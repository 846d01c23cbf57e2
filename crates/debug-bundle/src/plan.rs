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
pub fn collector(spec: &Spec, left_out: Option<String>) -> Value {
    let needs: Vec<&str> = spec.needs.iter().map(word).collect();
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
fn word(need: &Need) -> &'static str {
    match need {
        Need::Token => "access token",
        Need::Internet => "hosts beyond this machine",
    }
}

/// The plan as a table's rows: collector, calls, files, permission.
pub fn rows(wanted: &[Wanted], has_token: bool) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for it in wanted {
        let spec = it.collector.spec();
        if let Some(reason) = &it.left_out {
            rows.push(vec![
                spec.id.to_owned(),
                format!("(left out: {})", reason.message),
                String::new(),
                String::new(),
                String::new(),
            ]);
            continue;
        }
        let without = if spec.needs.contains(&Need::Token) && !has_token {
            " (no token: will be skipped)"
        } else {
            ""
        };
        let files = spec.files.join(", ");
        if spec.calls.is_empty() {
            rows.push(vec![
                spec.id.to_owned(),
                "no call".to_owned(),
                "0".to_owned(),
                "none".to_owned(),
                files.clone(),
            ]);
        }
        for (index, call) in spec.calls.iter().enumerate() {
            let first = index == 0;
            rows.push(vec![
                if first { spec.id.to_owned() } else { String::new() },
                format!("{}{without}", call.what),
                call.times.to_owned(),
                call.permission.to_owned(),
                if first { files.clone() } else { String::new() },
            ]);
        }
    }
    rows
}
