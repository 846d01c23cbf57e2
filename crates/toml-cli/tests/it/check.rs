//! `fly-toml check`: what is read, what is printed where, exit codes, fixes, hostile input.

use std::fs;

use crate::support::Folder;

const GOOD: &str = "app = \"web\"\nprimary_region = \"fra\"\n";
/// Refused by flyctl.
const BAD: &str = "app = \"web\"\n[deploy]\nstrategy = \"rollin\"\n";

#[test]
fn exit_codes_follow_severity_and_threshold() {
    let folder = Folder::new(&[
        ("fly.toml", GOOD),
        ("bad.toml", BAD),
        ("old.toml", "[mount]\nsource = \"data\"\ndestination = \"/data\"\n"),
    ]);
    for (args, code) in [
        (&["check"][..], 0),
        (&["check", "bad.toml"], 1),
        (&["check", "bad.toml", "--fail-on", "critical"], 0),
        (&["check", "bad.toml", "--fail-on", "never"], 0),
        (&["check", "old.toml", "--no-lints"], 0),
        (&["check", "old.toml", "--no-lints", "--fail-on", "info"], 1),
        (&["check", "fly.toml", "bad.toml"], 1),
        (&["check", "gone.toml"], 2),
        (&["check", "--select", "no-such-code"], 2),
        (&["check", "--format", "xml"], 2),
        (&["check", "--json", "--format", "json"], 2),
        (&["explain", "no-such-code"], 2),
        (&["explain", "bare-duration"], 0),
        (&["explain"], 0),
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.out, ran.err);
    }
    assert!(folder.run(&["check"]).out.starts_with("fly.toml: "));
}

#[test]
fn files_directories_and_standard_input() {
    let folder = Folder::new(&[("a/fly.toml", BAD), ("a/b/fly.dev.toml", BAD)]);
    let ran = folder.run(&["check", "a", "--json"]);
    assert!(ran.out.contains("\"a/b/fly.dev.toml\"") && ran.out.contains("\"a/fly.toml\""));
    let ran = folder.run_with(&["check", "-"], BAD);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("--> <stdin>:3:12"), "{}", ran.out);
    let ran = folder.run(&["check"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("cannot read fly.toml"), "{}", ran.err);
}

#[test]
fn several_errors_in_one_run_and_each_format() {
    let folder = Folder::new(&[(
        "fly.toml",
        "app = \"a\"\napp = \"b\"\nkill_timeout = \"5\"\n[deploy]\nstrategy = \"rollin\"\n[env]\nKEY = bare\n",
    )]);
    let ran = folder.run(&["check"]);
    for code in ["duplicate-key", "unknown-strategy", "toml-syntax"] {
        assert!(ran.out.contains(&format!("error[{code}]")), "{code}: {}", ran.out);
    }
    for (format, sign) in [
        ("json", "\"findings\": ["),
        ("sarif", "\"version\": \"2.1.0\""),
        ("github", "::error file=fly.toml,line=2"),
        ("junit", "<testsuite"),
        ("markdown", "duplicate-key"),
        ("table", "SEVERITY"),
        ("human", "--> fly.toml:2:1"),
    ] {
        let ran = folder.run(&["check", "--format", format]);
        assert_eq!(ran.code, 1, "{format}");
        assert!(ran.out.contains(sign), "{format}: {}", ran.out);
    }
}

#[test]
fn hostile_input_is_diagnosed_or_refused() {
    let folder = Folder::new(&[("deep.toml", &format!("a = {}", "[".repeat(100_000)))]);
    fs::write(folder.path("latin.toml"), b"app = \"caf\xe9\"\n").unwrap();
    fs::create_dir(folder.path("empty")).unwrap();
    let huge = fs::File::create(folder.path("huge.toml")).unwrap();
    huge.set_len(100 << 20).unwrap();
    for (file, code, words) in [
        ("deep.toml", 1, "error[too-deep]"),
        ("latin.toml", 1, "latin.toml:1:11"),
        ("huge.toml", 1, "more than the 8388608 bytes"),
        ("empty", 2, "there is no fly.toml in or below empty"),
    ] {
        let ran = folder.run(&["check", file]);
        let all = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, code, "{file}: {all}");
        assert!(all.contains(words), "{file}: {all}");
        assert!(all.len() < 10_000, "{file}: {} bytes", all.len());
    }
    let ran = folder.run(&["check", "--fix", "latin.toml"]);
    assert_eq!(ran.code, 1);
    assert_eq!(fs::read(folder.path("latin.toml")).unwrap(), b"app = \"caf\xe9\"\n");
}

