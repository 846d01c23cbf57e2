//! From machine configs to a file and back: what comes back is what was there.

use fly_toml::convert::{Inputs, Observed, from_machines, machine_config};
use fly_toml::{Document, check, format};
use fly_types::wire::MachineConfig;
use serde_json::{Value, json};

use crate::corpus::cases;

fn observed(id: &str, config: Value) -> Observed {
    Observed {
        id: id.to_owned(),
        region: "ams".to_owned(),
        config: serde_json::from_value::<MachineConfig>(config).unwrap(),
    }
}

#[test]
fn a_web_app_with_a_worker() {
    let guest = json!({ "cpu_kind": "shared", "cpus": 1, "memory_mb": 256 });
    let web = json!({
        "image": "registry.fly.io/shop:deployment-1",
        "env": { "FLY_PROCESS_GROUP": "web", "PRIMARY_REGION": "ams", "LOG": "info" },
        "metadata": { "fly_process_group": "web" },
        "init": { "cmd": ["npm", "run", "start it"] },
        "guest": guest,
        "services": [{
            "protocol": "tcp", "internal_port": 8080, "autostop": "suspend", "autostart": true,
            "min_machines_running": 0, "force_instance_key": null,
            "ports": [
                { "port": 80, "handlers": ["http"], "force_https": true },
                { "port": 443, "handlers": ["http", "tls"] }
            ],
            "checks": [{ "type": "http", "interval": "15s", "timeout": "2s", "path": "/up",
                         "headers": [{ "name": "X-Forwarded-Proto", "values": ["https"] }] }]
        }],
        "stop_config": { "signal": "SIGTERM", "timeout": "1m30s" }
    });
    let worker = json!({
        "env": { "FLY_PROCESS_GROUP": "worker", "PRIMARY_REGION": "ams", "LOG": "debug" },
        "metadata": { "fly_process_group": "worker" },
        "init": { "cmd": ["work"] },
        "guest": guest,
        "restart": { "policy": "always" },
        "schedule": "daily",
        "stop_config": { "signal": "SIGTERM", "timeout": "1m30s" }
    });
    let release = json!({ "metadata": { "fly_process_group": "fly_app_release_command" } });
    let made = from_machines(
        "shop",
        &[
            observed("1", web.clone()),
            observed("2", worker),
            observed("3", web),
            observed("4", release),
        ],
    );
    assert_eq!(
        made.text,
        "\
app = \"shop\"
primary_region = \"ams\"
kill_signal = \"SIGTERM\"
kill_timeout = \"1m30s\"

[env]
  LOG = \"info\"

[processes]
  web = \"npm run 'start it'\"
  worker = \"work\"

[http_service]
  internal_port = 8080
  force_https = true
  auto_stop_machines = \"suspend\"
  auto_start_machines = true
  min_machines_running = 0
  processes = [\"web\"]

  [[http_service.checks]]
    interval = \"15s\"
    timeout = \"2s\"
    path = \"/up\"
    headers = { X-Forwarded-Proto = \"https\" }

[[vm]]
  cpu_kind = \"shared\"
  cpus = 1
  memory_mb = 256

[[restart]]
  policy = \"always\"
  processes = [\"worker\"]
"
    );
    assert_eq!(made.notes.len(), 4, "{:?}", made.notes);
    assert!(made.notes.iter().any(|note| note.contains("schedule")));
    assert!(made.notes.iter().any(|note| note.contains("the variables LOG differ")));
    let worker: Vec<&str> =
        made.differences["worker"].iter().map(|found| found.path.as_str()).collect();
    assert_eq!(worker, ["env.LOG"]);
    assert!(!made.differences.contains_key("web"));
    assert_eq!(format(&Document::parse(made.text.as_str())).unwrap(), made.text);
}

#[test]
fn real_configs_come_back() {
    let (mut apps, mut exact, mut different) = (0, 0, Vec::new());
    for (name, bytes) in cases() {
        let report = check(&String::from_utf8(bytes).unwrap());
        let config = &report.config;
        if !report.accepted() {
            continue;
        }
        let machines: Vec<Observed> = config
            .groups()
            .into_iter()
            .filter_map(|group| machine_config(config, group, &Inputs::default()).ok())
            .map(|converted| Observed {
                id: "1".to_owned(),
                region: "ams".to_owned(),
                config: converted.config,
            })
            .collect();
        if machines.is_empty() {
            continue;
        }
        let made = from_machines("app", &machines);
        apps += 1;
        assert!(check(&made.text).accepted(), "{name}:\n{}", made.text);
        if made.differences.is_empty() {
            exact += 1;
        } else {
            different.push(format!("{name} {:?} {:?}", made.differences, made.notes));
        }
    }
    println!("corpus: {exact} of {apps} apps come back exactly from their Machines");
    println!("{}", different.join("\n"));
    assert!(apps >= 185);
    assert_eq!(exact, apps, "{}", different.join("\n"));
}
