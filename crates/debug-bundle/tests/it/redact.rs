//! Secrets of the app do not reach the archive; pseudonyms agree between bundles made with one key.

use crate::Bench;

/// Secrets in places where apps really have them.
const EXTRA: &str = r#"
[[apps.logs]]
at = "-10m"
machine = "148e21ea7e4389"
message = "connecting to postgres://demo:n0tArealPassw0rd@db.internal:5432/demo"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_in_the_archive() {
    let bench = Bench::with("oom", EXTRA).await;
    let ran = bench.run(&["demo"]).await;
    let bundle = ran.unpack();
    let token = bench.sim.env().into_iter().find(|(name, _)| *name == "FLY_API_TOKEN").unwrap().1;
    for (path, content) in &bundle.files {
        let text = String::from_utf8_lossy(content);
        for secret in ["n0tArealPassw0rd", token.as_str()] {
            assert!(!text.contains(secret), "{path} holds {secret}");
        }
    }
    for said in [&ran.stdout, &ran.stderr] {
        assert!(!said.contains("n0tArealPassw0rd") && !said.contains(&token));
    }
    assert!(
        bundle.text("logs/platform.ndjson").contains('\u{2039}'),
        "a pseudonym is in its place"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_gives_one_pseudonym() {
    let bench = Bench::with("oom", EXTRA).await;
    std::fs::write(bench.directory.path().join("k"), [7; 32]).unwrap();
    let key = bench.directory.path().join("k");
    let words = ["demo", "--only", "logs", "--pseudonym-key", key.to_str().unwrap()];
    let pseudonym = |text: &str| -> String {
        let at = text.find('\u{2039}').unwrap();
        text[at..].chars().take_while(|c| *c != '\u{203a}').collect()
    };
    let mut seen = Vec::new();
    for _ in 0..2 {
        let ran = bench.run(&words).await;
        let bundle = ran.unpack();
        seen.push((
            pseudonym(&bundle.text("logs/platform.ndjson")),
            bundle.manifest.redaction.key_id.clone(),
        ));
        std::fs::remove_file(&ran.archives[0]).unwrap();
    }
    assert_eq!(seen[0], seen[1]);
    let fresh = bench.run(&["demo", "--only", "logs"]).await.unpack();
    assert_ne!(fresh.manifest.redaction.key_id, seen[0].1);
}
