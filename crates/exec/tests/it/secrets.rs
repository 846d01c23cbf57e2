//! A secret reaches the child and nothing else.

use std::future::pending;

use exec::{Command, Program, RunError};
use secrecy::SecretString;
use test_kit::Sandbox;

use crate::support::{LONG, run, run_until_ready, runner, sh};

const SECRET: &str = "s3cret-of-this-run";

fn secret() -> SecretString {
    SecretString::from(SECRET)
}

#[tokio::test]
async fn by_environment_and_by_input() {
    let sandbox = Sandbox::new().unwrap();
    let script = "echo $SECRET; cat";
    let command = sh(script, LONG).secret_env("SECRET", secret()).secret_stdin("typed\n".into());
    let ran = runner(&sandbox).run(command, pending()).await.unwrap();
    assert_eq!(ran.stdout.text(), format!("{SECRET}\ntyped\n"), "the child got both");
    let record = serde_json::to_string(&ran.transcript).unwrap() + &format!("{:?}", ran.transcript);
    assert!(!record.contains(SECRET) && !record.contains("typed"), "{record}");
    assert!(ran.transcript.env.contains(&"SECRET".to_owned()), "by name");
}

#[tokio::test]
async fn the_process_table_does_not_show_it() {
    let sandbox = Sandbox::new().unwrap();
    let script = "if [ -r /proc/$$/cmdline ]; then tr '\\0' ' ' < /proc/$$/cmdline; else ps -ww -o args= -p $$; fi; \
                  : > $READY; sleep 1000";
    let command = sh(script, LONG).secret_env("SECRET", secret());
    let ran = run_until_ready(&sandbox, command).await.unwrap();
    let seen = ran.stdout.text();
    assert!(seen.contains("/bin/sh -c") && !seen.contains(SECRET), "{seen}");
}

#[tokio::test]
async fn as_an_argument_it_is_refused_before_anything_starts() {
    let sandbox = Sandbox::new().unwrap();
    let trace = sandbox.path("started");
    let touch = Program::find("touch", Some("/usr/bin:/bin".as_ref())).unwrap();
    let from_env = |command: Command| command.secret_env("SECRET", secret());
    let from_stdin = |command: Command| command.secret_stdin(secret());
    for give in [&from_env as &dyn Fn(Command) -> Command, &from_stdin] {
        let command = Command::new(&touch, LONG).arg(trace.as_path()).arg(format!("--x={SECRET}"));
        let Err(error) = runner(&sandbox).run(give(command), pending()).await else {
            panic!("it was started")
        };
        assert!(matches!(error, RunError::SecretArgument { .. }));
        assert!(!error.to_string().contains(SECRET) && !format!("{error:?}").contains(SECRET));
        assert!(!trace.exists());
    }
}

#[tokio::test]
async fn what_a_child_repeats_is_taken_out_of_the_record() {
    let sandbox = Sandbox::new().unwrap();
    let script = "echo \"bad token $SECRET, sensitive\" >&2; exit 1";
    let command = sh(script, LONG).secret_env("SECRET", secret()).arg("sensitive");
    let ran = runner(&sandbox).run(command, pending()).await.unwrap();
    let excerpt = &ran.transcript.stderr_excerpt;
    assert_eq!(excerpt, "bad token [secret of SECRET], [scrubbed]\n");
    assert_eq!(ran.transcript.args.last().unwrap(), "[scrubbed]");
    let summary = ran.transcript.summary();
    assert!(
        summary.ends_with("exit status 1: bad token [secret of SECRET], [scrubbed]"),
        "{summary}"
    );
}

#[tokio::test]
async fn a_blank_secret_is_in_no_argument_and_no_text() {
    let sandbox = Sandbox::new().unwrap();
    let command = sh("echo words of it >&2", LONG).secret_env("EMPTY", " \n".into());
    let ran = runner(&sandbox).run(command, pending()).await.unwrap();
    assert_eq!(ran.transcript.stderr_excerpt, "words of it\n");
}

#[tokio::test]
async fn an_excerpt_has_the_last_lines() {
    let sandbox = Sandbox::new().unwrap();
    let ran = run(&sandbox, "yes 'a line of text' | head -n 1000 >&2; echo end >&2").await;
    let excerpt = &ran.transcript.stderr_excerpt;
    assert!(excerpt.len() <= 4096 && excerpt.starts_with("a line"), "{excerpt}");
    assert!(excerpt.ends_with("a line of text\nend\n"));
}
