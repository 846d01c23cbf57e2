//! What goes to which stream, when there is color, who is asked.

use super::*;

fn tty() -> Terminal {
    Terminal { stdin: true, stdout: true, stderr: true, width: Some(60) }
}

fn ui(args: &OutputArgs, env: &[(&str, &str)], terminal: Terminal) -> (Ui, Captured) {
    Ui::captured(args, &Env::from_pairs(env.iter().copied()), terminal, "")
}

#[test]
fn when_there_is_color() {
    let file = Terminal::default();
    for (when, env, terminal, expected) in [
        (When::Auto, &[][..], tty(), true),
        (When::Auto, &[], file, false),
        (When::Auto, &[("NO_COLOR", "1")], tty(), false),
        (When::Auto, &[("TERM", "dumb")], tty(), false),
        (When::Auto, &[("CLICOLOR_FORCE", "1")], file, true),
        (When::Auto, &[("CLICOLOR_FORCE", "0")], file, false),
        (When::Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], tty(), false),
        (When::Always, &[("NO_COLOR", "1")], file, true),
        (When::Never, &[("CLICOLOR_FORCE", "1")], tty(), false),
    ] {
        let args = OutputArgs { color: when, ..OutputArgs::default() };
        let (ui, _) = ui(&args, env, terminal);
        assert_eq!(ui.has_color(), expected, "{when:?} {env:?} {terminal:?}");
    }
}

#[test]
fn how_progress_is_shown() {
    let mode = |args: &OutputArgs, env: &[(&str, &str)], terminal| {
        ui(args, env, terminal).0.progress_mode()
    };
    let plain = OutputArgs::default();
    let quiet = OutputArgs { quiet: true, ..OutputArgs::default() };
    let none = OutputArgs { no_progress: true, ..OutputArgs::default() };
    assert_eq!(mode(&plain, &[], tty()), ProgressMode::Bars);
    assert_eq!(mode(&plain, &[], Terminal::default()), ProgressMode::Lines);
    assert_eq!(mode(&plain, &[("CI", "true")], tty()), ProgressMode::Lines);
    assert_eq!(mode(&plain, &[("TERM", "dumb")], tty()), ProgressMode::Lines);
    assert_eq!(mode(&quiet, &[], tty()), ProgressMode::Hidden);
    assert_eq!(mode(&none, &[], tty()), ProgressMode::Hidden);
}

#[test]
fn data_and_messages_go_apart() {
    let quiet = OutputArgs { quiet: true, ..OutputArgs::default() };
    let always = "warning: careful\nerror: it broke\nhint: mend it\n";
    for (args, notes) in [(OutputArgs::default(), "note\nlogs: 3 pages\n"), (quiet, "")] {
        let (ui, captured) = ui(&args, &[], Terminal::default());
        ui.out("data").unwrap();
        ui.json_line(&serde_json::json!({"a": 1})).unwrap();
        ui.note("note");
        ui.progress("logs", Some(3)).finish("3 pages");
        drop(ui.progress("never finished", None));
        ui.detail("only with -v");
        ui.warn("careful");
        ui.error(&CliError::usage("it broke").hint("mend it"));
        assert_eq!(captured.stdout(), "data\n{\"a\":1}\n");
        assert_eq!(captured.stderr(), format!("{notes}{always}"));
    }
}

#[test]
fn errors_have_color_on_a_terminal() {
    let (ui, captured) = ui(&OutputArgs::default(), &[], tty());
    ui.error(&CliError::usage("it broke"));
    assert_eq!(captured.stderr(), "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m it broke\n");
}

#[test]
fn tables_fit_the_width() {
    let remark = "a long remark that has to be wrapped somewhere here";
    let rows = [["shop", "started", remark], ["\u{65e5}\u{672c}", "stopped", ""]];
    let text = table(&["app", "state", "remark"], rows.map(|row| row.map(str::to_owned)), 40);
    assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn confirmation() {
    let answer = |terminal, typed: &str| {
        let env = Env::default();
        let (ui, captured) = Ui::captured(&OutputArgs::default(), &env, terminal, typed);
        let result = ui.confirm_typed("This destroys app 'shop'.", "shop", "--confirm shop");
        (result.map_err(|error| error.render()), captured.stderr())
    };
    let (result, prompt) = answer(tty(), "shop\n");
    assert_eq!(result, Ok(()));
    assert_eq!(prompt, "This destroys app 'shop'.\nType 'shop' to go on: ");
    for typed in ["shop2\n", "y\n", "\n", ""] {
        assert!(answer(tty(), typed).0.unwrap_err().contains("'shop' was not typed"));
    }
    let (result, prompt) = answer(Terminal { stdin: false, ..tty() }, "shop\n");
    assert!(result.unwrap_err().contains("give --confirm shop"));
    assert_eq!(prompt, "", "a pipe is not asked");
}

#[test]
fn a_closed_pipe_is_quiet_and_other_failures_are_not() {
    struct Failing(io::ErrorKind);
    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let with = |kind| {
        let out = Box::new(Failing(kind));
        let (err, input) = (Box::new(io::sink()), Box::new(io::empty()));
        Ui::with(&OutputArgs::default(), &Env::default(), Terminal::default(), out, err, input)
    };
    let closed = with(io::ErrorKind::BrokenPipe);
    assert!(closed.out("x").is_ok() && closed.stdout_closed());
    let full = with(io::ErrorKind::StorageFull);
    assert_eq!(full.out("x").unwrap_err().exit(), crate::Exit::NothingDone);
}
