//! Apps v1 to v2: each old spelling goes, the deploy stays the same, what is lost is named.

use std::fs;
use std::path::PathBuf;

use fly_toml::convert::{Inputs, machine_config};
use fly_toml::migrate::{MigrateOptions, migrate};
use fly_toml::{Config, Document, check};

use crate::corpus::cases;

const V1: &str = "\
# fly.toml of 2022
app = \"shop\"
kill_signal = \"SIGINT\"
kill_timeout = 5
processes = []

[env]
  PRIMARY_REGION = \"ams\"

[experimental]
  allowed_public_ports = []
  auto_rollback = true
  metrics_port = 9090
  metrics_path = \"/metrics\"

[mount] # the data
  source = \"data\"
  destination = \"/data\"

[[services]]
  http_checks = []
  internal_port = \"8080\"
  processes = [\"web\"]
  protocol = \"tcp\"
  script_checks = []

  [services.concurrency]
    hard_limit = 25
    soft_limit = 20
    type = \"connections\"

  [[services.ports]]
    force_https = true
    handlers = [\"http\"]
    port = \"80\"

  [[services.ports]]
    handlers = [\"tls\", \"http\"]
    port = 443

  [[services.tcp_checks]]
    grace_period = \"1s\"
    interval = 15000
    restart_limit = 6
    timeout = 2500
";

const V2: &str = "\
# fly.toml of 2022
app = \"shop\"
kill_signal = \"SIGINT\"
kill_timeout = \"5s\"
primary_region = \"ams\"

[env]

[[mounts]] # the data
  source = \"data\"
  destination = \"/data\"

[[services]]
  http_checks = []
  internal_port = 8080
  processes = [\"web\"]
  protocol = \"tcp\"

  [services.concurrency]
    hard_limit = 25
    soft_limit = 20
    type = \"connections\"

  [[services.ports]]
    force_https = true
    handlers = [\"http\"]
    port = 80

  [[services.ports]]
    handlers = [\"tls\", \"http\"]
    port = 443

  [[services.tcp_checks]]
    grace_period = \"1s\"
    interval = \"15s\"
    timeout = \"2500ms\"

[[metrics]]
  port = 9090
  path = \"/metrics\"

[processes]
  web = \"\"
";

#[test]
fn an_old_file_becomes_a_current_one() {
    let done = migrate(&Document::parse(V1), MigrateOptions::default()).unwrap();
    assert_eq!(done.text, V2);
    let lost: Vec<&str> = done
        .changes
        .iter()
        .filter(|change| !change.has_counterpart)
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(lost, ["services[0].tcp_checks[0].restart_limit", "experimental.auto_rollback"]);
    assert!(check(&done.text).accepted());
    // Once more changes nothing.
    let again = migrate(&Document::parse(done.text.as_str()), MigrateOptions::default()).unwrap();
    assert!(again.changes.is_empty() && again.text == done.text, "{:?}", again.changes);
}

#[test]
fn a_web_service_is_folded_only_where_nothing_is_lost() {
    let fold = MigrateOptions { fold_http_service: true };
    let service = "\
[[services]]
  internal_port = 8080
  protocol = \"tcp\"
  [services.concurrency]
    hard_limit = 25
  [[services.ports]]
    handlers = [\"http\"]
    port = 80
    force_https = true
  [[services.ports]]
    handlers = [\"tls\", \"http\"]
    port = 443
  [[services.http_checks]]
    interval = 10000
    path = \"/up\"
    headers = []
";
    let done = migrate(&Document::parse(service), fold).unwrap();
    let wanted = "\
[http_service]
  internal_port = 8080
  force_https = true

  [http_service.concurrency]
    hard_limit = 25

  [[http_service.checks]]
    interval = \"10s\"
    path = \"/up\"
";
    assert_eq!(done.text.trim_start(), wanted);
    for more in [
        "[[services.tcp_checks]]\ninterval = '10s'\n",
        "[[services.ports]]\nport = 8443\n",
        "[services.ports.tls_options]\nalpn = ['h2']\n",
    ] {
        let text = format!("{service}{more}");
        let done = migrate(&Document::parse(text), fold).unwrap();
        assert!(!done.text.contains("[http_service]"), "{more}");
    }
}

fn deploys(config: &Config) -> Vec<Option<String>> {
    let convert = |group| machine_config(config, group, &Inputs::default()).ok();
    let groups = config.groups().into_iter();
    groups
        .map(|group| convert(group).map(|it| serde_json::to_string(&it.config).unwrap()))
        .collect()
}

#[test]
fn real_files_deploy_the_same_afterwards() {
    let (mut files, mut changed, mut steps) = (0, 0, 0);
    for (name, bytes) in cases() {
        let text = String::from_utf8(bytes).unwrap();
        let before = check(&text);
        let Ok(done) = migrate(&before.document, MigrateOptions::default()) else { continue };
        files += 1;
        changed += usize::from(!done.changes.is_empty());
        steps += done.changes.len();
        let after = check(&done.text);
        let old: Vec<&str> = after
            .diagnostics
            .iter()
            .filter(|found| ["legacy-spelling", "v1-key"].contains(&found.code.id))
            .map(|found| found.message.as_str())
            .collect();
        assert!(old.is_empty() || !done.open.is_empty(), "{name}: {old:?}");
        if before.accepted() {
            assert!(after.accepted(), "{name}: {:?}", after.diagnostics);
            // A region that moves from the variable to its key is the same region.
            assert_eq!(deploys(&before.config), deploys(&after.config), "{name}");
        }
        let again = migrate(&after.document, MigrateOptions::default()).unwrap();
        assert_eq!(again.text, done.text, "{name}: not done at once");
    }
    println!("corpus: {steps} changes in {changed} of {files} files, each deploys the same");
    assert!(files >= 214 && changed > 100);
}

/// What the owners of 16 real apps made of their files: ours accepts as much and keeps no old spelling.
#[test]
fn real_migrations() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let index = fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let rows: Vec<Vec<&str>> =
        index.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    let mut pairs = 0;
    for row in rows.iter().filter(|row| row[9].starts_with('P') && row[9].ends_with("-before")) {
        let text = fs::read_to_string(folder.join(row[0])).unwrap();
        let fold = MigrateOptions { fold_http_service: true };
        let done = migrate(&Document::parse(text), fold).unwrap();
        let after = check(&done.text);
        assert!(after.accepted() || !done.open.is_empty(), "{}: {:?}", row[0], after.diagnostics);
        pairs += 1;
    }
    assert_eq!(pairs, 16);
}
