//! The exercises of the course (docs/guide): a stage at the end of each chapter, judged by what a program does.
//!
//! ```text
//! STAGE="python3 mine.py" cargo test --test stages stage_07                          judges your own, in any language
//! STAGE="cargo run --quiet --example mine" cargo test --test stages stage_07         one in examples/mine.rs
//! cargo test --test stages                                                           the course's: examples/solutions/
//! ```
//!
//! The program is started with the variable ADDRESS, such as `127.0.0.1:20123`, and has to serve there. Without STAGE the
//! course's own solution is judged, so that every stage is known to be passable; and each stage is shown to refuse a
//! program that does something else (`wrong_NN`).

mod client;
mod clients;
mod http;
mod program;
mod sockets;
mod web;

use std::ffi::OsStr;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fmt, thread};

use client::Judged;
use program::{Patience, Program};

/// What judges a program.
type Judge = fn(&mut Program) -> Judged;

/// The chapters, and what judges their exercise.
const STAGES: [(&str, Judge); 12] = [
    ("01-address-port-packet", sockets::it_listens),
    ("02-five-and-seven-steps", sockets::it_answers_in_gbk_and_closes),
    ("03-bytes-and-text", sockets::it_answers_in_the_encoding_it_was_asked_in),
    ("04-a-stream-has-no-messages", sockets::it_measures_lines),
    ("05-udp-and-loss", sockets::it_counts_what_was_lost),
    ("06-many-clients", clients::nobody_waits_for_another),
    ("07-from-functions-to-a-class", clients::it_goes_on_and_starts_again),
    ("08-swap-the-protocol", clients::it_speaks_a_protocol),
    ("09-http-by-hand", web::it_says_hello),
    ("10-patterns", web::it_counts_its_answers),
    ("11-slow-limits-shutdown", web::it_stays_quick_and_stops_gracefully),
    ("12-the-tour", web::it_keeps_a_guest_book),
];

/// What a test ends with: shown as it is, without a trace of calls that only we would read.
struct Lesson(String);

impl fmt::Debug for Lesson {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Judges the learner's program, or the course's.
fn stage(number: usize) -> Result<(), Lesson> {
    let command = match env::var("STAGE") {
        Ok(words) => words.split_whitespace().map(str::to_owned).collect(),
        Err(_) => vec![solutions(), number.to_string()],
    };
    judge(number, &command, Patience::Learner).map_err(Lesson)
}

/// A program that does it wrong is refused, for this reason.
fn wrong(number: usize, saying: &str) {
    let command = [solutions(), "wrong".to_owned(), number.to_string()];
    let lesson = judge(number, &command, Patience::Short).expect_err("a wrong program has passed");
    assert!(lesson.contains(saying), "it was refused, but not because of {saying:?}: {lesson}");
}

/// What the program does wrong, told so that it can be mended.
fn judge(number: usize, command: &[String], patience: Patience) -> Result<(), String> {
    let (chapter, judge) = STAGES[number - 1];
    let mut program = Program::start(command, patience)?;
    let Err(lesson) = judge(&mut program) else { return Ok(()) };
    let (command, ends) = (command.join(" "), program.how_it_ended());
    let printed = program.printed();
    Err(format!(
        "Stage {number:02} is not passed by: {command}\n\n{lesson}\n\n\
        The program {ends}. It printed:\n{printed}\n\
        The chapter to read: docs/guide/en/{chapter}/ (中文: docs/guide/zh/{chapter}/)"
    ))
}

/// examples/solutions, beside this test. `cargo test --test stages` alone does not build it: so we do, once.
fn solutions() -> String {
    static BUILT: Once = Once::new();
    let test = env::current_exe().expect("a test has a path");
    let profile = test.parent().and_then(Path::parent).expect("it lies in target/PROFILE/deps");
    BUILT.call_once(|| build_solutions(profile));
    let path = profile.join("examples").join(format!("solutions{}", env::consts::EXE_SUFFIX));
    path.to_str().expect("the path is text").to_owned()
}

fn build_solutions(profile: &Path) {
    let name = profile.file_name().and_then(OsStr::to_str).map(|name| if name == "debug" { "dev" } else { name });
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--example", "solutions", "--profile"]).args(name);
    let mut cargo = program::spawn(cargo.current_dir(env!("CARGO_MANIFEST_DIR"))).expect("cargo can be started");
    let ended = cargo.wait().expect("cargo is our child");
    assert!(ended.success(), "cargo build --example solutions: {ended}");
}

/// Such as one that does not compile.
#[test]
fn a_program_that_ends_with_an_error_is_not_told_to_listen() {
    let command = [solutions(), "no such thing".to_owned(), "1".to_owned()];
    let lesson = judge(1, &command, Patience::Short).expect_err("there is no such solution");
    assert!(lesson.contains("because your program has ended ("), "{lesson}");
    assert!(!lesson.contains("ADDRESS;"), "{lesson}");
}

/// A process has all our sockets from its fork until its exec: also one that was just opened to see whether a port is free.
/// Nobody may be sent to it then: it would take the connection, and end it.
#[test]
fn nobody_listens_at_a_free_address_while_others_start_programs() {
    let command = [solutions(), "1".to_owned()];
    let stop = AtomicBool::new(false);
    let reached = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    Program::start(&command, Patience::Short).expect("a solution can be started");
                }
            });
        }
        let reached = (0..3_000).filter(|_| TcpStream::connect(program::free_address()).is_ok()).count();
        stop.store(true, Ordering::Relaxed);
        reached
    });
    assert_eq!(reached, 0, "of 3,000 free addresses");
}

macro_rules! stages {
    ($($stage:ident $wrong:ident $number:literal $saying:literal;)*) => {
        $(
            #[test]
            fn $stage() -> Result<(), Lesson> {
                stage($number)
            }

            #[test]
            fn $wrong() {
                wrong($number, $saying);
            }
        )*
    };
}

// The text is what a wrong program (examples/solutions/wrong.rs) is told.
stages! {
    stage_01 wrong_01 1 "nobody listens";
    stage_02 wrong_02 2 "in UTF-8";
    stage_03 wrong_03 3 "the encoding it came in";
    stage_04 wrong_04 4 "one recv is not one line";
    stage_05 wrong_05 5 "lost 0";
    stage_06 wrong_06 6 "waits for the silent one";
    stage_07 wrong_07 7 "SO_REUSEADDR";
    stage_08 wrong_08 8 "the conversation goes on";
    stage_09 wrong_09 9 "the connection stays open";
    stage_10 wrong_10 10 "a 404 too";
    stage_11 wrong_11 11 "at once";
    stage_12 wrong_12 12 "Allow";
}
