//! `README.txt`: how to read a bundle, in ten lines.

use crate::manifest::Manifest;

pub(super) fn text(manifest: &Manifest) -> String {
    format!(
        "Debug bundle {} of the Fly.io app {}, made by {} {}.\n\
         \n\
         summary.txt     start here: verdict, top findings, what is missing\n\
         ticket.md       text for a support ticket; fill in the marked gaps\n\
         analysis.json   every finding with evidence: a file of this bundle and a place in it\n\
         manifest.json   who collected what, when, with which result; hashes of all files; request ids\n\
         app/ machines/ volumes/ logs/ platform/ network/ flyctl/ host/   what was collected\n\
         redaction.json  what was replaced, by rule and file; never the secrets themselves\n\
         trace.json      the run as a timeline: open it in https://ui.perfetto.dev or chrome://tracing\n\
         self/           log, plan and errors of the tool itself\n\
         \n\
         Everything was redacted before it was written. A value like \u{2039}secret:-:abcdefghij\u{203a} is a pseudonym: the same secret\n\
         has the same one everywhere in this bundle. All times are UTC.\n",
        manifest.bundle_id, manifest.app, manifest.tool.name, manifest.tool.version
    )
}
