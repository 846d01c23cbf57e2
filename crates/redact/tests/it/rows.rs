//! Rows of credential files and coloured text, as files and inside strings of other documents.

use crate::support::text;

const PASSWORD: &str = "hunter7Zq:tail";

/// The row as a file, in a log line, in strings of one, two and three levels, in a command.
fn around(row: &str) -> Vec<String> {
    let once = serde_json::json!({ "message": row, "n": 1 }).to_string();
    let twice = serde_json::json!({ "message": once }).to_string();
    let lines = serde_json::json!({ "output": format!("{row}\nnext line\n{row}\n") }).to_string();
    vec![
        row.to_owned(),
        format!("{row}\n"),
        format!("# comment\n{row}\r\nother\n"),
        format!("2026-08-01T10:00:00Z app[148e21ea7e4389] {row}\n"),
        format!("{once}\n{once}\n"),
        serde_json::json!({ "message": twice }).to_string(),
        twice,
        serde_json::json!({ "output": lines }).to_string(),
        lines,
        serde_json::json!(["sh", row, "-c"]).to_string(),
        format!("{{'note': '{row}', 'n': 1}}"),
        format!("wrote <{row} to a file"),
    ]
}

#[test]
fn password_file_rows_are_found_wherever_they_stand() {
    let rows = [
        format!("db.internal:5432:appdb:app:{PASSWORD}"),
        format!("*:*:*:app:{PASSWORD}"),
        format!("10.1.2.3:5433:app_db:*:{PASSWORD}"),
        format!("machine api.example.com login app password {PASSWORD}"),
        format!("default login app password {PASSWORD}"),
    ];
    for row in rows {
        for input in around(&row) {
            let output = text(&input);
            assert!(!output.contains("hunter7Zq") && !output.contains("tail"), "{input}\n{output}");
            assert_eq!(
                input.matches(['"', '\n', '\\']).count(),
                output.matches(['"', '\n', '\\']).count()
            );
        }
    }
    let folded = text("machine a\n  login b\n  password hunter7Zq\nmachine c\n");
    assert!(!folded.contains("hunter7Zq") && folded.ends_with("\nmachine c\n"), "{folded}");
    let folded = text(r#"{"m":"machine a\n  login b\n  password hunter7Zq\n"}"#);
    assert!(!folded.contains("hunter7Zq") && folded.ends_with("\\n\"}"), "{folded}");
}

#[test]
fn what_only_looks_like_a_row_stays() {
    for input in [
        "main.rs:12:34: error: mismatched types",
        "at 2026-08-01T10:00:00Z in fra:1:a",
        "fe80:0:0:1:aa:bb:cc:dd up",
        "login failed password reset sent",
        "login app",
        "image registry.fly.io/demo:deployment-01J:latest",
    ] {
        assert_eq!(text(input), input);
    }
}

#[test]
fn colours_right_before_a_token_do_not_hide_it() {
    let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let aws = "AKIAIOSFODNN7EXAMPLQ";
    for token in [token, aws] {
        for escape in ["\u{1b}", "\\u001b", "\\\\u001b", "\\x1b", "\\033", "^["] {
            for input in [
                format!(
                    "{{\"m\":\"{escape}[31mERROR{escape}[0m {escape}[1m{token}{escape}[0m done\"}}"
                ),
                format!("{escape}[31mERROR{escape}[0m {escape}[1;32m{token}{escape}[0m done"),
                format!("x{escape}[0m{escape}[38;5;1m{token}{escape}[m"),
            ] {
                let output = text(&input);
                assert!(!output.contains(&token[4..]), "{input}\n{output}");
            }
        }
    }
    let inside = text(r#"{"m":"ghp_\u001b[1m16C7e42F292c6912E7710c838347Ae178B4a"}"#);
    assert!(!inside.contains("16C7e42F"), "{inside}");
}

#[test]
fn an_address_that_touches_a_token_is_an_address() {
    let token = format!("fm2_{}==", "AbCd".repeat(20));
    let input = format!("66.1.2.3{token} and {token}.\n");
    let output = text(&input);
    assert!(!output.contains("66.1.2.3") && !output.contains("AbCd"), "{output}");
    assert_eq!(text("v66.1.2.3 and 66.1.2.3rc1"), "v66.1.2.3 and 66.1.2.3rc1");
}
