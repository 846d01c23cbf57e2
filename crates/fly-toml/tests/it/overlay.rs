//! Overlays: the result is what the rule says, real sibling files included.

use std::fs;
use std::path::PathBuf;

use fly_toml::overlay::{OverlayError, minimise, overlay};
use fly_toml::{Document, check, diff};

const BASE: &str = "\
# The shop.
app = \"shop\"
primary_region = \"ams\"

[env]
  LOG = \"info\" # quiet

[http_service]
  internal_port = 8080
  auto_stop_machines = \"off\"

[[mounts]]
  source = \"data\"
  destination = \"/data\"

[[vm]]
  memory = \"1gb\"
";

#[test]
fn tables_merge_entries_match_values_are_replaced() {
    let over = "\
app = \"shop-dev\"
[env]
LOG = \"debug\"
EXTRA = \"1\"
[http_service]
auto_stop_machines = \"stop\"
concurrency = { soft_limit = 5 }
[[mounts]]
source = \"data\"
initial_size = \"1gb\"
[[mounts]]
source = \"cache\"
destination = \"/cache\"
[[vm]]
memory = \"256mb\"
[deploy]
strategy = \"immediate\"
";
    let result = overlay(&Document::parse(BASE), &Document::parse(over)).unwrap();
    assert_eq!(
        result.text,
        "\
# The shop.
app = \"shop-dev\"
primary_region = \"ams\"

[env]
  LOG = \"debug\" # quiet
  EXTRA = \"1\"

[http_service]
  internal_port = 8080
  auto_stop_machines = \"stop\"

  [http_service.concurrency]
    soft_limit = 5

[[mounts]]
  source = \"data\"
  destination = \"/data\"
  initial_size = \"1gb\"

[[mounts]]
  source = \"cache\"
  destination = \"/cache\"

[[vm]]
  memory = \"256mb\"

[deploy]
  strategy = \"immediate\"
"
    );
    let paths: Vec<&str> = result.differences.iter().map(|found| found.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "app",
            "deploy.strategy",
            "env.EXTRA",
            "env.LOG",
            "http_service.auto_stop_machines",
            "http_service.concurrency.soft_limit",
            "mounts[source=cache].destination",
            "mounts[source=cache].source",
            "mounts[source=data].initial_size",
            "vm[0].memory",
        ]
    );
}

#[test]
fn the_app_has_to_differ() {
    let base = Document::parse(BASE);
    let over = |text: &str| overlay(&base, &Document::parse(text)).unwrap_err();
    assert_eq!(over("[env]\nA = '1'\n"), OverlayError::NoApp);
    assert_eq!(over("app = 'shop'\n"), OverlayError::SameApp { app: "shop".to_owned() });
    assert_eq!(over("app = \n"), OverlayError::OverlayNotToml { line: 1 });
}

/// The sibling sets of the corpus: base and variant, both complete files.
fn siblings() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let index = fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let rows: Vec<Vec<&str>> =
        index.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    let read = |row: &[&str]| fs::read_to_string(folder.join(row[0])).unwrap();
    let mut pairs = Vec::new();
    for base in rows.iter().filter(|row| row[9].ends_with("-base")) {
        let set = base[9].trim_end_matches("base");
        for variant in rows.iter().filter(|row| row[9].starts_with(set) && row[9] != base[9]) {
            pairs.push((read(base), read(variant)));
        }
    }
    pairs
}

#[test]
fn real_siblings_are_overlays_and_become_smaller() {
    let (mut laid, mut smaller) = (0, 0);
    let pairs = siblings();
    for (base, variant) in &pairs {
        let (base, variant) = (Document::parse(base.as_str()), Document::parse(variant.as_str()));
        let Ok(result) = overlay(&base, &variant) else { continue };
        laid += 1;
        // Everything that the variant says is in the result; what is left over is what only the base says.
        let (reached, wanted) = (check(&result.text).config, check(variant.text()).config);
        for found in diff::diff(&wanted, &reached) {
            assert!(found.before.is_none(), "{found:?}");
        }
        let (text, _) = minimise(&base, &variant).unwrap();
        assert!(text.len() <= variant.text().len());
        let again = overlay(&base, &Document::parse(text.as_str())).unwrap();
        assert!(diff::diff(&reached, &check(&again.text).config).is_empty());
        smaller += usize::from(text.len() * 2 < variant.text().len());
    }
    println!(
        "corpus: {laid} of {} sibling pairs laid over, {smaller} overlays below half the size",
        pairs.len()
    );
    assert!(laid >= 6 && smaller >= 3);
}
