//! The executables, and connections that misbehave.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{get, virtual_sim};

fn fly_sim(args: &[&str]) -> (Option<i32>, String, String) {
    #[expect(clippy::disallowed_methods, reason = "the test's subject is the executable")]
    let output = Command::new(env!("CARGO_BIN_EXE_fly-sim")).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn mistakes_end_with_two_and_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    std::fs::write(&path, "[[apps]]\nname = \"Bad Name\"\n").unwrap();
    let (code, out, err) = fly_sim(&["run", path.to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("bad.toml:2:8: invalid app name 'Bad Name'"), "{err}");
    let (code, _, err) = fly_sim(&["run", "healthy", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("not a loopback address"), "{err}");
    assert_eq!(fly_sim(&["run", "no-such-world"]).0, Some(2));
    let (code, out, _) = fly_sim(&["worlds"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("platform-incident"));
}

#[test]
fn the_environment_is_for_a_shell() {
    let (code, out, _) = fly_sim(&["env", "--listen", "127.0.0.1:4280", "--app", "demo"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("export FLY_FLAPS_BASE_URL='http://127.0.0.1:4280'\n"), "{out}");
    assert!(out.contains("export FLY_APP='demo'\n"));
    assert!(!out.contains("PROXY"), "other programs in that shell must go on working");
}

#[test]
fn a_running_simulator_prints_its_environment() {
    #[expect(clippy::disallowed_methods, reason = "the test's subject is the executable")]
    let mut child = Command::new(env!("CARGO_BIN_EXE_fly-sim"))
        .args(["run", "oom", "--print-env"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = std::io::BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<String> = std::io::BufRead::lines(out)
        .map(Result::unwrap)
        .take_while(|line| !line.is_empty())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines.contains(&"FLY_APP=demo".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("FLY_API_BASE_URL=http://127.0.0.1:")));
}

#[tokio::test]
async fn idle_and_broken_connections_disturb_nobody() {
    let sim = virtual_sim("healthy").await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(TcpStream::connect(sim.address()).await.unwrap());
    }
    for bytes in [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nhost"] {
        let mut stream = TcpStream::connect(sim.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
    }
    let answer = tokio::time::timeout(Duration::from_secs(5), get(&sim, "/v1/apps/demo"));
    assert_eq!(answer.await.unwrap().status, 200);
}

#[tokio::test]
async fn ten_thousand_machines_are_paged() {
    let mut text = String::from("[settings]\nrate_limits = false\n");
    for app in 0..500 {
        text = text + "[[apps]]\nname = \"app-" + &app.to_string() + "\"\n";
        text += &"[[apps.machines]]\nregion = \"fra\"\n".repeat(20);
    }
    let sim = crate::client::parsed_sim(&text).await;
    let (mut cursor, mut seen, mut pages) = (String::new(), 0, 0);
    loop {
        let path = format!("/v1/orgs/personal/machines?limit=1000&cursor={cursor}");
        let page = get(&sim, &path).await.json();
        seen += page["machines"].as_array().unwrap().len();
        pages += 1;
        page["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!((seen, pages), (10_000, 10));
    let apps = get(&sim, "/v1/apps?org_slug=personal").await.json();
    assert_eq!(apps["total_apps"], 500);
}
