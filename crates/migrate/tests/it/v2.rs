//! `v2`: what is said about an app and a file of Apps v1.

use migrate::v2::{Platform, convert, judge};

const V1: &str = "app = 'shop'\nkill_timeout = 5\nprocesses = []\n\n[experimental]\n  allowed_public_ports = []\n  auto_rollback = true\n\n[[services]]\n  internal_port = 8080\n  protocol = 'tcp'\n  script_checks = []\n  [[services.ports]]\n    port = 443\n    handlers = ['tls', 'http']\n";

fn says(word: &str, machines: usize) -> Platform {
    Platform::Says { word: word.to_owned(), machines: Some(machines) }
}

#[test]
fn an_app_on_machines_with_a_current_file_has_nothing_left_to_do() {
    let file = convert("app = 'shop'\nprimary_region = 'fra'\n", false).unwrap();
    let report = judge(Some("shop"), &says("machines", 2), Some(&file));
    assert!(report.is_done(), "{}", report.text());
    assert!(report.text().contains("it is on v2"));
}

#[test]
fn an_app_on_nomad_gets_a_plan_of_commands_that_exist() {
    let file = convert(V1, false).unwrap();
    assert!(file.changed);
    let report = judge(Some("shop"), &says("nomad", 0), Some(&file));
    let text = report.text();
    for part in [
        "Apps v1",
        "no longer exists",
        "fly apps create shop-v2",
        "fly deploy -c fly.v2.toml",
        "fly certs add",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let commands: Vec<&String> = report.todo.iter().flat_map(|todo| &todo.commands).collect();
    assert!(commands.iter().all(|command| !command.contains("migrate-to-v2")), "{commands:?}");
    assert!(!report.changes.is_empty());
}

#[test]
fn the_converted_file_is_accepted_and_converting_it_again_changes_nothing() {
    let file = convert(V1, false).unwrap();
    assert!(fly_toml::check(&file.text).accepted(), "{}", file.text);
    let again = convert(&file.text, false).unwrap();
    assert!(!again.changed, "{}", again.text);
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let unknown = Platform::Unknown { why: "403".to_owned(), machines: None };
    assert!(judge(Some("shop"), &unknown, None).verdict.contains("did not say"));
    assert!(judge(Some("shop"), &says("orbits", 1), None).verdict.contains("does not know"));
    assert!(!judge(Some("shop"), &says("detached", 0), None).is_done());
}
