//! Codes of what reading a file can find: not TOML, wrong shapes, unknown keys, old spellings.

use crate::diag::{Code, Flyctl, Grade, Severity};

const REFERENCE: &str = "superfly/flyctl internal/appconfig (patches.go, serde.go) of 2026-08-21";
const TOML: &str = "TOML 1.0, and the parser that flyctl uses (pelletier/go-toml v2)";

/// The file is not UTF-8.
pub static NOT_UTF8: Code = Code {
    id: "not-utf8",
    title: "The file is not UTF-8 text",
    severity: Severity::Error,
    grade: Grade::Syntax,
    flyctl: Flyctl::Refuses,
    why: "TOML is UTF-8 by definition; nothing of the file can be read.",
    details: "Save the file as UTF-8. A file from a Windows editor may be UTF-16 or carry an 8-bit code page.",
    bad: "app = \"caf\u{fffd}\"",
    good: "app = \"cafe\"",
    source: TOML,
};

/// The file is too large.
pub static TOO_LARGE: Code = Code {
    id: "too-large",
    title: "The file is larger than any fly.toml",
    severity: Severity::Error,
    grade: Grade::Syntax,
    flyctl: Flyctl::Silent,
    why: "Files over 8 MiB are not read: this is hardly a fly.toml.",
    details: "",
    bad: "# 100 MB of anything",
    good: "app = \"web\"",
    source: "a limit of this tool; real files are below 10 kB",
};

/// Grammar.
pub static TOML_SYNTAX: Code = Code {
    id: "toml-syntax",
    title: "The text is not TOML",
    severity: Severity::Error,
    grade: Grade::Syntax,
    flyctl: Flyctl::Refuses,
    why: "flyctl stops here and no command that needs the file works.",
    details: "Frequent causes in real files: a value without quotes copied from a .env file, a string that is not closed, markers that a merge left behind.",
    bad: "[env]\nMODULE = app.settings.production",
    good: "[env]\nMODULE = \"app.settings.production\"",
    source: TOML,
};

/// Nested too deeply.
pub static TOO_DEEP: Code = Code {
    id: "too-deep",
    title: "Values are nested too deeply",
    severity: Severity::Error,
    grade: Grade::Syntax,
    flyctl: Flyctl::Silent,
    why: "No key of fly.toml nests deeper than a handful of levels; the rest is not read.",
    details: "",
    bad: "",
    good: "app = \"web\"",
    source: "a limit of this tool",
};

/// Two definitions of one name.
pub static DUPLICATE_KEY: Code = Code {
    id: "duplicate-key",
    title: "A key is defined twice",
    severity: Severity::Error,
    grade: Grade::Syntax,
    flyctl: Flyctl::Refuses,
    why: "TOML allows each key once per table, so flyctl refuses the whole file.",
    details: "",
    bad: "[processes]\nweb = \"npm start\"\nweb = \"npm run start\"",
    good: "[processes]\nweb = \"npm start\"",
    source: TOML,
};

/// A name used for a table and for a value.
pub static TABLE_CONFLICT: Code = Code {
    id: "table-conflict",
    title: "A name is used for a value and for a table",
    severity: Severity::Error,
    grade: Grade::Syntax,
    flyctl: Flyctl::Refuses,
    why: "TOML allows one of the two, so flyctl refuses the whole file.",
    details: "The usual case is `processes = []` at the top, which Apps v1 wrote into each file, with a `[processes]` table added later.",
    bad: "app = \"web\"\nprocesses = []\n\n[processes]\nweb = \"npm start\"",
    good: "app = \"web\"\n\n[processes]\nweb = \"npm start\"",
    source: TOML,
};

/// Wrong type.
pub static WRONG_TYPE: Code = Code {
    id: "wrong-type",
    title: "A value has the wrong type",
    severity: Severity::Error,
    grade: Grade::Shape,
    flyctl: Flyctl::Refuses,
    why: "flyctl cannot read the value and discards the whole file, not only this key.",
    details: "Which sections are tables and which are arrays of tables is irregular: [http_service] is a table, its checks are [[http_service.checks]].",
    bad: "[http_service]\ninternal_port = 8080\n\n[http_service.checks]\npath = \"/\"",
    good: "[http_service]\ninternal_port = 8080\n\n[[http_service.checks]]\npath = \"/\"",
    source: REFERENCE,
};

/// Right type, impossible value.
pub static WRONG_VALUE: Code = Code {
    id: "wrong-value",
    title: "A value is none of those that exist",
    severity: Severity::Error,
    grade: Grade::Shape,
    flyctl: Flyctl::Refuses,
    why: "flyctl cannot read the value and discards the whole file, not only this key.",
    details: "Durations need a unit that Go knows (ns, us, ms, s, m, h): \"5\" and \"2d\" are none.",
    bad: "kill_timeout = \"5\"",
    good: "kill_timeout = \"5s\"",
    source: REFERENCE,
};

