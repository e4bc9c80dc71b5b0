//! The handlers: each takes what is asked out of the request, asks the store, and says what has become of it.

use std::sync::Arc;

use qibu::sse::{Broadcast, Event};
use qibu::{
    Error, Handler, HandlerExt, Html, Metrics, Middleware, Plan, Request, Response, Result, Router, StatusCode,
};
use qibu::{blocking, limit, method, streaming};
use serde::Deserialize;

use crate::store::Store;

/// The page's own script and style, this server's pictures and events, and nothing from elsewhere.
pub(crate) const POLICY: &str = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
    base-uri 'none'; frame-ancestors 'none'";

const PICTURE_BYTES: u64 = 5 << 20;
const PICTURE_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

pub(crate) struct App {
    store: Store,
    changes: Broadcast,
}

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
}

#[derive(Deserialize)]
struct Draft {
    text: String,
}

/// Everything that asks the database is behind `blocking` (or `streaming`, where the body is large).
pub(crate) fn routes(app: &Arc<App>, metrics: &Metrics) -> Router {
    let api = Router::new()
        .get("/notes", method(app, App::list))
        .post("/notes", method(app, App::add))
        .put("/notes/{id}", method(app, App::change))
        .delete("/notes/{id}", method(app, App::remove))
        .get("/notes/{id}/picture", method(app, App::picture))
        .route("POST /notes/{id}/picture", limit(streaming(method(app, App::set_picture)), PICTURE_BYTES + 4096));
    let changes = app.changes.clone();
    Router::new()
        .get("/", |_| Html(include_str!("page.html")))
        .route("POST /login", blocking(method(app, App::login)))
        .post("/logout", logout)
        .route("GET /events", (move |_: &mut Request| changes.subscribe()).with(MembersOnly))
        .route("GET /metrics", metrics.page())
        .mount("/api", blocking(api).with(MembersOnly))
}

impl App {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, changes: Broadcast::new(64 * 1024) }
    }

    pub(crate) fn listeners(&self) -> usize {
        self.changes.len()
    }

    pub(crate) fn is_well(&self) -> bool {
        self.store.list().is_ok()
    }

    fn login(&self, request: &mut Request) -> Result {
        let login: Login = request.form()?;
        if !self.store.knows(&login.name, &login.password)? {
            return Err(Error::new(StatusCode::FORBIDDEN, "this name and this password do not belong together"));
        }
        request.session().insert("user", login.name)?;
        Ok(Response::redirect("/"))
    }

    fn list(&self, _: &mut Request) -> Result {
        Ok(Response::json(&self.store.list()?))
    }

    fn add(&self, request: &mut Request) -> Result {
        let draft = draft(request)?;
        let author = request.session().get("user").unwrap_or("nobody").to_owned();
        let note = self.store.add(&draft.text, &author)?;
        self.tell();
        let location = format!("/api/notes/{}", note.id);
        Ok(Response::json(&note).with_status(StatusCode::CREATED).with_header("location", location))
    }

    fn change(&self, request: &mut Request) -> Result<StatusCode> {
        let (id, draft) = (request.param("id")?, draft(request)?);
        self.done(self.store.change(id, &draft.text)?)
    }

    fn remove(&self, request: &mut Request) -> Result<StatusCode> {
        self.done(self.store.remove(request.param("id")?)?)
    }

    /// The picture is what a browser's form sends as a file.
    fn set_picture(&self, request: &mut Request) -> Result<StatusCode> {
        let id = request.param("id")?;
        let mut form = request.multipart()?.part_limit(PICTURE_BYTES);
        let missing =
            || Error::new(StatusCode::BAD_REQUEST, "a picture is missing: a file of the form, called `picture`");
        let mut part = form.next_part()?.ok_or_else(missing)?;
        let media_type = part.content_type().unwrap_or("").to_owned();
        if !PICTURE_TYPES.contains(&&*media_type) {
            return Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a picture is PNG, JPEG, GIF or WebP"));
        }
        let picture = (part.bytes()?, media_type);
        self.done(self.store.set_picture(id, &picture)?)
    }

    fn picture(&self, request: &mut Request) -> Result<Option<Response>> {
        let picture = self.store.picture(request.param("id")?)?;
        Ok(picture.map(|(bytes, media_type)| Response::bytes(&media_type, bytes)))
    }

    /// What has been done is told to all; what was not there is 404.
    fn done(&self, was_there: bool) -> Result<StatusCode> {
        if !was_there {
            return Err(Error::new(StatusCode::NOT_FOUND, "there is no such note"));
        }
        self.tell();
        Ok(StatusCode::NO_CONTENT)
    }

    fn tell(&self) {
        self.changes.send(Event::new("notes"));
    }
}

fn draft(request: &mut Request) -> Result<Draft> {
    let draft: Draft = request.json()?;
    match draft.text.trim() {
        "" => Err(Error::new(StatusCode::UNPROCESSABLE_ENTITY, "an empty note says nothing")),
        _ => Ok(draft),
    }
}

fn logout(request: &mut Request) -> Response {
    request.session().clear();
    Response::redirect("/")
}

/// A decorator: only those who have logged in reach what is behind it. Others are refused before their body is read.
struct MembersOnly;

impl MembersOnly {
    fn refusal(request: &mut Request) -> Option<Response> {
        let is_member = request.session().get("user").is_some();
        (!is_member).then(|| Response::text("log in first\n").with_status(StatusCode::UNAUTHORIZED))
    }
}

impl Middleware for MembersOnly {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        Self::refusal(request).unwrap_or_else(|| next.handle(request))
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        Self::refusal(request).map_or_else(|| next.plan(request), Plan::refuse)
    }
}
