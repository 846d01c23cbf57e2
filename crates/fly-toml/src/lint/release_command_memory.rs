//! The release command on a small Machine.

use super::common::guest;
use super::{Lint, LintInput};
use crate::convert;
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "release-command-memory",
    title: "The release command has 256 MB",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "The release Machine is as large as the largest one of the default group, unless [deploy.release_command_vm] says otherwise. With 256 MB, the default size, a migration that loads the whole app is killed for want of memory, and the deploy fails.",
    details: "It is billed for the seconds that it runs. A file without [[vm]] leaves the size to what was set with `fly scale`, which is 256 MB unless somebody changed it.",
    bad: "[deploy]\nrelease_command = \"bin/rails db:migrate\"\n[[vm]]\nsize = \"shared-cpu-1x\"",
    good: "[deploy]\nrelease_command = \"bin/rails db:migrate\"\n[deploy.release_command_vm]\nsize = \"shared-cpu-2x\"\nmemory = \"1gb\"\n[[vm]]\nsize = \"shared-cpu-1x\"",
    source: "Fly.io documentation, reference/configuration, release_command_vm; flyctl internal/command/deploy",
};

/// The smallest Machine there is. Migration tools of most frameworks need more.
const SMALL_MB: i64 = 256;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let Some(deploy) = &config.deploy else { return };
    let Some(command) = deploy.release_command.as_ref().filter(|command| !command.is_empty())
    else {
        return;
    };
    let default = config.default_group();
    let (guest, place) = match &deploy.release_command_vm {
        Some(vm) => (convert::guest(config, vm, &mut Vec::new()), Some(vm.span)),
        None => (guest(config, default), config.vm_of(default).map(|vm| vm.span)),
    };
    let diagnostic = match (guest, place) {
        (Some(guest), Some(place)) if guest.memory_mb.copied().is_some_and(|mb| mb <= SMALL_MB) => {
            Diagnostic::new(&CODE, "the release command has 256 MB of memory")
                .at(command.span, "runs in a Machine of its own")
                .at(place, "of this size")
        }
        (None, None) => Diagnostic::new(
            &CODE,
            "if Machines have the default size, the release command has 256 MB",
        )
        .at(command.span, "set [deploy.release_command_vm] or [[vm]]"),
        _ => return,
    };
    out.push(diagnostic);
}
