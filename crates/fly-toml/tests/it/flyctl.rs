//! The same verdict as a real flyctl, on the real files, on hand-made edge cases and on files mutated from a seed.
//!
//! Runs only where `FLYCTL_BIN` names one; `tests/ci-skips.toml` says so.
#![expect(clippy::disallowed_methods, reason = "the one test that asks a program from outside")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, process};

use fly_toml::check;

use crate::corpus::cases;

/// Cases without a seed of their own; the soak tier asks for more.
const MUTATIONS: u64 = 400;

struct Flyctl {
    program: PathBuf,
    folder: PathBuf,
}

impl Flyctl {
    fn find() -> Option<Self> {
        let program = PathBuf::from(env::var_os("FLYCTL_BIN")?);
        let folder = env::temp_dir().join(format!("fly-toml-parity-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Some(Self { program, folder })
    }

    /// Whether flyctl takes the file, and what it says.
    fn accepts(&self, bytes: &[u8]) -> (bool, String) {
        let path: &Path = &self.folder.join("fly.toml");
        fs::write(path, bytes).unwrap();
        let output = Command::new(&self.program)
            .args(["config", "validate", "--config", "fly.toml", "--app", "x"])
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", &self.folder)
            .env("FLY_API_TOKEN", "FlyV1 fm2_none")
            .env("FLY_NO_UPDATE_CHECK", "1")
            .env("FLY_SEND_METRICS", "0")
            .env("FLY_API_BASE_URL", "http://127.0.0.1:1")
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }
}

impl Drop for Flyctl {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Edge cases of the syntax and of each kind of value.
const EDGES: &[&str] = &[
    "\u{feff}app = \"x\"\n",
    "env = { A = \"1\", }\n",
    "env = {\n A = \"1\"\n}\n",
    "[env]\nA = \"\\e\"\n",
    "[env]\nA = 07:32\n",
    "app = \"x\"\r\n[env]\r\nA = \"1\"\r\n",
    "app = \"x\"\rprimary_region = \"ams\"\n",
    "# a\u{1}b\n",
    "[env]\nA = \"a\u{1}b\"\n",
    "# \u{7f}\n",
    "app = \"x\"\u{c}\n",
    "[env]\nA = 1\n[env.B]\nc=1\n",
    "http_service.internal_port = 80\n[http_service]\nforce_https = true\n",
    "[a.b.c]\nz=1\n[a]\nb.d=2\n",
    "[a.b.c]\nz=1\n[a]\nb.c.t=2\n",
    "[a.b]\nx=1\n[a]\nb.y=2\n",
    "[http_service.concurrency]\nsoft_limit=1\n[http_service]\ninternal_port=80\n",
    "http_service = { internal_port = 80 }\n[http_service.concurrency]\nsoft_limit=1\n",
    "services=[]\n[[services]]\ninternal_port=1\n",
    "services=[{internal_port=1}]\n[[services]]\ninternal_port=2\n",
    "[services]\ninternal_port=1\n[[services]]\ninternal_port=2\n",
    "[[services]]\ninternal_port=1\n[services]\ninternal_port=2\n",
    "[[services]]\n[services.concurrency]\nsoft_limit=1\n[services.concurrency]\nsoft_limit=2\n",
    "[[services]]\nconcurrency.soft_limit=1\nconcurrency.hard_limit=1\n",
    "a.b=1\na.b.c=2\n",
    "a.b=1\n[a.x]\ny=1\n",
    "a.b.c=1\n[a.b.x]\ny=1\n",
    "[f]\na.b=1\n[f.a.x]\ny=1\n",
    "[f]\na.b=1\n[f.a]\ny=1\n",
    "[[a]]\nb.c=1\n[a.b.d]\ny=1\n",
    "[[a]]\nb.c=1\n[a.b]\ny=1\n",
    "[[a]]\n[[a.b]]\n[a.b.c]\n[[a.b]]\n[a.b.c]\n",
    "[a]\n[[a.b]]\n[a.b]\n",
    "[a.b]\n[[a]]\n",
    "[[a.b]]\n[[a]]\n",
    "a = {}\n[a.b]\n",
    "a = []\n[a.b]\n",
    "a = [{}]\n[a.b]\n",
    "a=1\n[a.b]\nc=1\n",
    "[a]\n[a.b]\n[a]\nx=1\n",
    "[a.b]\n[a]\nx=1\n",
    "[[a.b]]\n[a]\nx=1\n",
    "[[a]]\n[a.b]\n[[a]]\n[a.b]\n",
    "[[a]]\na.x = 1\n",
    "[a]\nb = {c = 1}\nb.d = 2\n",
    "a = {b.c = 1, b.d = 2}\n",
    "a = {b.c = 1, b = 2}\n",
    "a = {b = {c = 1}, b.d = 2}\n",
    "a = [1 2]\n",
    "a = [,]\n",
    "a = {,}\n",
    "a = [1,,2]\n",
    "swap_size_mb = 5_12\n",
    "swap_size_mb = 5__12\n",
    "swap_size_mb = 0512\n",
    "swap_size_mb = 0x200\n",
    "swap_size_mb = 0X200\n",
    "swap_size_mb = 9223372036854775808\n",
    "swap_size_mb = 5e2\n",
    "swap_size_mb = 1e19\n",
    "swap_size_mb = 1e21\n",
    "swap_size_mb = 5.5\n",
    "swap_size_mb = \"5\"\n",
    "swap_size_mb = -5\n",
    "swap_size_mb = true\n",
    "[deploy]\nmax_unavailable = nan\n",
    "[deploy]\nmax_unavailable = \"25%\"\n",
    "[deploy]\nmax_unavailable = 3\n",
    "unknown = inf\n",
    "[env]\nA = inf\n",
    "\"app\" = \"x\"\n",
    "\"\" = 1\n",
    "é = 1\n",
    "\"\"\"a\"\"\" = 1\n",
    "[env]\nA=\"\\uD800\"\n",
    "a=1 b=2\n",
    "[env]\nA=1979-05-27\nB=1979-05-27 07:32:00Z\n",
    "[env]\nA=1979-13-27\n",
    "[env]\nA=2021-02-30\n",
    "[env]\nA=25:00:00\n",
    "[env]\nA=1e400\n",
    "app = 1979-05-27\n",
    "app = 5\n",
    "app = [\"x\"]\n",
    "App = 5\n",
    "app = \"x\"\nApp = 5\n",
    "App = \"x\"\napp = 5\n",
    "env = 5\n",
    "env = []\n",
    "env = [[{A = 1}]]\n",
    "[[env]]\nA = 1\n[[env]]\nA = \"b\"\n",
    "[Env]\nA = 1\n",
    "[Env]\nA = \"1\"\n",
    "[[VM]]\nmemory = 512\n",
    "[VM]\nmemory = 512\n",
    "[vm]\nmemory = 512\n",
    "vm = []\n",
    "vm = 5\n",
    "vm = [5]\n",
    "[[vm]]\nmemory = 512\nmemory_mb = \"5\"\n",
    "[[vm]]\npersist_rootfs = 2\n",
    "[[vm]]\npersist_rootfs = 5\n",
    "[[vm]]\npersist_rootfs = true\n",
    "[[vm]]\npersist_rootfs = \"sometimes\"\n",
    "[[vm]]\nkernel_args = \"x\"\n",
    "[deploy.release_command_vm]\nmemory = 512\n",
    "[deploy.release_command_vm]\nmemory = \"512\"\n",
    "kill_timeout = true\n",
    "kill_timeout = \"\"\n",
    "kill_timeout = \"5\"\n",
    "kill_timeout = \"2d\"\n",
    "kill_timeout = \"5S\"\n",
    "kill_timeout = \"1.5s\"\n",
    "kill_timeout = \"-5s\"\n",
    "kill_timeout = \"0\"\n",
    "kill_timeout = \" 5s\"\n",
    "kill_timeout = 1.5\n",
    "kill_timeout = []\n",
    "Kill_Timeout = 5\n",
    "Kill_Timeout = true\n",
    "[deploy]\nwait_timeout = 5\n",
    "[deploy]\nwait_timeout = \"\"\n",
    "[deploy]\nwait_timeout = true\n",
    "[deploy]\nwait_timeout = 1.5\n",
    "[http_service]\nauto_stop_machines = \"on\"\n",
    "[http_service]\nauto_stop_machines = \"true\"\n",
    "[http_service]\nauto_stop_machines = \"suspend\"\n",
    "[http_service]\nauto_stop_machines = 1\n",
    "[http_service]\ninternal_port = \"8080\"\n",
    "[[http_service]]\ninternal_port = 8080\n",
    "[http_service]\nchecks = []\n",
    "[http_service]\n[http_service.checks]\npath = \"/\"\n",
    "[http_service]\n[[http_service.checks]]\nheaders = [{name = \"a\", value = \"b\"}]\n",
    "[http_service]\n[[http_service.checks]]\nheaders = {a = 1}\n",
    "[http_service.http_options]\nidle_timeout = -1\n",
    "[http_service.http_options]\nidle_timeout = 4294967296\n",
    "[http_service.http_options]\nidle_timeout = \"60s\"\n",
    "[http_service.http_options.response.headers]\nA = false\nB = [\"c\"]\n",
    "[[services]]\ninternal_port = \"8080\"\n",
    "[[services]]\ninternal_port = \"x\"\n",
    "[[services]]\ninternal_port = 8080.5\n",
    "[[services]]\ninternal_port = true\n",
    "[[services]]\nconcurrency = \"20,25\"\n",
    "[[services]]\nconcurrency = \"20, 25\"\n",
    "[[services]]\nconcurrency = 20\n",
    "[[services]]\nconcurrency = []\n",
    "[[services]]\nports = 80\n",
    "[[services]]\nports = [80]\n",
    "[[services]]\nports = []\n",
    "[[services]]\n[services.ports]\nport = \"80\"\n",
    "[[services]]\n[[services.ports]]\nport = true\n",
    "[[services]]\n[[services.ports]]\nstart_port = \"80\"\n",
    "[[services]]\n[[services.ports]]\nhandlers = \"http\"\n",
    "[[services]]\nhttp_checks = 5\n",
    "[[services]]\nhttp_checks = [5]\n",
    "[[services]]\n[[services.http_checks]]\ninterval = 10000\nheaders = []\n",
    "[[services]]\n[[services.http_checks]]\nheaders = {a = 1}\n",
    "[[services]]\n[[services.http_checks]]\nheaders = [{name = \"a\"}]\n",
    "[[services]]\n[[services.http_checks]]\nheaders = [{value = \"a\"}]\n",
    "[[services]]\n[[services.http_checks]]\nheaders = [5]\n",
    "[[services]]\n[[services.http_checks]]\nheaders = \"x\"\n",
    "[[services]]\n[[services.http_checks]]\ninterval = \"x\"\n",
    "[[services]]\n[[services.http_checks]]\ninterval = true\n",
    "[[services]]\nprocesses = \"web\"\n",
    "[[services]]\nprocesses = [\"app\"]\n",
    "[[services]]\nprocesses = [\"web\"]\n",
    "[[services]]\nprocesses = [\"\"]\n",
    "[[services]]\n",
    "services = [{}]\n",
    "[[Services]]\ninternal_port = \"8080\"\n",
    "[Services]\ninternal_port = 8080\n",
    "processes = []\n",
    "processes = [5]\n",
    "processes = [{command = \"x\"}]\n",
    "[[processes]]\nname = \"web\"\ncommand = \"run\"\n[http_service]\ninternal_port = 1\n",
    "[[processes]]\nname = \"web\"\ncommand = nan\n",
    "[[services]]\ninternal_port = nan\n",
    "[[services.tcp_checks]]\ninterval = inf\n",
    "[http_service]\n[[http_service.checks]]\ninterval = inf\n",
    "[[vm]]\nmemory = inf\n",
    "processes = \"x\"\n",
    "[processes]\nweb = 5\n",
    "[processes]\nweb = \"echo 'x\"\n",
    "[processes]\nweb = \"echo \\\\\"\n",
    "[processes]\n\"\" = \"x\"\n[http_service]\nprocesses = [\"\"]\n",
    "[experimental]\ncmd = \"run me\"\n",
    "[experimental]\ncmd = [\"run\", 5]\n",
    "[experimental]\ncmd = 5\n",
    "[experimental]\nkill_timeout = 5\n",
    "[experimental]\nkill_timeout = \"x\"\n",
    "[experimental]\nmetrics_port = 9090\nmetrics_path = \"/m\"\n",
    "[experimental]\nmetrics_port = \"9090\"\n",
    "[experimental]\nauto_rollback = \"true\"\n",
    "experimental = 5\n",
    "experimental = []\n",
    "build = 5\n",
    "[build]\nbuild_target = 5\n",
    "[build]\nbuild_target = \"x\"\n",
    "[build.args]\nA = 5\n",
    "[build.settings]\nA = 5\n",
    "[build]\ncompression = \"x\"\n",
    "[build]\ncompression_level = 10\n",
    "[build]\ncompression_level = -1\n",
    "[build]\nbuildpacks = [\"a\", 5]\n",
    "checks = []\n",
    "checks = 5\n",
    "checks = [5]\n",
    "[checks]\na = 5\n",
    "[[checks]]\nname = \"a\"\ntype = \"tcp\"\nport = 1\n",
    "[[checks]]\ntype = \"tcp\"\n",
    "[[checks]]\nname = 5\n",
    "[checks.a]\ntype = \"tcp\"\ninterval = 1000\n",
    "[checks.a]\ntype = \"tcp\"\ninterval = \"1.9s\"\n",
    "[checks.a]\ntype = \"tcp\"\ntimeout = \"61s\"\n",
    "[checks.a]\ntype = \"HTTP\"\n",
    "[checks.a]\ntype = \"tcp\"\nport = \"80\"\n",
    "[checks.a]\ntype = \"tcp\"\nheaders = {a = [1]}\n",
    "[Checks.a]\ntype = \"tcp\"\ninterval = 5000\n",
    "mounts = 5\n",
    "[mounts]\nsource = \"a\"\ninitial_size = 5\n",
    "[[mounts]]\ninitial_size = \"900mb\"\n",
    "[[mounts]]\ninitial_size = \"x\"\n",
    "[[mounts]]\ninitial_size = \"1 gb\"\n",
    "[[mounts]]\ninitial_size = \"1  gb\"\n",
    "[[mounts]]\ninitial_size = \"1e3gb\"\n",
    "[[mounts]]\ninitial_size = true\n",
    "[[mounts]]\ninitial_size = 1.5\n",
    "[[mounts]]\ninitial_size = \"0\"\n",
    "[[mounts]]\ninitial_size = \"\"\n",
    "[[mounts]]\ninitial_size = \"-1\"\n",
    "[[mounts]]\nsnapshot_retention = 0\n",
    "[[mounts]]\nsnapshot_retention = 61\n",
    "[[mounts]]\nauto_extend_size_threshold = 80\n",
    "[[mounts]]\nauto_extend_size_threshold = 80\nauto_extend_size_increment = \"1GB\"\n",
    "[[mounts]]\nauto_extend_size_threshold = 49\nauto_extend_size_increment = \"1GB\"\n",
    "[[mounts]]\nauto_extend_size_increment = \"1GB\"\n",
    "[[mounts]]\nauto_extend_size_threshold = 80\nauto_extend_size_increment = \"101GB\"\n",
    "[[mounts]]\nauto_extend_size_threshold = 80\nauto_extend_size_increment = 1\n",
    "[[mounts]]\nauto_extend_size_threshold = 80\nauto_extend_size_increment = \"1\"\nauto_extend_size_limit = \"501\"\n",
    "[[mounts]]\nauto_extend_size_threshold = 80\nauto_extend_size_increment = \"1\"\nauto_extend_size_limit = \"0\"\n",
    "[[Mounts]]\ninitial_size = 5\n",
    "[mount]\nsource = \"a\"\n[deploy]\nstrategy = \"canary\"\n",
    "[deploy]\nstrategy = \"Rolling\"\n",
    "[deploy]\nstrategy = \"\"\n",
    "[deploy]\nrelease_command = \"echo 'x\"\n",
    "console_command = \"echo 'x\"\n",
    "[restart]\npolicy = \"always\"\n",
    "[[restart]]\npolicy = \"no\"\n",
    "[[restart]]\nretries = 5\n",
    "[[restart]]\npolicy = \"always\"\nprocesses = [\"x\"]\n",
    "[[files]]\nraw_value = 5\n",
    "[files]\nguest_path = \"/a\"\n",
    "[statics]\nguest_path = \"/a\"\n",
    "[metrics]\nport = 9090\n",
    "[metrics]\nport = \"9090\"\n",
    "[metric]\nport = 9090\n[[metrics]]\nport = 1\n",
    "[[machine_checks]]\ncommand = \"x\"\n",
    "[[machine_checks]]\nkill_timeout = 5\n",
    "[machine_checks]\ncommand = [\"x\"]\n",
    "[experimental.attached.secrets.export]\na = 5\n",
    "machine_config = 5\n",
    "machine_config = \"x\"\n",
];

#[test]
fn a_real_flyctl_gives_the_same_verdict() {
    let Some(flyctl) = Flyctl::find() else {
        println!("skipped: FLYCTL_BIN is not set");
        return;
    };
    let mut different = Vec::new();
    let mut count = 0;
    let mut compare = |name: String, bytes: &[u8]| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let (theirs, said) = flyctl.accepts(bytes);
        let report = check(text);
        count += 1;
        if theirs != report.accepted() {
            let ours: Vec<String> = report
                .diagnostics
                .iter()
                .map(|diagnostic| format!("{}: {}", diagnostic.code.id, diagnostic.message))
                .collect();
            different.push(format!(
                "== {name}\n{text}\n-- flyctl ({theirs}): {said}\n-- ours: {ours:?}"
            ));
        }
    };
    for edge in EDGES {
        compare(format!("{edge:?}"), edge.as_bytes());
    }
    let files = cases();
    for (name, bytes) in &files {
        compare(name.clone(), bytes);
    }
    let number = |name: &str, default: u64| {
        env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (wanted, seed) = (number("FLY_OPS_TEST_CASES", MUTATIONS), number("FLY_OPS_TEST_SEED", 1));
    for case in 0..wanted {
        let mut chance = Chance(seed.wrapping_mul(1_000_003).wrapping_add(case) | 1);
        let (name, bytes) = &files[chance.below(files.len())];
        let mutated = mutate(&String::from_utf8_lossy(bytes), &mut chance);
        compare(format!("{name}, seed {seed}, case {case}"), mutated.as_bytes());
    }
    assert!(
        different.is_empty(),
        "{} of {count} differ:\n{}",
        different.len(),
        different.join("\n\n")
    );
    println!("flyctl and we agree on {count} files");
}

/// A small generator; the same seed gives the same files.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const VALUES: &[&str] = &[
    "5",
    "\"5\"",
    "true",
    "\"true\"",
    "\"x\"",
    "[]",
    "[\"app\"]",
    "[\"web\"]",
    "{}",
    "1.5",
    "512.0",
    "nan",
    "\"2d\"",
    "\"\"",
    "-1",
    "\"10s\"",
    "\"1gb\"",
    "1979-05-27",
    "'x'",
    "x",
    "[1, 2]",
    "\"canary\"",
    "{ a = 1 }",
    "0",
    "1e3",
    "\"suspend\"",
    "\"20,25\"",
    "[{}]",
    "\"echo 'x\"",
    "10000",
    "\"tcp\"",
    "\"http\"",
];
const LINES: &[&str] = &[
    "[processes]",
    "web = \"run\"",
    "app = \"run\"",
    "[[vm]]",
    "[vm]",
    "[deploy]",
    "strategy = \"canary\"",
    "[[services]]",
    "[services]",
    "[http_service]",
    "internal_port = 8080",
    "processes = [\"web\"]",
    "processes = []",
    "[[services.ports]]",
    "[services.concurrency]",
    "[[services.http_checks]]",
    "[mounts]",
    "[[mounts]]",
    "[mount]",
    "initial_size = \"1gb\"",
    "[checks.a]",
    "[[checks]]",
    "name = \"a\"",
    "type = \"http\"",
    "interval = \"1s\"",
    "[env]",
    "[experimental]",
    "kill_timeout = 5",
    "metrics_port = 5",
    "[[restart]]",
    "policy = \"always\"",
    "[build]",
    "[[http_service.checks]]",
    "[http_service.checks]",
    "headers = {}",
    "[[statics]]",
    "[metrics]",
    "<<<<<<< HEAD",
    "=",
    "a.b.c = 1",
    "[a.b]",
    "\"quoted\" = 1",
    "memory = 512",
];

/// One to three small changes, of the kinds that people and bad merges make.
pub(crate) fn mutate(text: &str, chance: &mut Chance) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=chance.below(3) {
        if lines.is_empty() {
            lines.push(String::new());
        }
        let at = chance.below(lines.len());
        match chance.below(9) {
            0 => {
                lines.remove(at);
            }
            1 => lines.insert(at, lines[at].clone()),
            2 | 3 => {
                if let Some((key, _)) = lines[at].clone().split_once('=') {
                    lines[at] = format!("{key}= {}", chance.pick(VALUES));
                }
            }
            4 => {
                let line = lines[at].trim().to_owned();
                if line.starts_with("[[") {
                    lines[at] = line.replacen("[[", "[", 1).replacen("]]", "]", 1);
                } else if line.starts_with('[') {
                    lines[at] = line.replacen('[', "[[", 1).replacen(']', "]]", 1);
                }
            }
            5 => {
                let mut letters: Vec<char> = lines[at].chars().collect();
                if let Some(letter) = letters.iter_mut().find(|letter| letter.is_ascii_lowercase())
                {
                    *letter = letter.to_ascii_uppercase();
                }
                lines[at] = letters.into_iter().collect();
            }
            6 => {
                let other = chance.below(lines.len());
                lines.swap(at, other);
            }
            7 => lines.insert(at, chance.pick(LINES).to_owned()),
            _ => {
                let letters: Vec<char> = lines[at].chars().collect();
                let place = chance.below(letters.len() + 1);
                let extra = chance.pick(&[
                    "\"", "'", "[", "]", "=", "{", "}", "#", ",", ".", "\\", "_", "-", " ",
                ]);
                let (before, after) = letters.split_at(place);
                lines[at] =
                    before.iter().collect::<String>() + extra + &after.iter().collect::<String>();
            }
        }
    }
    lines.join("\n") + "\n"
}
