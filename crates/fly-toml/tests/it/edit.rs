//! Edits: only what was asked for changes, in the place where a person would have written it.

use fly_toml::Document;
use std::collections::HashSet;

use fly_toml::edit::{self, EditError, Path};
use fly_toml::syntax::{Kind, Value};

use crate::corpus::cases;

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

fn set(text: &str, at: &str, value: &str) -> Result<String, EditError> {
    edit::set(&Document::parse(text), &path(at), value)
}

fn unset(text: &str, at: &str) -> Result<String, EditError> {
    edit::unset(&Document::parse(text), &path(at))
}

const FILE: &str = "\
# The shop.
app = 'shop' # do not rename
primary_region = \"ams\"

[env]
  PORT = 8080   # also in the Dockerfile
  \"A.B\" = \"x\"

# Web.
[http_service]
  internal_port = 8080
  concurrency.soft_limit = 10

  [[http_service.checks]]
    path = \"/up\"

[[mounts]]
  source = \"data\"
  destination = \"/data\"
";

#[test]
fn values_are_replaced_in_place() {
    let changed = set(FILE, "app", "\"store\"").unwrap();
    assert_eq!(changed, FILE.replace("'shop'", "\"store\""));
    let changed = set(FILE, "env.PORT", "9090").unwrap();
    assert_eq!(changed, FILE.replace("8080   #", "9090   #"));
    let changed = set(FILE, "env.\"A.B\"", "'y'").unwrap();
    assert_eq!(changed, FILE.replace("\"x\"", "'y'"));
    let changed = set(FILE, "http_service.checks[0].path", "'/'").unwrap();
    assert_eq!(changed, FILE.replace("\"/up\"", "'/'"));
}

#[test]
fn new_keys_join_their_section() {
    for (at, value, after, line) in [
        ("kill_signal", "'SIGTERM'", "primary_region = \"ams\"\n", "kill_signal = 'SIGTERM'\n"),
        ("env.LOG", "'info'", "  \"A.B\" = \"x\"\n", "  LOG = 'info'\n"),
        ("env.\"C D\"", "1", "  \"A.B\" = \"x\"\n", "  \"C D\" = 1\n"),
        ("http_service.force_https", "true", "soft_limit = 10\n", "  force_https = true\n"),
        (
            "http_service.concurrency.hard_limit",
            "20",
            "soft_limit = 10\n",
            "  concurrency.hard_limit = 20\n",
        ),
        ("http_service.checks[0].interval", "'10s'", "path = \"/up\"\n", "    interval = '10s'\n"),
        (
            "http_service.checks[1].path",
            "'/b'",
            "path = \"/up\"\n",
            "\n  [[http_service.checks]]\n    path = '/b'\n",
        ),
        (
            "http_service.http_options.compress",
            "true",
            "path = \"/up\"\n",
            "\n  [http_service.http_options]\n    compress = true\n",
        ),
        ("deploy.strategy", "'rolling'", "\"/data\"\n", "\n[deploy]\n  strategy = 'rolling'\n"),
        (
            "services[0].ports[0].port",
            "443",
            "\"/data\"\n",
            "\n[[services]]\n[[services.ports]]\n  port = 443\n",
        ),
        ("mounts[1].source", "'more'", "\"/data\"\n", "\n[[mounts]]\n  source = 'more'\n"),
    ] {
        let changed = set(FILE, at, value).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(changed, FILE.replacen(after, &format!("{after}{line}"), 1), "{at}");
    }
    assert_eq!(set("", "app", "'x'").unwrap(), "app = 'x'\n");
    assert_eq!(set("app = 'x'", "env.A", "1").unwrap(), "app = 'x'\n\n[env]\n  A = 1\n");
    assert_eq!(
        set("# c\n\n# of a\n[a]\nb = 1\n", "app", "'x'").unwrap(),
        "# c\n\napp = 'x'\n\n# of a\n[a]\nb = 1\n"
    );
    assert_eq!(set("[a.b]\nc = 1\n", "a.d", "2").unwrap(), "[a]\n  d = 2\n\n[a.b]\nc = 1\n");
    assert_eq!(set("a = { b = 1 }\n", "a.c.d", "2").unwrap(), "a = { b = 1, c = { d = 2 } }\n");
    assert_eq!(set("a = {}\n", "a.c", "2").unwrap(), "a = { c = 2 }\n");
    assert_eq!(set("a = [1]\n", "a[1]", "2").unwrap(), "a = [1, 2]\n");
    assert_eq!(
        set("a = 'x'\r\n[b]\r\nc = 1\r\n", "b.d", "2").unwrap(),
        "a = 'x'\r\n[b]\r\nc = 1\r\nd = 2\r\n"
    );
}

