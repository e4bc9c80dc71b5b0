//! The endpoints of HttpArena's HTTP/1.1 profiles: a small application that benchmarks measure.
//!
//! Type:  PORT=8080 DATASET_PATH=dataset.json STATIC_DIR=static cargo run --release --example http_arena
//! and    curl "http://127.0.0.1:8080/baseline11?a=13&b=42"     (55)
//!        curl -d 20 "http://127.0.0.1:8080/baseline11?a=13&b=42"     (75)
//!        curl --compressed "http://127.0.0.1:8080/json/3?m=2"     (the first three items, each with its total)
//!        curl -T large.bin -X POST http://127.0.0.1:8080/upload     (how many bytes arrived)
//!
//! It listens on every address of this computer. Without a dataset, `/json` is 404; nothing is prepared beforehand.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::{env, fs};

use qibu::{BodySink, Compress, Error, Handler, HandlerExt, Plan, Request, Response, Result, Router, StaticFiles};
use qibu::{StatusCode, WebServer};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

mod support;

/// As the dataset has it. What is not computed with goes through as it is.
#[derive(Deserialize, Serialize)]
struct Item {
    id: Value,
    name: String,
    category: String,
    price: Number,
    quantity: Number,
    active: bool,
    tags: Vec<String>,
    rating: Rating,
}

#[derive(Deserialize, Serialize)]
struct Rating {
    score: Number,
    count: Number,
}

#[derive(Serialize)]
struct Priced<'a> {
    #[serde(flatten)]
    item: &'a Item,
    total: Number,
}

#[derive(Serialize)]
struct Page<'a> {
    items: Vec<Priced<'a>>,
    count: usize,
}

/// Whole numbers stay whole.
fn total(item: &Item, factor: i64) -> Option<Number> {
    let whole = item.price.as_i64().zip(item.quantity.as_i64());
    match whole.and_then(|(price, quantity)| price.checked_mul(quantity)?.checked_mul(factor)) {
        Some(total) => Some(total.into()),
        None => Number::from_f64(item.price.as_f64()? * item.quantity.as_f64()? * factor as f64),
    }
}

fn json(dataset: &[Item], request: &Request) -> Result {
    let (count, factor) = (request.param::<usize>("count")?, request.query_or("m", 1)?);
    let priced = |item| total(item, factor).map(|total| Priced { item, total });
    let items: Option<Vec<_>> = dataset.iter().take(count).map(priced).collect();
    let items = items.ok_or_else(|| Error::new(StatusCode::BAD_REQUEST, "the totals are too large"))?;
    Ok(Response::json(&Page { count: items.len(), items }))
}

/// The sum of all values of the query, and of the body if there is one.
fn baseline(request: &mut Request) -> Result<String> {
    let values = request.query_string().unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
    let mut sum: i64 = values.filter_map(|(_, value)| value.parse::<i64>().ok()).sum();
    let body = request.text()?.trim();
    if !body.is_empty() {
        sum += body.parse::<i64>()?;
    }
    Ok(sum.to_string())
}

/// Counts a body while it arrives, and keeps nothing of it.
struct Upload;

impl Handler for Upload {
    fn plan(&self, _: &mut Request) -> Plan {
        Plan::inline().sink(Count(0)).body_limit(1 << 30)
    }

    fn handle(&self, request: &mut Request) -> Response {
        Response::text(request.body().sink::<Count>().map_or(0, |count| count.0).to_string())
    }
}

struct Count(usize);

impl BodySink for Count {
    fn take(&mut self, piece: &[u8]) -> ControlFlow<()> {
        self.0 += piece.len();
        ControlFlow::Continue(())
    }
}

/// The dataset is one JSON array.
fn application(dataset: &str, static_dir: &str) -> io::Result<Router> {
    let items = match fs::read(dataset) {
        Ok(text) => serde_json::from_slice::<Vec<Item>>(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let items = Arc::new(items);
    let items = move |request: &mut Request| match items.is_empty() {
        true => Err(Error::new(StatusCode::NOT_FOUND, "there is no dataset (DATASET_PATH)")),
        false => json(&items, request),
    };
    Ok(Router::new()
        .get("/baseline11", baseline)
        .post("/baseline11", baseline)
        .get("/pipeline", |_| "ok")
        .route("GET /json/{count}", items.with(Compress::new()))
        .route("POST /upload", Upload)
        .mount("/static", StaticFiles::new(static_dir)))
}

fn main() -> io::Result<()> {
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    if support::is_self_test() {
        return self_test();
    }
    let port: u16 = setting("PORT", "8080").parse().map_err(|_| io::Error::other("PORT is no port"))?;
    let app = application(&setting("DATASET_PATH", "/data/dataset.json"), &setting("STATIC_DIR", "/data/static"))?;
    let server = WebServer::new((Ipv4Addr::UNSPECIFIED, port), app)?;
    println!("Listening on {}. Ctrl-C stops.", server.local_addr());
    server.start()
}

const DATASET: &str = r#"[{"id":1,"name":"pen","category":"desk","price":3,"quantity":5,"active":true,"tags":["blue"],
    "rating":{"score":42,"count":7}},{"id":2,"name":"ink","category":"desk","price":0.5,"quantity":3,"active":false,
    "tags":[],"rating":{"score":1,"count":1}}]"#;

fn self_test() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let dataset = folder.path().join("dataset.json");
    fs::write(&dataset, DATASET)?;
    let app = application(&dataset.to_string_lossy(), &folder.path().to_string_lossy())?;
    let running = WebServer::new("127.0.0.1:0", app)?.spawn()?;
    let address = running.local_addr();
    let ask = |head: &str, body: &str, wanted: &str| expect(address, head, body, wanted);
    ask("GET /baseline11?a=13&b=42", "", "\r\n\r\n55")?;
    ask("POST /baseline11?a=13&b=42", "20", "\r\n\r\n75")?;
    ask("GET /pipeline", "", "\r\n\r\nok")?;
    ask("POST /upload", &"x".repeat(700_000), "\r\n\r\n700000")?;
    let items =
        r#"{"items":[{"id":1,"name":"pen","category":"desk","price":3,"quantity":5,"active":true,"tags":["blue"],"#;
    ask("GET /json/1?m=2", "", &format!(r#"{items}"rating":{{"score":42,"count":7}},"total":30}}],"count":1}}"#))?;
    ask("GET /json/50?m=3", "", r#""total":4.5}],"count":2}"#)?;
    ask("GET /static/dataset.json", "", DATASET)?;
    ask("GET /static/missing", "", "404 Not Found\n")?;
    println!("http_arena: sums, JSON with totals, an upload counted, files");
    Ok(())
}

fn expect(address: SocketAddr, head: &str, body: &str, end: &str) -> io::Result<()> {
    let request = format!("{head} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = support::talk(address, request)?;
    support::expect(answer.ends_with(end), head, &answer)
}
