//! flyctl: recognising it, and reading it.

use std::future::{pending, ready};

use exec::flyctl::{Flyctl, FlyctlError, MINIMUM};
use exec::{Ending, FindError, Version};
use secrecy::SecretString;
use test_kit::{Sandbox, SimProcess};

use crate::support::{LONG, runner};

async fn find(sandbox: &Sandbox) -> Result<Flyctl, FlyctlError> {
    Flyctl::find(&runner(sandbox), None, LONG, pending()).await
}

/// A stand-in that answers `version --json` with this line, and `doctor …` by the script.
fn stand_in(sandbox: &Sandbox, name: &str, version: &str, doctor: &str) {
    let line = format!(
        r#"{{"Name":"{name}","Version":"{version}","Commit":"abc","BranchName":"","BuildDate":"2026-08-21T14:11:32Z","OS":"linux","Architecture":"amd64","Environment":"production"}}"#
    );
    let body = format!("case \"$1\" in version) echo '{line}';; *) {doctor};; esac");
    sandbox.script(name, &body).unwrap();
}

#[tokio::test]
async fn the_recorded_flyctl_is_recognised_and_read() {
    let sandbox = Sandbox::new().unwrap();
    let path = sandbox.fake_fly().unwrap();
    let flyctl = find(&sandbox).await.unwrap();
    let identity = &flyctl.identity().value;
    assert_eq!((flyctl.path(), identity.version), (path.as_path(), Version::new(0, 4, 87)));
    assert_eq!((identity.text.as_str(), identity.platform.as_str()), ("0.4.87", "linux/amd64"));
    flyctl.require(MINIMUM).unwrap();

    let runner = runner(&sandbox);
    let token = Some(SecretString::from("fo1_example"));
    let doctor = flyctl.doctor(&runner, Some("web"), token, LONG, pending()).await.unwrap();
    assert!(doctor.transcript.ending.claims_success(), "flyctl says that all is well");
    assert!(!doctor.value.passed(), "its answers do not");
    assert_eq!(doctor.value.first_failure().unwrap().name, "agent");
    let not_reached =
        ["docker", "ping", "wgdns", "wgflaps", "appHasIps", "appARecord", "appAAAARecord"];
    assert_eq!(doctor.value.not_reached, not_reached);
    let env = &doctor.transcript.env;
    for name in ["FLY_API_TOKEN", "FLY_NO_UPDATE_CHECK", "FLY_SEND_METRICS", "FLY_CONFIG_DIR"] {
        assert!(env.contains(&name.to_owned()), "{name}");
    }
    assert!(!serde_json::to_string(&doctor).unwrap().contains("fo1_example"));
}

#[tokio::test]
async fn another_program_named_fly_is_passed_over_or_named() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.script("fly", "echo \"error: Unknown command \\`version'\" >&2; exit 1").unwrap();
    let Err(FlyctlError::NotFlyctl { path, looks_like, transcript }) = find(&sandbox).await else {
        panic!("Concourse's fly was taken for flyctl")
    };
    assert_eq!((path, looks_like), (sandbox.bin().join("fly"), Some("Concourse's fly")));
    assert_eq!(transcript.ending, Ending::Exited { code: 1 });
    stand_in(&sandbox, "flyctl", "0.4.87", "exit 1");
    assert_eq!(find(&sandbox).await.unwrap().path(), sandbox.bin().join("flyctl"));
}

#[tokio::test]
async fn programs_that_only_look_like_it_are_refused() {
    for body in [
        "echo 7.9.1",
        "echo '{\"Name\":\"fly\",\"Version\":\"0.4.87\"}'",
        "echo '{\"Name\":\"fly\",\"Version\":\"new\",\"Commit\":\"abc\"}'",
        "printf '\\377\\376'",
        "exit 0",
        "yes",
    ] {
        let sandbox = Sandbox::new().unwrap();
        // `yes` never ends by itself, so it is shortened by its reader.
        sandbox.script("fly", &format!("{body} | head -c 3000000")).unwrap();
        let error = find(&sandbox).await.unwrap_err();
        assert!(matches!(error, FlyctlError::NotFlyctl { .. }), "{body}: {error}");
    }
}

#[tokio::test]
async fn no_program_an_unusable_one_and_one_that_hangs() {
    let sandbox = Sandbox::new().unwrap();
    let error = find(&sandbox).await.unwrap_err();
    assert!(matches!(error, FlyctlError::Find(FindError::NotOnPath { .. })), "{error}");
    let path = sandbox.path("work");
    let error = Flyctl::find(&runner(&sandbox), Some(&path), LONG, pending()).await.unwrap_err();
    assert!(matches!(error, FlyctlError::Find(FindError::NotAFile { .. })), "{error}");
    sandbox.script("fly", "exec sleep 1000").unwrap();
    let error = Flyctl::find(&runner(&sandbox), None, LONG, ready(())).await.unwrap_err();
    assert!(matches!(error, FlyctlError::Failed { .. }), "it may be flyctl all the same: {error}");
}

