//! Stages 09 to 12: HTTP by hand, a decorator, slow answers and the end, a guest book.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, Judged};
use crate::http::Answer;
use crate::program::Program;

/// 09: `/hello/NAME`, 404, and a second request on the same connection.
pub(crate) fn it_says_hello(program: &mut Program) -> Judged {
    let mut client = program.connect()?;
    client.get("/hello/World");
    let hello = client.answer("a request ends with an empty line; then it is your turn.")?;
    hello.has_status(200, "GET /hello/World")?;
    if hello.version != "1.1" {
        return Err(format!("    I sent      GET /hello/World HTTP/1.1\n    There came  HTTP/{}", hello.version));
    }
    if hello.body != "Hello, World!" {
        return Err(format!(
            "    I sent      GET /hello/World\n    I expected  \"Hello, World!\"\n    There came  {:?}",
            hello.body
        ));
    }
    let why =
        "in HTTP/1.1 the connection stays open for the next request, unless one of the two says `Connection: close`.";
    client.get("/attic");
    let nowhere = client.answer(why)?;
    nowhere.has_status(404, "GET /attic")?;
    client = after(&nowhere, client, program)?;
    client.send("GET /hello/Li HTTP/1.1\r\nHo");
    client.send("st: stage\r\n\r\nGET /hello/Du HTTP/1.1\r\nHost: stage\r\n\r\n");
    for name in ["Li", "Du"] {
        let why = "a request may come in two parts, and two requests at once: a stream has no messages (chapter 04).";
        let hello = client.answer(why)?;
        if hello.body != format!("Hello, {name}!") {
            return Err(format!("    I asked for /hello/{name}\n    There came  {:?}\n\nIt means: {why}", hello.body));
        }
    }
    Ok(())
}

/// 10: every answer is counted.
pub(crate) fn it_counts_its_answers(program: &mut Program) -> Judged {
    let mut count = 0;
    for _ in 0..2 {
        let mut client = program.connect()?;
        for (path, status) in [("/", 200), ("/nothing", 404), ("/", 200)] {
            count += 1;
            client.get(path);
            let answer = client.answer("GET / has a page, whatever you like; other paths are 404.")?;
            answer.has_status(status, &format!("GET {path}"))?;
            if answer.field("x-count") != Some(&count.to_string()) {
                return Err(format!(
                    "    I sent      GET {path}, request {count}\n    I expected  the field X-Count: {count}\n    \
                    There came  {:?}\n\n\
                    It means: the decorator stands around all that answers, a 404 too, and counts for all clients together.",
                    answer.field("x-count")
                ));
            }
        }
    }
    Ok(())
}

/// 11: a slow answer keeps nobody waiting, and Ctrl-C takes it from nobody.
pub(crate) fn it_stays_quick_and_stops_gracefully(program: &mut Program) -> Judged {
    const A_SECOND: Duration = Duration::from_millis(950);
    // More than there are loops, so that none is left where nobody sleeps.
    let count = thread::available_parallelism().map_or(1, NonZero::get).min(16) * 2;
    let mut slow = (0..count).map(|_| program.connect()).collect::<Result<Vec<_>, _>>()?;
    let mut quick = program.connect()?;
    let asked = Instant::now();
    slow.iter_mut().for_each(|slow| slow.get("/slow"));
    quick.get("/");
    quick.answer("GET / has a page.")?.has_status(200, "GET /")?;
    if asked.elapsed() > A_SECOND / 2 {
        return Err(format!(
            "    I sent      GET /slow, on {count} connections, and on another one GET /\n    \
            I expected  the last answer at once\n    There came  the last answer after {:?}\n\n\
            It means: what takes long must not hold up what answers all others.",
            asked.elapsed()
        ));
    }
    interrupt(program);
    let why =
        "/slow was being answered when Ctrl-C (SIGINT) came. Accept nobody any more, let what runs end, then end.";
    for slow in &mut slow {
        slow.answer(why)?.has_status(200, "GET /slow, and SIGINT to the program")?;
    }
    if asked.elapsed() < A_SECOND {
        return Err(format!("GET /slow was answered after {:?}: it should take a second.", asked.elapsed()));
    }
    drop((slow, quick));
    match program.ends_within(program.patience.to_answer()) {
        Some(_) => Ok(()),
        None => Err("After SIGINT and the last answer the program should end; it still runs.".to_owned()),
    }
}

#[cfg(unix)]
fn interrupt(program: &Program) {
    program.interrupt();
}

/// Elsewhere nobody can send Ctrl-C to another: only the quick answer is judged, and the end is made.
#[cfg(not(unix))]
fn interrupt(_: &Program) {}

/// 12: a guest book.
pub(crate) fn it_keeps_a_guest_book(program: &mut Program) -> Judged {
    const MOST: usize = 64 * 1024;
    let mut client = program.connect()?;
    for note in ["hello from Xi'an", "你好"] {
        client.post("/notes", note);
        let added = client.answer("POST /notes adds a note: 201 Created.")?;
        added.has_status(201, &format!("POST /notes: {note}"))?;
        client = after(&added, client, program)?;
    }
    drop(client);
    client = program.connect()?; // somebody else
    client.get("/notes");
    let notes = client.answer("GET /notes has all notes, a line each, whoever asks.")?;
    notes.has_status(200, "GET /notes")?;
    if notes.body.trim_end() != "hello from Xi'an\n你好" {
        let came = &notes.body;
        return Err(format!(
            "    I sent      two notes, then GET /notes\n    I expected  both, a line each\n    There came  {came:?}"
        ));
    }
    client = after(&notes, client, program)?;
    client.send("PUT /notes HTTP/1.1\r\nHost: stage\r\nContent-Length: 0\r\n\r\n");
    let refused = client.answer("PUT is no method of /notes.")?;
    refused.has_status(405, "PUT /notes")?;
    let allowed = refused.field("allow").unwrap_or_default();
    if !["GET", "POST"].iter().all(|method| allowed.split(',').any(|known| known.trim() == *method)) {
        return Err(format!(
            "    I sent      PUT /notes\n    I expected  405 with the field Allow: GET, POST\n    \
            There came  405 with Allow {allowed:?}\n\n\
            It means: a 405 has to say which methods there are (RFC 9110 section 15.5.6)."
        ));
    }
    client = after(&refused, client, program)?;
    client.post("/notes", &"x".repeat(MOST));
    let added = client.answer("64 KiB are allowed.")?;
    added.has_status(201, "POST /notes with 65536 bytes")?;
    client = after(&added, client, program)?;
    client.post("/notes", &"x".repeat(MOST + 1));
    client
        .answer("what is longer than 64 KiB is refused by 413, not kept.")?
        .has_status(413, "POST /notes with 65537 bytes")
}

/// Where the next request goes: the same connection, or another one if the answer was its last.
fn after(answer: &Answer, client: Client, program: &mut Program) -> Result<Client, String> {
    match answer.field("connection") {
        Some(last) if last.eq_ignore_ascii_case("close") => program.connect(),
        _ => Ok(client),
    }
}
