//! Where a secret can enter a bundle: every text of the platform, the environment, other programs. Makes a world of them.

use toml::{Table, Value};

use super::embed;
use super::encode::{base64, hex, json_inside, percent};
use super::kinds::{self, Canary};
use super::rng::{BASE64_URL, Rng};

/// One planted secret.
pub(crate) struct Case {
    pub(crate) kind: &'static str,
    pub(crate) place: &'static str,
    pub(crate) around: &'static str,
    /// Strings of which no piece may be found.
    pub(crate) secrets: Vec<String>,
}

/// A world full of secrets, and what was hidden in it.
pub(crate) struct Planted {
    pub(crate) world: String,
    pub(crate) token: String,
    pub(crate) doctor: String,
    pub(crate) cases: Vec<Case>,
    /// Texts that have to be in the archive as they are.
    pub(crate) keep: Vec<String>,
}

const MACHINES: usize = 6;

/// Writes a text in another form.
type Form = fn(&str) -> String;

/// What a place does with a text.
type Put = fn(&mut Build, String);

/// Places for any text, by collector.
const PLACES: &[(&str, Put)] = &[
    ("machines: check output", |b, t| {
        let number = b.next();
        let check =
            table([("name", format!("c{number}")), ("status", "critical".into()), ("output", t)]);
        b.machine().checks.push(check);
    }),
    ("machines: event error", |b, t| {
        let mut exit = table([("error", t)]);
        exit.insert("code".into(), Value::Integer(1));
        b.event("exit", "stopped", "exit", exit);
    }),
    ("machines: event guest error", |b, t| {
        let mut exit = table([("guest_error", t)]);
        exit.insert("code".into(), Value::Integer(2));
        b.event("exit", "stopped", "exit", exit);
    }),
    ("machines: event request", |b, t| {
        b.event("launch", "failed", "request", table([("reason", t)]));
    }),
    ("machines: metadata", |b, t| {
        let key = format!("note_{}", b.next());
        b.machine().metadata.insert(key, Value::String(t));
    }),
    ("machines: command", |b, t| {
        b.machine().command.push(Value::String(t));
    }),
    ("ps: command line", |b, t| {
        let pid = i64::try_from(b.next()).unwrap() + 300;
        let mut process = table([("command", t)]);
        process.insert("pid".into(), Value::Integer(pid));
        b.machine().processes.push(process);
    }),
    ("releases: description", |b, t| {
        let number = i64::try_from(b.next()).unwrap();
        let mut release = table([("at", "-2d".into()), ("description", t)]);
        release.insert("version".into(), Value::Integer(number + 1));
        b.releases.push(release);
    }),
    ("certs: error", |b, t| {
        let error = table([("code", "dns".into()), ("message", t), ("at", "-1h".into())]);
        let mut cert = table([("hostname", format!("h{}.example.com", b.next()))]);
        cert.insert("errors".into(), Value::Array(vec![error.into()]));
        b.certificates.push(cert);
    }),
    ("hostissues: message", |b, t| {
        let id = format!("issue{}", b.next());
        b.host_issues.push(table([("id", id), ("message", t), ("at", "-2h".into())]));
    }),
    ("incidents: update", |b, t| {
        let id = format!("incident{}", b.next());
        let update =
            table([("at", "-20m".into()), ("status", "investigating".into()), ("body", t)]);
        let mut incident = table([("id", id), ("name", "Slow".into()), ("started", "-30m".into())]);
        incident.insert("updates".into(), Value::Array(vec![update.into()]));
        b.incidents.push(incident);
    }),
];

#[derive(Default)]
struct Machine {
    env: Table,
    metadata: Table,
    command: Vec<Value>,
    files: Vec<Value>,
    events: Vec<Table>,
    checks: Vec<Table>,
    processes: Vec<Table>,
}

#[derive(Default)]
struct Build {
    counter: usize,
    machines: Vec<Machine>,
    releases: Vec<Table>,
    certificates: Vec<Table>,
    host_issues: Vec<Table>,
    incidents: Vec<Table>,
    logs: Vec<Table>,
    cases: Vec<Case>,
    keep: Vec<String>,
}

fn table<const N: usize>(entries: [(&str, String); N]) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value))).collect()
}

