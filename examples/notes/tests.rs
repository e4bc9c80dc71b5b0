//! The application as a client sees it: no socket, no port, no wait.

use qibu::sessions::Sessions;
use qibu::testing::{TestClient, TestResponse};

use crate::build;
use crate::store::Store;

fn client() -> TestClient {
    TestClient::new(build(Store::open(":memory:").unwrap(), Sessions::with_random_key().unwrap()).unwrap())
}

fn log_in(client: &TestClient, password: &str) -> TestResponse {
    client.post("/login").form(&[("name", "demo"), ("password", password)]).send()
}

fn member() -> TestClient {
    let client = client();
    assert_eq!(log_in(&client, "seven steps").status(), 303);
    client
}

fn write(client: &TestClient, text: &str) -> TestResponse {
    client.post("/api/notes").json(&serde_json::json!({ "text": text })).send()
}

fn texts(client: &TestClient) -> Vec<String> {
    let notes: serde_json::Value = client.get("/api/notes").send().json();
    notes.as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn only_members_read_and_write() {
    let client = client();
    assert_eq!(client.get("/").send().status(), 200, "the page itself asks for the login");
    assert_eq!(client.get("/api/notes").send().status(), 401);
    assert_eq!(write(&client, "x").status(), 401);
    assert_eq!(client.get("/events").send().status(), 401);
    assert_eq!(log_in(&client, "eight steps").status(), 403);
    assert_eq!(client.get("/api/notes").send().status(), 401);
    log_in(&client, "seven steps");
    assert_eq!(client.get("/api/notes").send().status(), 200);
    client.post("/logout").send();
    assert_eq!(client.get("/api/notes").send().status(), 401);
}

#[test]
fn a_note_is_written_changed_and_removed() {
    let client = member();
    let made = write(&client, "<b>seven</b> steps");
    assert_eq!((made.status(), made.header("location")), (201, Some("/api/notes/1")));
    assert_eq!(texts(&client), ["<b>seven</b> steps"]);
    let changed = client.put("/api/notes/1").json(&serde_json::json!({ "text": "eight" })).send();
    assert_eq!(changed.status(), 204);
    assert_eq!(texts(&client), ["eight"]);
    assert_eq!(client.delete("/api/notes/1").send().status(), 204);
    assert_eq!(client.delete("/api/notes/1").send().status(), 404);
    assert!(texts(&client).is_empty());
}

#[test]
fn what_is_wrong_is_said() {
    let client = member();
    assert_eq!(write(&client, " ").text(), "an empty note says nothing\n");
    assert_eq!(client.delete("/api/notes/first").send().status(), 400);
    assert_eq!(client.post("/api/notes").body("{}").send().status(), 415);
    assert_eq!(client.patch("/api/notes").send().header("allow"), Some("GET, POST, HEAD, OPTIONS"));
}

#[test]
fn a_note_may_have_a_picture() {
    let client = member();
    write(&client, "look");
    let send = |media_type: &str, bytes: &str| {
        let part = "Content-Disposition: form-data; name=picture; filename=a.png";
        let form = format!("--x\r\n{part}\r\nContent-Type: {media_type}\r\n\r\n{bytes}\r\n--x--");
        let request = client.post("/api/notes/1/picture");
        request.header("Content-Type", "multipart/form-data; boundary=x").body(form).send().status()
    };
    assert_eq!(client.get("/api/notes/1/picture").send().status(), 404);
    assert_eq!(send("text/html", "<script>"), 415);
    assert_eq!(send("image/png", "pixels"), 204);
    let picture = client.get("/api/notes/1/picture").send();
    assert_eq!((picture.header("content-type"), picture.text()), (Some("image/png"), "pixels"));
    assert_eq!(send("image/png", &"x".repeat(6 << 20)), 413);
}

#[test]
fn it_can_be_watched() {
    let client = member();
    write(&client, "seven");
    assert_eq!(client.get("/ready").send().status(), 200);
    let metrics = client.get("/metrics").send();
    assert!(metrics.text().contains("notes_listeners 0"), "{}", metrics.text());
}
