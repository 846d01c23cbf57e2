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

#[cfg(test)]
mod tests {
    use crate::dockerfile::testing::count;

    #[test]
    fn the_last_user_of_the_final_stage_decides() {
        let id = "dockerfile-root-user";
        for (text, wanted) in [
            ("FROM a:1\nUSER app\nUSER root\n", 1),
            ("FROM a:1\nUSER 0:0\n", 1),
            ("FROM a:1\nUSER root\nUSER 1000\n", 0),
            ("FROM a:1 AS base\nUSER app\nFROM base\n", 0),
            ("FROM a:1 AS build\nUSER app\nFROM b:1\n", 1),
            ("FROM gcr.io/distroless/static:nonroot\n", 0),
        ] {
            assert_eq!(count(id, text), wanted, "{text}");
        }
    }
}