impl Build {
    fn next(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    fn machine(&mut self) -> &mut Machine {
        let number = self.counter % MACHINES;
        &mut self.machines[number]
    }

    fn event(&mut self, kind: &str, status: &str, part: &str, value: Table) {
        let number = self.next();
        let mut event = table([
            ("at", format!("-{}m", 10 + number % 600)),
            ("type", kind.to_owned()),
            ("status", status.to_owned()),
        ]);
        event.insert(part.to_owned(), Value::Table(value));
        self.machine().events.push(event);
    }

    fn log(&mut self, message: String) {
        let number = self.next();
        // Newest last; all within the last hour.
        let at = format!("-{}s", 3500 - number % 3400);
        self.logs.push(table([("at", at), ("message", message)]));
    }

    fn case(&mut self, canary: &Canary, place: &'static str, around: &'static str) {
        let secrets = canary.secrets.clone();
        self.cases.push(Case { kind: canary.kind, place, around, secrets });
    }
}

/// Plants about `count` secrets (never fewer).
pub(crate) fn plant(count: usize, rng: &mut Rng) -> Planted {
    let mut b = Build::default();
    b.machines.resize_with(MACHINES, Machine::default);
    for line in embed::harmless(rng) {
        b.log(line.clone());
        b.keep.push(line);
    }
    let (certificate, lines) = embed::certificate(rng);
    b.log(certificate);
    b.keep.extend(lines);
    let token = own_token(&mut b, rng);
    let doctor = doctor(&mut b, rng);
    for number in 0..2 {
        let canary = kinds::make(number, rng);
        b.log(embed::in_huge_line(&canary, rng));
        b.case(&canary, "logs", "huge line");
    }
    let mut kind = rng.below(kinds::count());
    while b.cases.len() < count {
        match rng.below(20) {
            0 => environment(&mut b, rng),
            1 => echo(&mut b, rng),
            2 => file(&mut b, rng),
            3..=8 => {
                let canary = kinds::make(kind, rng);
                kind = (kind + 1) % kinds::count();
                let (text, around) = embed::embed(&canary, rng);
                let (place, put) = *rng.pick(PLACES);
                put(&mut b, text);
                b.case(&canary, place, around);
            }
            _ => {
                let canary = kinds::make(kind, rng);
                kind = (kind + 1) % kinds::count();
                let (text, around) = embed::embed(&canary, rng);
                b.log(text);
                b.case(&canary, "logs", around);
            }
        }
    }
    let cases = std::mem::take(&mut b.cases);
    let keep = std::mem::take(&mut b.keep);
    Planted { world: render(b), token, doctor, cases, keep }
}

/// Values under keys that nobody put on a list: in the Machine and in the release.
fn environment(b: &mut Build, rng: &mut Rng) {
    let canary = kinds::opaque(rng);
    let key =
        format!("{}_{}", rng.pick(&["ADMIN", "SALT", "PEPPER", "THING", "DB_PASS"]), b.next());
    b.machine().env.insert(key, Value::String(canary.text.clone()));
    b.case(&canary, "machines: env", "value of an unknown key");
}

/// A value that an environment gives away, met again elsewhere in another form.
fn echo(b: &mut Build, rng: &mut Rng) {
    let canary = kinds::opaque(rng);
    let key = format!("ECHO_{}", b.next());
    b.machine().env.insert(key, Value::String(canary.text.clone()));
    let forms: [(&str, Form); 5] = [
        ("plain echo", str::to_owned),
        ("base64 echo", |s| base64(s.as_bytes())),
        ("percent echo", percent),
        ("hex echo", hex),
        ("json echo", json_inside),
    ];
    let (around, form) = *rng.pick(&forms);
    let shown = form(&canary.text);
    b.log(format!("connecting with {shown} now"));
    let mut secrets = canary.secrets.clone();
    secrets.push(shown.trim_end_matches('=').to_owned());
    b.cases.push(Case { kind: "echo of env", place: "logs", around, secrets });
}

/// A file that a Machine gets, in base64.
fn file(b: &mut Build, rng: &mut Rng) {
    let canary = kinds::make(rng.below(kinds::count()), rng);
    let path = format!("/etc/app/{}.conf", b.next());
    let body = embed::file_body(&canary);
    let mut file = table([("guest_path", path)]);
    file.insert("raw_value".into(), Value::String(body.clone()));
    b.machine().files.push(file.into());
    let mut secrets = canary.secrets.clone();
    secrets.push(body[24..].trim_end_matches('=').to_owned());
    b.cases.push(Case {
        kind: canary.kind,
        place: "machines: files",
        around: "base64 file",
        secrets,
    });
}

/// The token that the tool itself uses, met again in the log.
fn own_token(b: &mut Build, rng: &mut Rng) -> String {
    let body = rng.text(BASE64_URL, 43);
    let token = format!("fo1_{body}");
    let encoded = base64(token.as_bytes());
    b.log(format!("agent started with {token}"));
    b.log(format!("agent state {encoded}"));
    let secrets = vec![body, encoded[8..].trim_end_matches('=').to_owned()];
    b.cases.push(Case { kind: "own token", place: "logs", around: "echo", secrets });
    token
}

/// What the `fly` on the path prints.
fn doctor(b: &mut Build, rng: &mut Rng) -> String {
    let canary = kinds::make(0, rng);
    b.case(&canary, "flyctl: doctor", "json");
    serde_json::json!({ "auth": format!("token {} is not valid", canary.text), "agent": "nope" })
        .to_string()
}

fn render(b: Build) -> String {
    let machines = b.machines.into_iter().enumerate().map(|(number, machine)| {
        let mut out =
            table([("id", format!("{:014x}", 0x0014_8e21_ea7e_4300_u64 + number as u64))]);
        out.insert("region".into(), Value::String("fra".into()));
        let mut config = Table::new();
        if !machine.files.is_empty() {
            config.insert("files".into(), Value::Array(machine.files));
        }
        if !machine.command.is_empty() {
            let init = [("cmd".to_owned(), Value::Array(machine.command))].into_iter().collect();
            config.insert("init".into(), Value::Table(init));
        }
        out.insert("config".into(), Value::Table(config));
        out.insert("env".into(), Value::Table(machine.env));
        out.insert("metadata".into(), Value::Table(machine.metadata));
        out.insert("events".into(), array(machine.events));
        out.insert("checks".into(), array(machine.checks));
        out.insert("processes".into(), array(machine.processes));
        out
    });
    let mut app = table([("name", "demo".into())]);
    app.insert("machines".into(), array(machines.collect()));
    app.insert("releases".into(), array(b.releases));
    app.insert("certificates".into(), array(b.certificates));
    app.insert("host_issues".into(), array(b.host_issues));
    app.insert("logs".into(), array(b.logs));
    let mut world = Table::new();
    world.insert("apps".into(), array(vec![app]));
    world.insert("incidents".into(), array(b.incidents));
    toml::to_string(&world).unwrap()
}

fn array(tables: Vec<Table>) -> Value {
    Value::Array(tables.into_iter().map(Value::Table).collect())
}
