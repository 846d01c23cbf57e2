//! The formatter: one layout, never another meaning.

use fly_toml::convert::{Inputs, machine_config};
use fly_toml::syntax::to_json;
use fly_toml::{Document, Report, check, format};

use crate::corpus::cases;

fn formatted(text: &str) -> String {
    format(&Document::parse(text)).unwrap()
}

#[test]
fn one_layout() {
    let messy = "
# top
app='x'   # name


primary_region   = \"ams\"
[ env ]
A=1
   # of B
   B = { c=1,d = [1,2 , 3] }
[http_service]
internal_port=8080
[[http_service.checks]]
    path='/'
    headers = {}
processes = [
   'a',   
   'b' # last
]  # both
text = \"\"\"
  kept   
\"\"\"";
    let clean = "\
# top
app = 'x' # name

primary_region = \"ams\"

[env]
  A = 1
  # of B
  B = { c = 1, d = [1, 2, 3] }

[http_service]
  internal_port = 8080

  [[http_service.checks]]
    path = '/'
    headers = {}
    processes = [
   'a',
   'b' # last
] # both
    text = \"\"\"
  kept   
\"\"\"
";
    assert_eq!(formatted(messy), clean);
    assert_eq!(formatted(clean), clean);
    assert_eq!(formatted("a = 1\r\n\r\n[b]\r\nc = 2"), "a = 1\n\n[b]\n  c = 2\n");
    assert_eq!(formatted(""), "");
    assert!(format(&Document::parse("a = \n")).is_err());
}

#[test]
fn formatting_and_fixing_twice_changes_nothing_more_and_formatting_no_meaning() {
    let (mut files, mut fixed) = (0, 0);
    for (name, bytes) in cases() {
        let text = String::from_utf8(bytes).unwrap();
        let document = Document::parse(text.as_str());
        if let Ok(once) = format(&document) {
            let again = Document::parse(once.as_str());
            assert_eq!(format(&again).unwrap(), once, "{name}");
            let json = |document: &Document| -> Vec<_> {
                document.root().entries().iter().map(|entry| to_json(&entry.value)).collect()
            };
            assert_eq!(json(&document), json(&again), "{name}");
            files += 1;
        }
        let mut current = text;
        let mut rounds = 0;
        while let Some(next) = check(&current).fixed() {
            current = next;
            rounds += 1;
            assert!(rounds < 5, "{name}: fixes do not come to an end");
        }
        fixed += usize::from(rounds > 0);
        let (before, after) = (check(document.text()), check(&current));
        assert!(after.accepted() || !before.accepted(), "{name}");
        if before.accepted() {
            let configs = |report: &Report| -> Vec<_> {
                let groups = report.config.groups().into_iter();
                groups
                    .map(|group| machine_config(&report.config, group, &Inputs::default()).ok())
                    .map(|it| it.map(|it| it.config))
                    .collect()
            };
            assert_eq!(configs(&before), configs(&after), "{name}: fixes change what is deployed");
        }
    }
    println!("corpus: {files} files formatted, {fixed} fixed");
    assert_eq!(files, 213);
}

#[test]
fn a_comment_goes_with_what_it_stands_at() {
    let text = "\
app = 'x'
# off = 1
[env]
A = 1
# B = 2
[http_service]
internal_port = 80

# of the checks,
  # in two lines
[[http_service.checks]]
path = '/'

    # of nothing

  # of the machine
[[vm]]
memory = 512
";
    let clean = "\
app = 'x'
# off = 1

[env]
  A = 1
  # B = 2

[http_service]
  internal_port = 80

  # of the checks,
  # in two lines
  [[http_service.checks]]
    path = '/'

    # of nothing

# of the machine
[[vm]]
  memory = 512
";
    assert_eq!(formatted(text), clean);
    assert_eq!(formatted(clean), clean);
}