#[tokio::test]
async fn an_old_one_is_found_and_not_trusted() {
    let sandbox = Sandbox::new().unwrap();
    for (version, is_new) in [
        ("0.4.10", false),
        ("0.3.227", false),
        ("0.4.11", true),
        ("1.0.0", true),
        ("2026.8.21-dev.1755781892", true),
    ] {
        stand_in(&sandbox, "flyctl", version, "exit 1");
        let flyctl = find(&sandbox).await.unwrap();
        assert_eq!(flyctl.require(MINIMUM).is_ok(), is_new, "{version}");
        assert_eq!(flyctl.identity().value.text, version);
    }
    stand_in(&sandbox, "flyctl", "0.3.1", "exit 1");
    let error = find(&sandbox).await.unwrap().require(MINIMUM).unwrap_err().to_string();
    assert!(
        error.ends_with("is flyctl 0.3.1, older than 0.4.11 (try: fly version upgrade)"),
        "{error}"
    );
}

#[tokio::test]
async fn doctors_answers_count_and_its_exit_status_does_not() {
    let sandbox = Sandbox::new().unwrap();
    let all = r#"{"auth":"ok","agent":"ok","docker":"no docker","ping":"ok","wgdns":"ok","wgflaps":"ok"}"#;
    for (script, passed) in [
        (format!("echo '{all}'"), Some(true)),
        (format!("echo '{all}'; exit 1"), Some(true)),
        (r#"echo '{"auth":"no token"}'"#.to_owned(), Some(false)),
        (r#"echo '{"auth":"ok"}'"#.to_owned(), Some(false)),
        ("echo '{}'".to_owned(), Some(false)),
        ("echo 'Error: unknown flag' >&2; exit 1".to_owned(), None),
        ("echo 'Testing authentication token... PASSED'".to_owned(), None),
    ] {
        stand_in(&sandbox, "flyctl", "0.4.87", &script);
        let flyctl = find(&sandbox).await.unwrap();
        let doctor = flyctl.doctor(&runner(&sandbox), None, None, LONG, pending()).await;
        assert_eq!(doctor.ok().map(|doctor| doctor.value.passed()), passed, "{script}");
    }
}

#[tokio::test]
async fn the_exit_status_counts_where_it_is_to_be_believed() {
    let sandbox = Sandbox::new().unwrap();
    stand_in(&sandbox, "flyctl", "0.4.87", "echo '{\"exit_code\":3}'; exit 1");
    let flyctl = find(&sandbox).await.unwrap();
    let runner = runner(&sandbox);
    let read = async |args: &[&str]| {
        let read = flyctl.read::<serde_json::Value>(&runner, args, None, LONG, pending()).await;
        read.map(|observed| observed.value["exit_code"].as_i64())
    };
    assert_eq!(read(&["machine", "exec", "148e", "ls", "--json"]).await.unwrap(), Some(3));
    let status = read(&["status", "--json"]).await.unwrap_err();
    assert!(matches!(status, FlyctlError::Failed { .. }), "{status}");
}

#[tokio::test]
async fn a_token_does_not_become_an_argument() {
    let sandbox = Sandbox::new().unwrap();
    stand_in(&sandbox, "flyctl", "0.4.87", "exit 0");
    let flyctl = find(&sandbox).await.unwrap();
    for args in [
        &["status", "-t", "x"][..],
        &["status", "--access-token=x"],
        &["status", "FlyV1 fm2_lJPECAAA"],
        &["status", "fo1_example"],
    ] {
        let refused = flyctl.command(args, None, LONG).err().unwrap();
        assert!(matches!(refused, FlyctlError::TokenArgument { position: 2 }), "{args:?}");
    }
    assert!(flyctl.command(&["status", "-a", "fo1-app"], None, LONG).is_ok());
}

#[tokio::test]
async fn a_real_flyctl_is_recognised_and_read() {
    #[expect(clippy::disallowed_methods, reason = "which flyctl to test is the caller's choice")]
    let Some(path) = std::env::var_os("FLYCTL_BIN") else {
        println!("skipped: set FLYCTL_BIN to a flyctl to run this");
        return;
    };
    let world = SimProcess::start("healthy").unwrap();
    let mut sandbox = Sandbox::new().unwrap();
    sandbox.set_all(world.env());
    let runner = runner(&sandbox);
    let flyctl = Flyctl::find(&runner, Some(path.as_ref()), LONG, pending()).await.unwrap();
    let printed = sandbox.run(&path, ["version"]).unwrap();
    assert!(printed.stdout.contains(&flyctl.identity().value.commit), "{printed:?}");
    // The token of the simulator is handed over; the variable of the caller is not inherited.
    for (token, auth) in [(world.var("FLY_API_TOKEN"), true), (None, false)] {
        let token = token.map(SecretString::from);
        let doctor = flyctl.doctor(&runner, world.var("FLY_APP"), token, LONG, pending()).await;
        let doctor = doctor.map(|doctor| doctor.value);
        let passed = doctor.as_ref().is_ok_and(|doctor| doctor.checks[0].passed);
        assert_eq!(passed, auth, "{doctor:?}");
    }
}
