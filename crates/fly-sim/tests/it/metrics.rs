//! The Prometheus interface: values, ranges, the language, refusals.

use serde_json::{Value, json};

use crate::client::{get, parsed_sim, virtual_sim};
use fly_sim::Sim;

async fn query(sim: &Sim, text: &str) -> Value {
    let escaped = text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let answer = get(sim, &format!("/prometheus/personal/api/v1/query?query={escaped}")).await;
    assert_eq!(answer.status, 200, "{text}: {}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.json()["status"], "success");
    answer.json()["data"].clone()
}

/// The only value of a query.
async fn value(sim: &Sim, text: &str) -> f64 {
    let data = query(sim, text).await;
    let result = data["result"].as_array().unwrap();
    assert_eq!(result.len(), 1, "{text}: {data}");
    result[0]["value"][1].as_str().unwrap().parse().unwrap()
}

const WORLD: &str = r#"
[[apps]]
name = "demo"
machines = [{ id = "148e21ea7e4389", region = "fra", memory_mb = 512 }, { id = "3d8d9931f46789", region = "iad", state = "stopped" }]
metrics = [
  { name = "fly_instance_memory_mem_available", machine = "148e21ea7e4389", labels = { host = "x" }, points = [["-1h", 400.0], ["-30m", 100.0], ["now", 100.0]] },
  { name = "fly_edge_http_responses_count", labels = { status = "503", region = "fra" }, points = [["-1h", 0.0], ["now", 3600.0]] },
  { name = "fly_edge_http_responses_count", labels = { status = "200", region = "fra" }, points = [["-1h", 0.0], ["now", 7200.0]] },
]
"#;

#[tokio::test]
async fn the_language_computes() {
    let sim = parsed_sim(WORLD).await;
    for (text, expected) in [
        ("fly_instance_up", 1.0),
        ("fly_instance_memory_mem_total{app=\"demo\"}", 512.0 * 1_048_576.0),
        ("min_over_time(fly_instance_memory_mem_available{host=\"x\"}[1h])", 100.0),
        ("max_over_time(fly_instance_memory_mem_available{host='x'}[1h])", 400.0),
        ("fly_instance_memory_mem_available{host=\"x\"} offset 45m", 250.0),
        ("sum(rate(fly_edge_http_responses_count{status=~\"5..\"}[5m]))", 1.0),
        (
            "sum by (app) (increase(fly_edge_http_responses_count{status=~\"503|200\"}[10m]))",
            1800.0,
        ),
        (
            "100 * sum(rate(fly_edge_http_responses_count{status=\"503\"}[5m])) / sum(rate(fly_edge_http_responses_count{status!=\"404\"}[5m]))",
            100.0 / 3.0,
        ),
        ("count(fly_instance_load_average)", 3.0),
        ("absent(fly_instance_up{instance=\"3d8d9931f46789\"})", 1.0),
        ("vector(1 + 2 * 3)", 7.0),
        ("-vector(2) + 5 > bool 1", 1.0),
        ("topk(1, fly_edge_http_responses_count{status!=\"404\"})", 7200.0),
        (
            "max by (instance) (fly_instance_memory_mem_available{host=\"x\"} / on(instance) fly_instance_memory_mem_total)",
            100.0 / (512.0 * 1_048_576.0),
        ),
    ] {
        let seen = value(&sim, text).await;
        assert!(
            (seen - expected).abs() <= expected.abs() * 0.01 + 1e-9,
            "{text}: {seen}, not {expected}"
        );
    }
    for nothing in ["fly_volume_used_pct > 85", "nothing_at_all", "fly_instance_up == 0"] {
        assert_eq!(query(&sim, nothing).await["result"], json!([]), "{nothing}");
    }
}

#[tokio::test]
async fn ranges_have_a_point_per_step() {
    let sim = parsed_sim(WORLD).await;
    let path = "/prometheus/personal/api/v1/query_range?query=fly_instance_memory_mem_available%7Bhost%3D%22x%22%7D\
                &start=2026-09-01T11:00:00Z&end=2026-09-01T12:00:00Z&step=15m";
    let data = get(&sim, path).await.json()["data"].clone();
    assert_eq!(data["resultType"], "matrix");
    let values: Vec<&str> = data["result"][0]["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point[1].as_str().unwrap())
        .collect();
    assert_eq!(values, ["400", "250", "100", "100", "100"]);
}

#[tokio::test]
async fn lists_refusals_and_tokens() {
    let sim = virtual_sim("healthy").await;
    let base = "/prometheus/personal/api/v1";
    let names = get(&sim, &format!("{base}/label/__name__/values")).await.json();
    for name in [
        "fly_instance_memory_mem_available",
        "fly_instance_cpu",
        "fly_instance_cpu_throttle",
        "fly_instance_load_average",
        "fly_instance_up",
        "fly_volume_used_pct",
        "fly_volume_size_bytes",
        "fly_instance_filesystem_blocks",
        "fly_instance_net_recv_bytes",
        "fly_edge_http_responses_count",
        "fly_edge_http_response_time_seconds_bucket",
        "fly_edge_data_out",
        "fly_app_concurrency",
        "fly_app_http_responses_count",
    ] {
        assert!(names["data"].as_array().unwrap().contains(&json!(name)), "{name}");
    }
    let labels = get(&sim, &format!("{base}/labels?match[]=fly_instance_up")).await.json();
    assert_eq!(labels["data"], json!(["__name__", "app", "host", "instance", "region"]));
    let series = get(&sim, &format!("{base}/series?match[]=fly_instance_up")).await.json();
    assert_eq!(series["data"].as_array().unwrap().len(), 3);
    for bad in
        ["query?query=sum(", "query?query=rate(x)", "query?query=x%7Ba~b%7D", "query", "series"]
    {
        let answer = get(&sim, &format!("{base}/{bad}")).await;
        assert_eq!(answer.status, 422, "{bad}");
        assert_eq!(answer.json()["status"], "error", "{bad}");
    }
    assert_eq!(get(&sim, "/prometheus/nobody/api/v1/query?query=up").await.status, 404);
    let text = get(&sim, "/prometheus/personal/federate?match[]=fly_instance_up").await;
    assert!(String::from_utf8_lossy(&text.body).starts_with("fly_instance_up{app=\"demo\""));
    let expired = virtual_sim("token-expired").await;
    assert_eq!(get(&expired, &format!("{base}/query?query=fly_instance_up")).await.status, 401);
}