#[test]
fn what_is_unset_goes_and_nothing_else() {
    for (at, gone) in [
        ("app", "app = 'shop' # do not rename\n"),
        ("env.PORT", "  PORT = 8080   # also in the Dockerfile\n"),
        ("http_service.concurrency", "  concurrency.soft_limit = 10\n"),
        ("http_service.concurrency.soft_limit", "  concurrency.soft_limit = 10\n"),
        ("http_service.checks", "  [[http_service.checks]]\n    path = \"/up\"\n\n"),
        ("http_service.checks[0]", "  [[http_service.checks]]\n    path = \"/up\"\n\n"),
        ("mounts", "\n[[mounts]]\n  source = \"data\"\n  destination = \"/data\"\n"),
    ] {
        let changed = unset(FILE, at).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(changed, FILE.replacen(gone, "", 1), "{at}");
    }
    assert_eq!(unset("a = { b = 1, c = 2 }\n", "a.b").unwrap(), "a = { c = 2 }\n");
    assert_eq!(unset("a = { b = 1, c = 2 }\n", "a.c").unwrap(), "a = { b = 1 }\n");
    assert_eq!(unset("a = [1, 2, 3]\n", "a[1]").unwrap(), "a = [1, 3]\n");
}

#[test]
fn edits_that_cannot_be_right_are_refused() {
    let file = "[http_service]\ninternal_port = 1\n";
    assert!(matches!(set(file, "http_service", "1"), Err(EditError::Kind { .. })));
    assert!(matches!(set(file, "http_service.internal_port.x", "1"), Err(EditError::Kind { .. })));
    assert!(matches!(set(file, "services[1].x", "1"), Err(EditError::Missing { .. })));
    for value in ["", "x", "1 # c", "1\nb = 2", "[", "\"a", "1, 2"] {
        assert!(matches!(set(file, "a", value), Err(EditError::Value { .. })), "{value}");
    }
    assert!(matches!(unset(file, "nothing"), Err(EditError::Missing { .. })));
    assert!(matches!(set("a = \n", "b", "1"), Err(EditError::NotToml { line: 1 })));
}

#[test]
fn what_a_person_types_is_quoted_where_the_key_wants_a_text() {
    let file = "app = 'x'\n[http_service]\ninternal_port = 1\n[env]\nA = 'b'\n";
    let document = Document::parse(file);
    for (at, input, line) in [
        ("app", "shop", "app = \"shop\"\n"),
        ("app", "8080", "app = \"8080\"\n"),
        ("http_service.internal_port", "8080", "internal_port = 8080\n"),
        ("http_service.auto_stop_machines", "suspend", "auto_stop_machines = \"suspend\"\n"),
        ("http_service.auto_stop_machines", "true", "auto_stop_machines = true\n"),
        ("kill_timeout", "30s", "kill_timeout = \"30s\"\n"),
        ("env.B", "a \"b\"", "B = \"a \\\"b\\\"\"\n"),
    ] {
        let changed = edit::set_input(&document, &path(at), input).unwrap();
        assert!(changed.contains(line), "{at} {input}: {changed}");
    }
}

/// Every leaf of a value with its path.
fn leaves(value: &Value, at: &str, out: &mut Vec<String>) {
    match &value.kind {
        Kind::Table(table) => {
            for entry in table.entries() {
                let name = edit::key(&entry.key.name);
                let below = if at.is_empty() { name } else { format!("{at}.{name}") };
                leaves(&entry.value, &below, out);
            }
        }
        Kind::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                leaves(item, &format!("{at}[{number}]"), out);
            }
        }
        _ => out.push(at.to_owned()),
    }
}

#[test]
fn every_value_of_every_real_file_can_be_set_and_unset() {
    let (mut edits, mut files) = (0, 0);
    // A third of the files: each edit parses its file three times.
    for (name, bytes) in cases().into_iter().step_by(3) {
        let document = Document::from_bytes(&bytes).unwrap();
        if !document.mistakes().is_empty() {
            continue;
        }
        files += 1;
        let mut paths = Vec::new();
        let root =
            Value { kind: Kind::Table(document.root().clone()), span: fly_toml::Span::at(0) };
        leaves(&root, "", &mut paths);
        for at in paths {
            let at = path(&at);
            let set =
                edit::set(&document, &at, "'new value'").unwrap_or_else(|e| panic!("{name}: {e}"));
            let back =
                edit::get(&Document::parse(set.as_str()), &at).unwrap().as_str().map(str::to_owned);
            assert_eq!(back.as_deref(), Some("new value"));
            // One line differs, unless the value spanned several.
            let after: HashSet<&str> = set.lines().collect();
            let gone = document.text().lines().filter(|line| !after.contains(line)).count();
            let rows = edit::get(&document, &at).unwrap().span.of(document.text()).lines().count();
            assert!(gone <= rows.max(1), "{name} {at}");
            edit::unset(&document, &at).unwrap_or_else(|e| panic!("{name}: {e}"));
            edits += 2;
        }
        for new in [
            "zzz",
            "env.ZZZ",
            "http_service.zzz",
            "services[0].zzz",
            "vm[0].zzz",
            "a.b.c",
            "deploy.zzz",
        ] {
            let at = path(new);
            match edit::set(&document, &at, "1") {
                Ok(_) => edits += 1,
                // A single table where the path names a list, or a list where it names a table.
                Err(EditError::Kind { .. }) => {}
                Err(error) => panic!("{name} {new}: {error}"),
            }
        }
    }
    println!("corpus: {edits} edits of {files} files");
    assert_eq!(files, 71);
}
