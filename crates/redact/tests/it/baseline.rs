//! Lines with one secret each, in the forms seen around Fly.io apps; and identifiers that must survive.

use base64::Engine;

use crate::support::{BASE64, MIXED, named, noise, text};

/// (what, line, the part that must be gone, the part that must stay)
fn lines() -> Vec<(&'static str, String, String, &'static str)> {
    let fm2 = |seed| format!("fm2_{}", noise(seed, 300, BASE64));
    let word = |seed, length| noise(seed, length, MIXED);
    let b64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let pem_body = noise(77, 64, BASE64);
    let wire = base64::engine::general_purpose::STANDARD.encode(noise(5, 32, MIXED));
    let jwt = format!(
        "eyJhbGciOiJIUzI1NiJ9.{}.{}",
        b64("{\"sub\":\"1234567890\"}").trim_end_matches('='),
        noise(8, 43, MIXED)
    );
    let (list_a, list_b) = (fm2(1), fm2(2));
    vec![
        (
            "fly list, first",
            format!("token: FlyV1 {list_a},{list_b}"),
            list_a[8..60].into(),
            "FlyV1",
        ),
        (
            "fly list, last",
            format!("sent FlyV1 {list_a},{list_b} to api"),
            list_b[8..60].into(),
            "to api",
        ),
        (
            "fm1r in YAML",
            format!("auth:\n  fly: fm1r_{}\n  next: ok\n", noise(3, 200, BASE64)),
            noise(3, 200, BASE64)[..50].into(),
            "next: ok",
        ),
        (
            "fo1 header",
            format!("> Authorization: Bearer fo1_{}", noise(4, 43, MIXED)),
            noise(4, 43, MIXED),
            "Authorization",
        ),
        (
            "postgres with database",
            format!("postgres://app:{}@db.internal:5432/app?sslmode=disable", word(10, 20)),
            word(10, 20),
            "db.internal:5432/app?sslmode=disable",
        ),
        (
            "postgres without database",
            format!("DATABASE postgres://app:{}@db.internal", word(11, 20)),
            word(11, 20),
            "@db.internal",
        ),
        (
            "redis",
            format!("redis://default:{}@fly-redis.upstash.io:6379", word(12, 24)),
            word(12, 24),
            "fly-redis.upstash.io:6379",
        ),
        (
            "password with colon",
            "postgres://app:pa:ss/w@rd9@db:5432/x end".into(),
            "rd9".into(),
            "@db:5432/x end",
        ),
        (
            "https basic",
            format!("GET https://user:{}@git.example.com/x", word(13, 12)),
            word(13, 12),
            "git.example.com",
        ),
        (
            "json env compact",
            format!(r#"{{"config":{{"env":{{"MYSTERY":"{}","PORT":"8080"}}}}}}"#, word(14, 18)),
            word(14, 18),
            r#""PORT":"8080""#,
        ),
        (
            "json env pretty",
            format!(
                "{{\n  \"env\": {{\n    \"MYSTERY\": \"{}\",\n    \"PORT\": \"8080\"\n  }}\n}}",
                word(15, 18)
            ),
            word(15, 18),
            "\"PORT\": \"8080\"",
        ),
        (
            "name/value compact",
            format!(r#"[{{"name":"DB_PASS","value":"{}"}}]"#, word(16, 9)),
            word(16, 9),
            "DB_PASS",
        ),
        (
            "name/value pretty",
            format!("{{\n  \"name\": \"API_SECRET\",\n  \"value\": \"{}\"\n}}", word(17, 9)),
            word(17, 9),
            "API_SECRET",
        ),
        (
            "json in json",
            format!(r#"{{"msg":"{{\"password\":\"{}\",\"x\":1}}"}}"#, word(18, 10)),
            word(18, 10),
            r#"\"x\":1"#,
        ),
        (
            "toml key base",
            format!("secret_key_base = \"{}\"", word(19, 64)),
            word(19, 64),
            "secret_key_base",
        ),
        ("jwt", format!("jwt seen {jwt} end"), noise(8, 43, MIXED), " end"),
        (
            "pem lines",
            format!(
                "a\n-----BEGIN RSA PRIVATE KEY-----\n{pem_body}\n{pem_body}\n-----END RSA PRIVATE KEY-----\nb\n"
            ),
            pem_body.clone(),
            "\nb\n",
        ),
        (
            "pem one line",
            format!(
                r#"{{"key":"-----BEGIN PRIVATE KEY-----\n{pem_body}\n-----END PRIVATE KEY-----\n","n":1}}"#
            ),
            pem_body.clone(),
            r#""n":1"#,
        ),
        ("aws id", "using AKIAQYLPMN5HHHFPZAM2 now".into(), "QYLPMN5HHHFPZAM2".into(), " now"),
        (
            "aws secret",
            format!("aws_secret_access_key={}", noise(20, 40, BASE64)),
            noise(20, 40, BASE64),
            "aws_secret",
        ),
        (
            "tigris",
            format!("id tid_{} secret tsec_{}", word(21, 40), word(22, 50)),
            word(22, 50),
            "secret",
        ),
        ("github", format!("clone ghp_{} done", word(23, 36)), word(23, 36), "done"),
        ("stripe", format!("charge with sk_live_{}", word(24, 24)), word(24, 24), "charge"),
        (
            "slack webhook",
            format!("POST https://hooks.slack.com/services/T0001/B0001/{}", word(25, 24)),
            word(25, 24),
            "POST",
        ),
        (
            "basic header",
            format!("Authorization: Basic {}", b64("admin:hunter22hunter")),
            b64("admin:hunter22hunter"),
            "Basic",
        ),
        (
            "cookie",
            format!("Cookie: _session={}; theme=dark1", word(26, 32)),
            word(26, 32),
            "_session=",
        ),
        ("wireguard", format!("peer key {wire} up"), wire.clone(), " up"),
        (
            "curl -u",
            format!("curl -u admin:{} https://x.example/", word(27, 9)),
            word(27, 9),
            "https://x.example/",
        ),
        ("PGPASSWORD", format!("PGPASSWORD={} psql -h db", word(28, 9)), word(28, 9), "psql -h db"),
        (
            "query parameter",
            format!("GET /cb?access_token={}&page=2 200", word(29, 20)),
            word(29, 20),
            "&page=2 200",
        ),
        ("email", "user jane.doe+x@example.com signed in".into(), "jane.doe".into(), "signed in"),
        ("IPv4", "client 84.23.11.7 connected".into(), "84.23.11.7".into(), "connected"),
    ]
}

#[test]
fn all_32_lines_are_hidden() {
    let lines = lines();
    assert_eq!(lines.len(), 32);
    let mut failures = Vec::new();
    for (what, line, secret, kept) in &lines {
        let out = text(line);
        if out.contains(secret) {
            failures.push(format!("{what}: leaks: {out}"));
        }
        if !out.contains(kept) {
            failures.push(format!("{what}: lost `{kept}`: {out}"));
        }
        let again = text(&out);
        if again != out {
            failures.push(format!("{what}: not stable:\n  {out}\n  {again}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Lines that must come out as they went in.
const KEPT: &[&str] = &[
    r#"{"id":"3d8d9e4cd10689","state":"started","region":"iad","instance_id":"01HXYZ3K4M5N6P7Q8R9S0T1V2W"}"#,
    "release v42 deployment-01HXYZ3K4M5N6P7Q8R9S0T1V2W on machine 3d8d9e4cd10689",
    "volume vol_4xp1q8k2m9z0r7w6 attached, snapshot vs_MXxKzGzLbDVa8pq3n1 kept",
    r"image: registry.fly.io/demo@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "fly-request-id: 01JABCDEFGHJKMNPQRSTVWXYZ0-iad",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
    "git sha 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12 deployed",
    r#"{"name":"DATABASE_URL","digest":"b3f1a2c4d5e6f708","created_at":"2026-01-01T00:00:00Z"}"#,
    r#"{"secrets":[{"name":"SECRET_KEY_BASE","digest":"cc99aa0011223344","type":"encrypted"}]}"#,
    "serial 04:9f:aa:10:22:bc:de:f0:11:22:33:44:55:66:77:88:99:aa, issuer Let's Encrypt",
    "serial_number=04e2f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b",
    r#"check output: "HTTP GET http://172.19.4.2:8080/health: 500 Internal Server Error Output: db timeout""#,
    "2026-11-25T01:02:03.123456789Z app[3d8d9e4cd10689] iad [info] GET /users/123 200 in 4ms",
    "token: expired, please log in again",
    "invalid token: unexpected end of input",
    "max_tokens=4096 total_tokens: 12 next_token=1732491723000000000",
    "connect to fdaa::3 port 53, listen on [::]:8080 and 0.0.0.0:8080, dial 127.0.0.1:5432",
    "shared v4 66.241.125.42 v6 2a09:8280:1::42:a8f4 docs 192.0.2.7 2001:db8::1",
    r#"{"env":{"PRIMARY_REGION":"ams","PORT":"8080","FLY_APP_NAME":"demo","LOG_LEVEL":"info"}}"#,
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ2VydGlmaWNhdGUgaXMgcHVibGljMAoGCCqGSM49BAMC\n-----END CERTIFICATE-----",
    "https://fly.io/docs/networking/private-networking/?utm_source=cli",
    "npm install @scope/package@1.2.3 from https://registry.npmjs.org:443/@scope/package",
    "std::collections::HashMap<String, Vec<u8>> at src/main.rs:10:5",
    "PWD=/app OLDPWD=/ HOME=/root",
    "v1.2.3.4 and 10.1.2.3 and 0.1.2.3",
    r#"{"checks":[{"name":"servicecheck-00-http-8080","status":"passing","output":"gRPC healthy"}]}"#,
    "fly_platform_version v2, fly_process_group app, kernel 5.15.98-fly #g1a2b3c4d5e",
];

#[test]
fn the_keep_list_survives() {
    let failures: Vec<String> = KEPT
        .iter()
        .map(|line| (line, text(line)))
        .filter(|(line, out)| *line != out)
        .map(|(line, out)| format!("{line}\n  became {out}"))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn environment_files_mask_what_is_not_on_the_list() {
    let out = named(
        ".env",
        "PORT=8080\nMYSTERY=abcdefgh1\n# comment\nexport OTHER='two words'\nEMPTY=\n",
    );
    assert!(
        out.starts_with("PORT=8080\nMYSTERY=‹secret:-:")
            && !out.contains("two words")
            && out.ends_with("\nEMPTY=\n"),
        "{out}"
    );
}
