//! Ten thousand planted secrets: none may leave the tools, and what support needs must stay.
//!
//! Kinds × surroundings × places, drawn by a seed. `FLY_OPS_TEST_CASES` and `FLY_OPS_TEST_SEED` choose the size and repeat a run;
//! `cargo xtask soak canary` sets them.

mod embed;
mod encode;
mod kinds;
mod plant;
mod rng;
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use fly_sim::{Sim, World};
use redact::{Format, Kind, Options, PseudonymKey, RULES, Redactor};

use crate::sandbox::Sandbox;
use plant::{Planted, plant};
use rng::Rng;
use scan::Pieces;

const BATCH: usize = 1250;

fn setting(name: &str, default: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "size and seed of a test run")]
    let value = std::env::var(name);
    value.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

fn settings() -> (usize, u64) {
    let (cases, seed) =
        (setting("FLY_OPS_TEST_CASES", 10_000), setting("FLY_OPS_TEST_SEED", 20_260_801));
    println!("canary: {cases} cases, seed {seed}");
    (usize::try_from(cases).unwrap(), seed)
}

async fn start(planted: &Planted) -> Sim {
    let world = World::parse(&planted.world, "planted").unwrap_or_else(|error| panic!("{error}"));
    Sim::start(world, fly_sim::Options::default()).await.unwrap()
}

/// The whole tool, from outside: archive, standard output, standard error, files left behind, file names.
#[test]
fn canaries_stay_out_of_bundles() {
    let (cases, seed) = settings();
    let mut rng = Rng::new(seed);
    let (mut done, mut kinds, mut places) = (0, BTreeSet::new(), BTreeSet::new());
    let mut leaks: BTreeMap<String, usize> = BTreeMap::new();
    while done < cases {
        let planted = plant(BATCH.min(cases - done), &mut rng);
        done += planted.cases.len();
        kinds.extend(planted.cases.iter().map(|case| case.kind));
        places.extend(planted.cases.iter().map(|case| case.place));
        for (number, place) in one_bundle(&planted) {
            let case = &planted.cases[number];
            *leaks
                .entry(format!("{} in {} ({}): {place}", case.kind, case.place, case.around))
                .or_default() += 1;
        }
    }
    println!("canary: {done} planted, {} kinds, {} places", kinds.len(), places.len());
    assert!(leaks.is_empty(), "seed {seed}: {} kinds of leaks:\n{leaks:#?}", leaks.len());
}

/// Numbers of the cases that leaked, each with the file where.
fn one_bundle(planted: &Planted) -> Vec<(usize, String)> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sim = runtime.block_on(start(planted));
    let sandbox = Sandbox::new();
    sandbox.fly(&format!(
        "case \"$*\" in *doctor*) echo '{0}'; echo '{0}' >&2;; *version*) echo '{1}';; esac",
        planted.doctor.replace('\'', "'\\''"),
        r#"{"Name":"fly","Version":"0.4.87","Commit":"0123abcd","OS":"linux","Architecture":"amd64"}"#,
    ));
    let out = sandbox
        .bundle()
        .args(["demo", "--output"])
        .arg(sandbox.folder("out"))
        .envs(sim.env())
        .env("FLY_API_TOKEN", &planted.token)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&out.stderr).into_owned();
    let archives = sandbox.files("out");
    let archive = match archives.as_slice() {
        [archive] => fs::read(archive).unwrap(),
        other => panic!("{} archives, {}: {shown}", other.len(), out.status),
    };
    let mut texts = scan::entries(&archive);
    texts.push(("standard output".into(), out.stdout));
    texts.push(("standard error".into(), out.stderr));
    // Only what the tool wrote: the stand-in for flyctl holds a secret itself.
    fs::remove_dir_all(sandbox.folder("bin")).unwrap();
    scan::tree(&sandbox.folder(""), &mut texts);
    let all = texts.iter().map(|(_, content)| content.as_slice()).collect::<Vec<_>>().join(&b'\n');
    let unescaped = String::from_utf8_lossy(&all).replace("\\n", "\n").replace("\\\"", "\"");
    for keep in &planted.keep {
        assert!(unescaped.contains(keep.as_str()), "lost, though it is no secret: {keep}");
    }
    let pieces = Pieces::new(&planted.cases);
    let mut found = Vec::new();
    for (name, content) in &texts {
        found.extend(pieces.find(content).into_keys().map(|number| (number, name.clone())));
    }
    found
}

