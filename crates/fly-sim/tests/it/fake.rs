//! The fake `fly`.

use std::path::Path;

use fly_sim::fake;

fn run(args: &[&str], directory: &Path) -> (u8, String, String) {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = fake::run(&args, directory, &mut out, &mut err).unwrap();
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[test]
fn only_what_was_recorded_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("status");
    std::fs::create_dir(&one).unwrap();
    let meta = "args = [\"status\", \"-a\", \"{{app}}\"]\nexit = 3\n";
    std::fs::write(one.join("recording.toml"), meta).unwrap();
    std::fs::write(one.join("stdout"), "App {{app}} at {{app}}.fly.dev\n").unwrap();
    let (code, out, err) = run(&["status", "-a", "web"], folder.path());
    assert_eq!((code, out.as_str(), err.as_str()), (3, "App web at web.fly.dev\n", ""));
    for args in [&["status"][..], &["status", "-a", "web", "--json"], &["deploy"]] {
        let (code, out, err) = run(args, folder.path());
        assert_eq!((code, out.as_str()), (fake::NOT_RECORDED, ""));
        assert!(err.contains("no recording of `fly "), "{err}");
    }
    assert_eq!(run(&["version"], Path::new("/nonexistent")).0, fake::NOT_RECORDED);
}

#[test]
fn the_bundles_commands_are_recorded() {
    let folder = fake::default_directory();
    for args in [
        &["version"][..],
        &["version", "--json"],
        &["doctor", "--json"],
        &["doctor", "--json", "-a", "some-app"],
        &["doctor", "--app=some-app", "-j"],
    ] {
        let (code, out, err) = run(args, &folder);
        assert_eq!(code, 0, "{args:?}: {err}");
        if args.len() > 1 {
            serde_json::from_str::<serde_json::Value>(&out).unwrap();
        }
    }
}
