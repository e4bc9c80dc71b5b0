//! What a browser's form and a program's JSON have in common: both become a struct.
//!
//! Type:  cargo run --example 21_forms_and_json
//! and open http://127.0.0.1:8090/, or type
//!     curl -i -H "Content-Type: application/json" -d "{\"item\":\"pen\",\"count\":3}" http://127.0.0.1:8090/api
//!
//! Order "many" of something, and you will see which field does not fit.
//!
//! Next: 22_upload, for what is too large to be in memory.

use std::io;
use std::net::SocketAddr;

use qibu::json::Json;
use qibu::{Error, Html, Request, Result, Router, StatusCode, WebServer};
use serde::{Deserialize, Serialize};

mod support;

const PAGE: &str = "<!DOCTYPE html><title>Order</title>
<form method=post><input name=item placeholder=Item required> <input name=count value=1> <button>Order</button></form>";

#[derive(Deserialize)]
struct Order {
    item: String,
    count: u32,
}

#[derive(Serialize)]
struct Receipt {
    item: String,
    price: u32,
}

/// One rule for both ways in.
fn place(order: Order) -> Result<Receipt> {
    match order.item.as_str() {
        "pen" => Ok(Receipt { item: order.item, price: 2 * order.count }),
        item => Err(Error::new(StatusCode::NOT_FOUND, format!("there is no {item}"))),
    }
}

fn by_form(request: &mut Request) -> Result<String> {
    let receipt = place(request.form()?)?;
    Ok(format!("{} for {}", receipt.item, receipt.price))
}

fn by_json(request: &mut Request) -> Result<(StatusCode, Json<Receipt>)> {
    Ok((StatusCode::CREATED, Json(place(request.json()?)?)))
}

fn main() -> io::Result<()> {
    let app = Router::new().get("/", |_| Html(PAGE)).post("/", by_form).post("/api", by_json);
    let server = WebServer::new(support::address(), app)?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let ordered = support::post(address, "/", form, "item=pen&count=3")?;
    support::expect(ordered.ends_with("pen for 6"), "a form is a struct", &ordered)?;
    let wrong = support::post(address, "/", form, "item=pen&count=many")?;
    support::expect(
        wrong.ends_with("the form's `count`: invalid digit found in string\n"),
        "its faults are named",
        &wrong,
    )?;
    let json = "Content-Type: application/json\r\n";
    let ordered = support::post(address, "/api", json, r#"{"item":"pen","count":3}"#)?;
    support::expect(ordered.ends_with(r#"{"item":"pen","price":6}"#), "so is JSON", &ordered)?;
    let wrong = support::post(address, "/api", json, r#"{"item":"inkwell","count":1}"#)?;
    support::expect(wrong.starts_with("HTTP/1.1 404 "), "an Error is an answer", &wrong)?;
    Ok("21_forms_and_json: one struct from a form and from JSON, wrong fields are named")
}
