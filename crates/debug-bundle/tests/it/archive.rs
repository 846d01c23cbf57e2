//! What is in the archive and in which order; the same bytes whatever the threads.

use std::process::Stdio;

use debug_bundle::manifest::{BundleStatus, Cut, Status};
use ops_cli::Exit;

use crate::{Bench, unpack};

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_healthy_app_in_its_place() {
    let bench = Bench::new("healthy").await;
    let ran = bench.run(&["demo"]).await;
    assert_eq!(ran.exit, Exit::Ok, "{}\n{}", ran.stdout, ran.stderr);
    let bundle = ran.unpack();
    for path in [
        "README.txt",
        "analysis.json",
        "app/app.json",
        "app/certs.json",
        "app/certs/www.example.com.json",
        "app/ips.json",
        "app/releases.json",
        "app/secrets.json",
        "host/clock.json",
        "host/env-names.json",
        "host/os.json",
        "host/resolver.json",
        "host/token.json",
        "logs/platform.ndjson",
        "machines/148e21ea7e4389/checks.json",
        "machines/148e21ea7e4389/machine.json",
        "machines/148e21ea7e4389/ps.json",
        "machines/list.json",
        "manifest.json",
        "platform/host-issues.json",
        "platform/incidents.json",
        "platform/regions.json",
        "platform/status.json",
        "redaction.json",
        "self/errors.ndjson",
        "self/plan.json",
        "self/tool.log",
        "summary.txt",
        "ticket.md",
        "trace.json",
        "version.json",
        "volumes/list.json",
        "volumes/vol_9vle3lw21kmzn6d4/snapshots.json",
    ] {
        assert!(bundle.files.contains_key(path), "no {path}");
    }
    // Directories, then the manifest, then the rest by name.
    let files: Vec<&String> =
        bundle.order.iter().filter(|path| !path.is_empty() && !path.ends_with('/')).collect();
    assert_eq!(files[0], "manifest.json");
    assert!(files[1..].is_sorted());
    let last_directory =
        bundle.order.iter().rposition(|path| path.is_empty() || path.ends_with('/')).unwrap();
    let first_file = bundle.order.iter().position(|path| path == "manifest.json").unwrap();
    assert!(last_directory < first_file);
    let manifest = &bundle.manifest;
    assert_eq!((manifest.status, manifest.app.as_str()), (BundleStatus::Complete, "demo"));
    assert!(!manifest.critical_path.is_empty());
    let machines = bundle.collector("machines");
    assert_eq!((machines.status, machines.requests.len()), (Status::Ok, 1));
    assert!(machines.requests[0].request_id.is_some());
    assert!(machines.enables.contains(&"machine.oom".to_owned()));
    // No flyctl is no failure, and is said.
    assert_eq!(bundle.collector("flyctl").status, Status::Unsupported);
    assert!(bundle.text("summary.txt").contains("flyctl unsupported"));
    // 600 lines an hour: several pages, all of them.
    assert!(bundle.text("logs/platform.ndjson").lines().count() > 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_collection_packs_to_the_same_bytes() {
    let bench = Bench::new("oom").await;
    let ran = bench.run(&["demo", "--reproducible", "--threads", "2"]).await;
    let first = std::fs::read(&ran.archives[0]).unwrap();
    // As a person unpacks it.
    let folder = bench.directory.path().join("unpacked");
    std::fs::create_dir(&folder).unwrap();
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(first.as_slice()));
    archive.unpack(&folder).unwrap();
    let stem = ran.unpack().manifest.stem;
    let tree = folder.join(&stem);
    for threads in ["1", "2", "3", "16"] {
        let target = folder.join(format!("{threads}.tar.gz"));
        let words = [
            "pack",
            tree.to_str().unwrap(),
            "--reproducible",
            "--threads",
            threads,
            "--output",
            target.to_str().unwrap(),
        ];
        let packed = bench.run(&words).await;
        assert_eq!(packed.exit, Exit::Ok, "{}", packed.stderr);
        assert!(std::fs::read(&target).unwrap() == first, "{threads} threads");
    }
    // A tree that is not what its manifest says is no bundle.
    std::fs::write(tree.join("summary.txt"), "all is well").unwrap();
    let refused = bench
        .run(&[
            "pack",
            tree.to_str().unwrap(),
            "--output",
            folder.join("x.tar.gz").to_str().unwrap(),
        ])
        .await;
    assert_eq!(refused.exit, Exit::VerificationFailed);
    assert!(refused.stderr.contains("summary.txt"), "{}", refused.stderr);
    assert!(!folder.join("x.tar.gz").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_an_archive_loses_the_least_valuable_files() {
    let bench = Bench::new("oom").await;
    let whole = bench.run(&["demo"]).await;
    let bytes = std::fs::metadata(&whole.archives[0]).unwrap().len();
    std::fs::remove_file(&whole.archives[0]).unwrap();
    let limit = (bytes * 3 / 4).max(16 << 10).to_string();
    let ran = bench.run(&["demo", "--max-size", &limit]).await;
    assert!(std::fs::metadata(&ran.archives[0]).unwrap().len() <= limit.parse().unwrap());
    let bundle = ran.unpack();
    let dropped: Vec<_> = bundle
        .manifest
        .collectors
        .iter()
        .filter(|it| it.files.iter().any(|file| file.truncation.kind == Cut::Dropped))
        .collect();
    assert!(dropped.iter().any(|it| it.id == "regions" && it.status == Status::OkTruncated));
    assert!(bundle.files.contains_key("machines/list.json"));
    assert!(bundle.text("summary.txt").contains("--max-size"));
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_tools_read_it() {
    let bench = Bench::new("healthy").await;
    let ran = bench.run(&["demo", "--output", "b.tar.gz"]).await;
    let [path] = &ran.archives[..] else { panic!() };
    assert!(path.ends_with("b.tar.gz"));
    #[expect(clippy::disallowed_methods, reason = "the point is what other programs say")]
    let listed = std::process::Command::new("tar")
        .arg("-tzf")
        .arg(path)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(listed.status.success());
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), unpack(path).order.len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
