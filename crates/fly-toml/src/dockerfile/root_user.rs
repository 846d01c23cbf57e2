//! The app runs as root.

use super::{Dockerfile, Lint};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "dockerfile-root-user",
    title: "The app runs as root",
    severity: Severity::Warning,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "Whoever takes over the process owns the whole Machine: its volume, its environment with all secrets, and its private network.",
    details: "Base images that switch to another user by themselves (`distroless …:nonroot`) are not reported. An entrypoint that starts as root to set up a volume and then drops to another user (gosu, su-exec, setpriv) is: the Dockerfile does not show it. Silence it with an ignore entry.",
    bad: "FROM node:22-slim\nCMD [\"node\", \"server.js\"]",
    good: "FROM node:22-slim\nUSER node\nCMD [\"node\", \"server.js\"]",
    source: "Docker build best practices; the security checklist of this project",
};

fn check(dockerfile: &Dockerfile<'_>, out: &mut Vec<Diagnostic>) {
    let Some(last) = dockerfile.stages().last() else { return };
    if let Some(user) = dockerfile.in_final("USER").last() {
        let name = user.arguments.split(':').next().unwrap_or("").trim();
        if name == "root" || name == "0" {
            out.push(
                Diagnostic::new(&CODE, "the app runs as root")
                    .at(user.span, "the last USER decides"),
            );
        }
        return;
    }
    let image = last.image().unwrap_or("");
    if !image.contains("nonroot") && !image.contains("rootless") {
        out.push(
            Diagnostic::new(&CODE, "no USER: the app most likely runs as root")
                .at(last.span, "the final stage names no other user"),
        );
    }
}
