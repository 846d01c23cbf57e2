//! The documentation of every code is true: its example has it, the better one has it not.

use fly_toml::{Options, check, check_bytes, diag};

/// Codes about bytes or a Dockerfile, which no text can show; each has a test of its own.
const WITHOUT_EXAMPLE: &[&str] = &["not-utf8", "too-large", "too-deep", "expose-differs"];

fn ids(text: &str) -> Vec<&'static str> {
    check(text).diagnostics.iter().map(|diagnostic| diagnostic.code.id).collect()
}

#[test]
fn examples_of_every_code() {
    for code in diag::all() {
        // Examples that are Dockerfiles are tested beside their lints.
        let is_dockerfile = fly_toml::dockerfile::ALL.iter().any(|lint| lint.code.id == code.id);
        if WITHOUT_EXAMPLE.contains(&code.id) || is_dockerfile {
            continue;
        }
        assert!(ids(code.bad).contains(&code.id), "{}: {:?}", code.id, ids(code.bad));
        assert!(!ids(code.good).contains(&code.id), "{}: {:?}", code.id, ids(code.good));
    }
}

#[test]
fn bytes_that_are_no_text() {
    let report = check_bytes(b"app = \"caf\xe9\"\n", &Options::default());
    assert_eq!(report.diagnostics[0].code.id, "not-utf8");
    let place = report.document.position(report.diagnostics[0].labels[0].span.start);
    assert_eq!((place.line, place.column), (1, 11));
    assert!(!report.accepted());

    let report = check_bytes(&vec![b'#'; fly_toml::MAX_BYTES + 1], &Options::default());
    assert_eq!(report.diagnostics[0].code.id, "too-large");

    for deep in [format!("x = {}", "[".repeat(100_000)), format!("{}x = 1", "a.".repeat(100_000))] {
        assert!(ids(&deep).contains(&"too-deep"));
    }
}
