//! A base image whose tag moves.

use super::{Dockerfile, Lint};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "dockerfile-base-image",
    title: "The base image has no fixed version",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Without a tag, or with `latest`, the same commit builds on another base tomorrow: a deploy that fixes one line can bring a new runtime, and a rollback by rebuilding does not bring back the old one.",
    details: "Name a version at least, or a digest (`image:22-slim@sha256:…`) for builds that repeat exactly. Images without any content such as `scratch` and earlier stages are not meant.",
    bad: "FROM node\nUSER node\nCMD [\"node\", \"server.js\"]",
    good: "FROM node:22-slim\nUSER node\nCMD [\"node\", \"server.js\"]",
    source: "Docker build best practices; the deployment checklist of this project",
};

fn check(dockerfile: &Dockerfile<'_>, out: &mut Vec<Diagnostic>) {
    let mut earlier: Vec<String> = Vec::new();
    for from in dockerfile.stages() {
        let Some(image) = from.image() else { continue };
        let is_stage = earlier.iter().any(|name| name.eq_ignore_ascii_case(image));
        earlier.extend(from.alias().map(str::to_owned));
        // What a variable holds is decided elsewhere.
        if is_stage || image == "scratch" || image.contains('$') || image.contains('@') {
            continue;
        }
        // A colon before the last slash is the registry's port.
        let name = image.rsplit('/').next().unwrap_or(image);
        let words = match name.split_once(':') {
            None => "no tag means `latest`",
            Some((_, "latest")) => "`latest` moves",
            Some(_) => continue,
        };
        out.push(
            Diagnostic::new(&CODE, format!("the base image `{image}` can change at any time"))
                .at(from.span, words),
        );
    }
}