/// nan and inf.
pub static NOT_FINITE: Code = Code {
    id: "not-finite",
    title: "nan and inf cannot be sent",
    severity: Severity::Error,
    grade: Grade::Shape,
    flyctl: Flyctl::Refuses,
    why: "flyctl passes the file through JSON, which has no such numbers, and discards it.",
    details: "",
    bad: "[deploy]\nmax_unavailable = inf",
    good: "[deploy]\nmax_unavailable = 1",
    source: REFERENCE,
};

/// A key that nobody reads.
pub static UNKNOWN_KEY: Code = Code {
    id: "unknown-key",
    title: "A key has no meaning in fly.toml",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl drops it without a word, so the setting is not in force.",
    details: "`fly config validate --strict` reports some of these, but never inside services, mounts, metrics and vm. About a third of real files hold at least one.",
    bad: "[http_service]\ninternal_port = 8080\nauto_stop_machine = \"stop\"",
    good: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"",
    source: "superfly/flyctl pull requests 3544 and 4487; internal/appconfig/strict_validate.go",
};

/// A key of Apps v1.
pub static V1_KEY: Code = Code {
    id: "v1-key",
    title: "A key of Apps v1 that no longer works",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Apps v1 ended in February 2024; flyctl ignores the key.",
    details: "",
    bad: "[experimental]\nallowed_public_ports = []\nauto_rollback = true",
    good: "[experimental]\nauto_rollback = true",
    source: "superfly/flyctl pull requests 2620, 3250 and 3257",
};

/// Capital letters that change the meaning.
pub static KEY_CASE_DROPPED: Code = Code {
    id: "key-case-dropped",
    title: "A section is dropped because of its capital letters",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl reads keys without regard to case, but for vm, mounts and metrics its clean-up of old spellings leaves an empty lower-case twin that wins: the section is lost without a word.",
    details: "",
    bad: "[[VM]]\nmemory = \"1gb\"",
    good: "[[vm]]\nmemory = \"1gb\"",
    source: REFERENCE,
};

/// Capital letters.
pub static KEY_CASE: Code = Code {
    id: "key-case",
    title: "A key is written with other capital letters",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl reads it, but skips its clean-up of old spellings for such keys, and strict validation calls them unknown.",
    details: "A number in `Kill_Timeout` is nanoseconds instead of seconds, for example.",
    bad: "App = \"web\"",
    good: "app = \"web\"",
    source: REFERENCE,
};

/// A legacy spelling.
pub static LEGACY: Code = Code {
    id: "legacy-spelling",
    title: "An old spelling that flyctl still understands",
    severity: Severity::Info,
    grade: Grade::Legacy,
    flyctl: Flyctl::Silent,
    why: "flyctl rewrites it on reading; other tools and the documentation know only the current spelling.",
    details: "`fly-toml migrate` writes the current spelling of all of them.",
    bad: "[mount]\nsource = \"data\"\ndestination = \"/data\"",
    good: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"",
    source: REFERENCE,
};

/// Something that a patch silently throws away.
pub static DROPPED: Code = Code {
    id: "dropped-value",
    title: "A value is thrown away on reading",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl's clean-up of old spellings has no use for it and drops it without a word.",
    details: "",
    bad: "kill_timeout = true",
    good: "kill_timeout = \"5s\"",
    source: REFERENCE,
};

/// A value in `[env]` that is turned into text in a surprising way.
pub static ENV_TEXT: Code = Code {
    id: "env-not-text",
    title: "A variable is not a string",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl prints the value in the form of its programming language, which is hardly what the app expects.",
    details: "Integers and booleans come out as written; floats (`1000000.0` → `1e+06`), dates, arrays (`[1 2]`) and tables (`map[x:1]`) do not.",
    bad: "[env]\nLIMIT = 1000000.0",
    good: "[env]\nLIMIT = \"1000000\"",
    source: REFERENCE,
};

/// All codes of this module.
pub static ALL: &[&Code] = &[
    &NOT_UTF8,
    &TOO_LARGE,
    &TOML_SYNTAX,
    &TOO_DEEP,
    &DUPLICATE_KEY,
    &TABLE_CONFLICT,
    &WRONG_TYPE,
    &WRONG_VALUE,
    &NOT_FINITE,
    &UNKNOWN_KEY,
    &V1_KEY,
    &KEY_CASE_DROPPED,
    &KEY_CASE,
    &LEGACY,
    &DROPPED,
    &ENV_TEXT,
];
