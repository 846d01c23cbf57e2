//! The commands that edit, compare and convert.

use std::fs;

use serde_json::Value;

use crate::support::Folder;

const FILE: &str = "# the shop\napp = \"shop\"\nprimary_region = \"fra\"\n\n[env]\n  MODE = 'live' # kept\n\n[http_service]\n  internal_port = 8080\n\n[[vm]]\n  memory = \"512mb\"\n";

#[test]
fn values_are_read_and_written_in_place() {
    let folder = Folder::new(&[("fly.toml", FILE)]);
    assert_eq!(folder.run(&["get", "app"]).out, "shop\n");
    assert_eq!(folder.run(&["get", "vm[0].memory", "--json"]).out, "\"512mb\"\n");
    assert_eq!(folder.run(&["get", "nothing.here"]).code, 4);
    assert_eq!(folder.run(&["get", "a..b"]).code, 2);
    let ran = folder.run(&["set", "http_service.min_machines_running", "1", "app", "shop-2"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let wanted = FILE
        .replace("\"shop\"", "\"shop-2\"")
        .replace("internal_port = 8080\n", "internal_port = 8080\n  min_machines_running = 1\n");
    assert_eq!(folder.read("fly.toml"), wanted);
    let ran = folder.run(&["unset", "http_service.min_machines_running"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(folder.read("fly.toml"), FILE.replace("\"shop\"", "\"shop-2\""));
    let ran = folder.run_with(&["set", "--file", "-", "app", "x"], "app = 'a'\n");
    assert_eq!(ran.out, "app = \"x\"\n");
}

#[test]
fn a_failed_edit_leaves_the_file_alone() {
    let folder = Folder::new(&[("fly.toml", FILE), ("broken.toml", "app = \n")]);
    for args in [
        &["set", "app", "new", "a..b", "1"][..],
        &["set", "app", "new", "http_service"],
        &["set", "http_service", "1"],
        &["set", "app"],
        &["unset", "app", "gone"],
        &["set", "--file", "broken.toml", "app", "x"],
        &["fmt", "broken.toml"],
        &["set", "--file", "gone.toml", "app", "x"],
    ] {
        let ran = folder.run(args);
        assert!(ran.code == 2 || ran.code == 4, "{args:?}: {}", ran.code);
        assert!(ran.err.contains("error: "), "{args:?}: {}", ran.err);
    }
    assert_eq!(folder.read("fly.toml"), FILE);
    assert_eq!(folder.read("broken.toml"), "app = \n");
}

#[test]
fn formatting_is_idempotent_and_can_be_checked() {
    let folder = Folder::new(&[(
        "fly.toml",
        "app='a'\n[env]\nA=\"1\"\n\n\n\n[deploy]\nstrategy  =  \"rolling\"\n",
    )]);
    let ran = folder.run(&["fmt", "--check"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "fly.toml\n"));
    assert_eq!(folder.run(&["fmt"]).code, 0);
    assert_eq!(folder.run(&["fmt", "--check"]).code, 0);
    let formatted = folder.read("fly.toml");
    assert_eq!(folder.run(&["fmt", "."]).code, 0);
    assert_eq!(folder.read("fly.toml"), formatted);
}

#[test]
fn machine_configs_and_back() {
    let folder = Folder::new(&[("fly.toml", FILE)]);
    let ran = folder.run(&["machine-config"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let all: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(all["app"]["guest"]["memory_mb"], 512);
    let ran = folder.run(&["machine-config", "--group", "app"]);
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), all["app"]);
    assert_eq!(folder.run(&["machine-config", "--group", "web"]).code, 2);
    assert_eq!(folder.run(&["machine-config", "--release"]).code, 2);

    let machine = serde_json::json!([{ "id": "1", "region": "fra", "config": all["app"] }]);
    fs::write(folder.path("machines.json"), machine.to_string()).unwrap();
    let ran = folder.run(&["from-machines", "machines.json", "--app", "shop", "-o", "made.toml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = folder.run(&["from-machines", "machines.json", "--app", "shop", "-o", "made.toml"]);
    assert_eq!(ran.code, 2, "an existing file is kept");
    let ran = folder.run(&["diff", "made.toml", "--machines", "machines.json"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    fs::write(folder.path("fly.toml"), FILE.replace("512mb", "1gb")).unwrap();
    let ran = folder.run(&["diff", "fly.toml", "--machines", "machines.json"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.out, "~ app: guest.memory_mb: 512 -> 1024\n");
    for bad in ["not json", "[]", "[{\"config\": 3}]"] {
        let ran = folder.run_with(&["from-machines", "-", "--app", "x"], bad);
        assert_eq!(ran.code, 2, "{bad}");
    }
}

#[test]
fn a_missing_file_makes_a_config_incomplete() {
    let file = format!("{FILE}[[files]]\nguest_path = \"/x\"\nlocal_path = \"x.txt\"\n");
    let folder = Folder::new(&[("fly.toml", &file)]);
    let ran = folder.run(&["machine-config"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("x.txt cannot be read"), "{}", ran.err);
    fs::write(folder.path("x.txt"), "hello").unwrap();
    let ran = folder.run(&["machine-config"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("aGVsbG8="), "{}", ran.out);
}

#[test]
fn differences_in_meaning_only_and_no_secrets() {
    let other = FILE.replace('\'', "\"").replace("8080", "9090").replace("# the shop\n", "");
    let folder = Folder::new(&[
        ("fly.toml", FILE),
        ("same.toml", &FILE.replace('\'', "\"")),
        ("other.toml", &format!("{other}[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\n")),
        ("secret.toml", &FILE.replace("MODE = 'live'", "MODE = 'postgres://u:hunter2@db/x'")),
    ]);
    assert_eq!(folder.run(&["diff", "fly.toml", "same.toml"]).code, 0);
    let ran = folder.run(&["diff", "fly.toml", "other.toml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("~ http_service.internal_port: 8080 -> 9090\n"), "{}", ran.out);
    let ran = folder.run(&["diff", "fly.toml", "secret.toml"]);
    assert!(!ran.out.contains("hunter2") && ran.out.contains("(hidden)"), "{}", ran.out);
    assert_eq!(folder.run(&["diff", "fly.toml"]).code, 2);
}

#[test]
fn overlays_need_an_app_of_their_own_and_stay_beside_the_base() {
    let folder = Folder::new(&[
        ("fly.toml", FILE),
        ("dev.toml", "app = \"shop-dev\"\n[env]\nMODE = \"dev\"\n"),
        ("same.toml", "app = \"shop\"\n"),
        ("none.toml", "[env]\nMODE = \"dev\"\n"),
        ("sub/x", ""),
    ]);
    let ran = folder.run(&["overlay", "fly.toml", "dev.toml"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("# the shop\napp = \"shop-dev\"\n"), "{}", ran.out);
    assert!(ran.err.contains("~ env.MODE: \"live\" -> \"dev\""), "{}", ran.err);
    for bad in ["same.toml", "none.toml"] {
        assert_eq!(folder.run(&["overlay", "fly.toml", bad]).code, 2, "{bad}");
    }
    let ran = folder.run(&["overlay", "fly.toml", "dev.toml", "-o", "sub/fly.dev.toml"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let ran = folder.run(&["overlay", "fly.toml", "dev.toml", "-o", "fly.dev.toml"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = folder.run(&["overlay", "fly.toml", "fly.dev.toml", "--minimise"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("MODE") && !ran.out.contains("internal_port"), "{}", ran.out);
}

#[test]
fn version_1_files_are_converted_with_reasons() {
    const V1: &str = "app = \"old\"\nkill_timeout = 5\nprocesses = []\n\n[experimental]\n  allowed_public_ports = []\n\n[[services]]\n  internal_port = 8080\n  script_checks = []\n  [[services.ports]]\n    port = \"80\"\n    handlers = [\"http\"]\n";
    let folder = Folder::new(&[("fly.toml", V1)]);
    let ran = folder.run(&["migrate"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(folder.read("fly.toml"), V1, "printed, not written");
    assert!(!ran.out.contains("script_checks") && ran.out.contains("kill_timeout = \"5s\""));
    assert!(ran.err.contains("kill_timeout"), "{}", ran.err);
    assert_eq!(folder.run(&["migrate", "--write"]).code, 0);
    assert_eq!(folder.read("fly.toml"), ran.out);
}

#[test]
fn templates_pass_the_check_and_replace_nothing() {
    for template in ["web", "worker", "multi-region-web", "postgres-web", "static"] {
        let folder = Folder::new(&[("package.json", "{}\n")]);
        let ran = folder.run(&["new", template, "--app", "shop"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.starts_with("fly apps create shop\n"), "{}", ran.out);
        assert_eq!(folder.read("package.json"), "{}\n", "{template}");
        let ran = folder.run(&["check", ".", "--fail-on", "info"]);
        assert_eq!(ran.code, 0, "{template}: {}", ran.out);
        assert!(ran.out.starts_with("2 files: nothing to report"), "{}", ran.out);
        assert_eq!(folder.run(&["new", template, "--app", "shop"]).code, 2, "fly.toml exists");
        let ran = folder.run(&["docker-run"]);
        assert!(
            ran.out.starts_with("docker run --rm ") && ran.out.contains(" shop"),
            "{}",
            ran.out
        );
    }
    let folder = Folder::new(&[]);
    for bad in [
        &["new", "web", "--app", "My App"][..],
        &["new", "web", "--app", "shop", "--region", "mars"],
        &["new", "web", "--app", "shop", "--port", "0"],
        &["new", "gopher", "--app", "shop"],
    ] {
        assert_eq!(folder.run(bad).code, 2, "{bad:?}");
    }
}
