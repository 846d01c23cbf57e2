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

/// A group of digits only is a port, and what stands around it a host, a database, a user and a password, to those who look at too little.
#[test]
fn no_part_of_an_address_is_the_password_of_a_row() {
    let addresses = [
        "3fff:dfa:6364:d5c7:5341:d49c:f17:a4e1",
        "fdaa:fff4:5774:f1b8:56db:13a3:36d4:5530",
        "3fff:1e2:4055:c506:60e4:987e:f431:e606",
        "fdaa:0:18:a7b:7d:f066:d5b4:2",
        "2604:1380:4091:ab00::beef:cafe:d00d",
    ];
    for address in addresses {
        for input in around(address).into_iter().chain([
            format!("cannot connect with {address} after 3 tries"),
            format!("value='{address}', next"),
            format!("peer {address}: refused"),
            format!("[{address}]:5432 is down"),
        ]) {
            assert!(!text(&input).contains('‹'), "{input}\n{}", text(&input));
        }
    }
    for row in [
        "3:db.internal:5432:appdb:app:hunter7Zq",
        "pg.conf:12:db.internal:5432:appdb:app:hunter7Zq",
        "dead:5432:beef:cafe:hunter7Zq",
        "dead:5432:beef:cafe:0123456789abcdef",
    ] {
        assert!(text(row).contains('‹'), "{row}");
    }
}