/// A kill that cannot be caught leaves what is on the disk at that moment: only redacted bytes may ever be there.
#[test]
fn canaries_are_not_on_the_disk_of_a_killed_run() {
    let planted = plant(600, &mut Rng::new(11));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sim = runtime.block_on(start(&planted));
    // The log never ends, so that everything else has been written when the kill comes.
    sim.add_fault("path = \"/api/v1/apps/*/logs\"\nfrom = 3\neffect = \"hang\"").unwrap();
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .bundle()
        .args(["demo", "--output"])
        .arg(sandbox.folder("out"))
        .envs(sim.env())
        .env("FLY_API_TOKEN", &planted.token)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let asked = |text: &str| sim.requests().iter().filter(|one| one.path.contains(text)).count();
    for _ in 0..3000 {
        if asked("/logs") >= 3 && asked("/ps") >= 4 {
            break;
        }
        assert!(child.try_wait().unwrap().is_none(), "ended before it was killed");
        // sleep: polls what another process asked for.
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut texts = Vec::new();
    scan::tree(&sandbox.folder(""), &mut texts);
    let written: usize = texts.iter().map(|(_, content)| content.len()).sum();
    assert!(written > 10_000, "only {written} bytes were on the disk: the kill came too early");
    let pieces = Pieces::new(&planted.cases);
    for (name, content) in &texts {
        let found = pieces.find(content);
        let named: Vec<_> = found.keys().map(|number| planted.cases[*number].kind).collect();
        assert!(named.is_empty(), "{name}: {named:?}");
    }
}

/// What the platform would send, as it would come in: one document per collector.
fn documents(planted: &Planted) -> Vec<(&'static str, Vec<u8>)> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sim = runtime.block_on(start(planted));
    let now = sim.now().as_nanosecond() - 7_200_000_000_000;
    let mut out = vec![
        ("machines/list.json", get(&sim, "/v1/apps/demo/machines")),
        ("app/certificates.json", get(&sim, "/v1/apps/demo/certificates")),
        ("platform/incidents.json", get(&sim, "/v1/incidents")),
    ];
    let mut token = now.to_string();
    let mut log = Vec::new();
    loop {
        let page = get(&sim, &format!("/api/v1/apps/demo/logs?next_token={token}"));
        let page: serde_json::Value = serde_json::from_slice(&page).unwrap();
        let records = page["data"].as_array().unwrap();
        if records.is_empty() {
            break;
        }
        for record in records {
            log.extend(serde_json::to_vec(record).unwrap());
            log.push(b'\n');
        }
        page["meta"]["next_token"].as_str().unwrap().clone_into(&mut token);
    }
    out.push(("logs/platform.ndjson", log));
    out
}

fn get(sim: &Sim, path: &str) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(sim.address()).unwrap();
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer fo1_x\r\n\r\n",
        sim.address()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    assert!(answer.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&answer[..split]));
    answer.split_off(split + 4)
}

/// Cases that are found in the documents after both passes.
fn leaks(
    documents: &[(&'static str, Vec<u8>)],
    planted: &Planted,
    pieces: &Pieces,
    options: Options,
) -> BTreeSet<usize> {
    let redactor = Redactor::new(options).unwrap();
    redactor.add_known(Kind::FlyToken, &planted.token);
    let first: Vec<_> = documents
        .iter()
        .map(|(name, body)| (name, redactor.redact_or_stub(name, Format::Auto, body).0))
        .collect();
    let mut found = BTreeSet::new();
    for (name, body) in first {
        let (clean, _) = redactor.sweep(name, &body).unwrap();
        found.extend(pieces.find(&clean).into_keys());
    }
    found
}

/// Without any one rule the matrix has to fail: a rule that nothing needs, or that nothing tests, is not worth having.
#[test]
fn canaries_leak_without_any_one_rule() {
    let planted = plant(3000, &mut Rng::new(7));
    let documents = documents(&planted);
    let pieces = Pieces::new(&planted.cases);
    let options = || Options::new(PseudonymKey::from_bytes(&[5; 32]));
    let served: BTreeSet<usize> =
        documents.iter().flat_map(|(_, body)| pieces.find(body).into_keys()).collect();
    assert!(served.len() > 2000, "only {} of the secrets were served", served.len());
    let all_on = leaks(&documents, &planted, &pieces, options());
    let named: Vec<_> = all_on
        .iter()
        .map(|number| &planted.cases[*number])
        .map(|case| format!("{} in {} ({})", case.kind, case.place, case.around))
        .collect();
    assert!(all_on.is_empty(), "leaks with every rule on: {named:#?}");
    let idle: Vec<_> = RULES
        .iter()
        .map(|rule| rule.id)
        // These act only on what the caller names; the test below names something.
        .filter(|id| !["field", "name"].contains(id))
        .filter(|id| {
            leaks(&documents, &planted, &pieces, options().without_rule(id)).is_subset(&all_on)
        })
        .collect();
    assert!(idle.is_empty(), "no case needs these rules: {idle:?}");
}

/// The two rules that only act on what a caller names.
#[test]
fn named_fields_and_names_leak_without_their_rules() {
    let key = PseudonymKey::from_bytes(&[5; 32]);
    let clean = |options: Options| {
        let redactor = Redactor::new(options).unwrap();
        redactor.add_known(Kind::App, "quiet-harbour");
        let record = br#"{"app":"quiet-harbour","note":"see you at nine"}"#;
        String::from_utf8(redactor.redact("x.json", Format::Json, record).unwrap().0).unwrap()
    };
    let options =
        || Options::new(key.clone()).identities(redact::Identities::ANONYMOUS).fields(["note"]);
    let both = clean(options());
    assert!(!both.contains("nine") && !both.contains("harbour"), "{both}");
    assert!(clean(options().without_rule("field")).contains("nine"));
    assert!(clean(options().without_rule("name")).contains("harbour"));
}