#[test]
fn fixes_are_applied_once_and_keep_permissions() {
    const OLD: &str =
        "app = \"web\" # kept\n\n[mounts]\n  source = 'data'\n  destination = '/data'\n";
    let folder = Folder::new(&[("fly.toml", OLD)]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder.path("fly.toml"), fs::Permissions::from_mode(0o640)).unwrap();
    }
    let ran = folder.run(&["check", "--fix"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let fixed = OLD.replace("[mounts]", "[[mounts]]");
    assert_eq!(folder.read("fly.toml"), fixed);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path("fly.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
    let again = folder.run(&["check", "--fix"]);
    assert!(!again.err.contains("fixed"), "{}", again.err);
    assert_eq!(folder.read("fly.toml"), fixed);

    let ran = folder.run_with(&["check", "--fix", "-"], OLD);
    assert_eq!(ran.out, fixed, "the fixed text and nothing else");
}

#[test]
fn accepted_findings_do_not_count() {
    let folder = Folder::new(&[("fly.toml", BAD)]);
    assert_eq!(folder.run(&["check", "--write-baseline", "accepted.json"]).code, 0);
    let ran = folder.run(&["check", "--baseline", "accepted.json"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("accepted earlier") && !ran.out.contains("error["), "{}", ran.out);
    fs::write(folder.path("fly.toml"), format!("{BAD}[[restart]]\npolicy = \"maybe\"\n")).unwrap();
    let ran = folder.run(&["check", "--baseline", "accepted.json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("restart-policy") && !ran.out.contains("unknown-strategy"));

    let entry = |rest: &str| format!("[[ignore]]\nrule = \"unknown-strategy\"\n{rest}\n");
    fs::write(folder.path("fly.toml"), BAD).unwrap();
    fs::write(folder.path("i.toml"), entry("reason = \"a test\"")).unwrap();
    assert_eq!(folder.run(&["check", "--ignore-file", "i.toml"]).code, 0);
    fs::write(folder.path("i.toml"), entry("reason = \"x\"\nuntil = \"2020-01-01\"")).unwrap();
    let ran = folder.run(&["check", "--ignore-file", "i.toml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("ran out"), "{}", ran.err);
    fs::write(folder.path("i.toml"), entry("")).unwrap();
    assert_eq!(folder.run(&["check", "--ignore-file", "i.toml"]).code, 2);
    assert_eq!(folder.run(&["check", "--baseline", "i.toml"]).code, 2);
}

#[test]
fn a_secret_is_never_printed() {
    const SECRET: &str = "hunter2isnotverysecret";
    let folder = Folder::new(&[
        ("fly.toml", &format!("app = \"a\"\n[env]\n  DB = \"postgres://u:{SECRET}@db/x\"\n")),
        ("Dockerfile", &format!("FROM node:22\nUSER node\nENV API_KEY={SECRET}\n")),
    ]);
    for format in ["human", "json", "sarif", "github", "junit", "markdown", "table"] {
        let ran = folder.run(&["check", "--format", format]);
        assert_eq!(ran.code, 1);
        assert!(!ran.out.contains(SECRET) && !ran.err.contains(SECRET), "{format}: {}", ran.out);
        if format != "github" {
            assert!(ran.out.contains("secret-in-env") && ran.out.contains("dockerfile-secret"));
        }
    }
}

#[test]
fn what_runs_is_judged_with_the_file() {
    let file = "app = \"web\"\nprimary_region = \"fra\"\n[http_service]\ninternal_port = 8080\nforce_https = true\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\n";
    let machines = r#"[{ "id": "1", "region": "ams", "config": { "mounts": [{ "name": "data", "path": "/data", "volume": "vol_1" }] } }]"#;
    let folder = Folder::new(&[("fly.toml", file), ("machines.json", machines)]);
    let select = ["check", "--select", "volume-region,force-https-flycast", "--fail-on", "info"];
    let with = |more: &[&str]| folder.run(&[&select[..], more].concat());
    assert_eq!(with(&[]).code, 0);
    let ran = with(&["--machines", "machines.json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("volume \"data\" is in ams, not in fra"), "{}", ran.out);
    let ran = with(&["--private"]);
    assert!(ran.out.contains("Flycast is plain HTTP"), "{}", ran.out);
    assert_eq!(with(&["--machines", "fly.toml"]).code, 2);
    assert_eq!(with(&["--machines", "gone.json"]).code, 2);
    assert_eq!(with(&["--private", "fly.toml", "machines.json"]).code, 2);
}
