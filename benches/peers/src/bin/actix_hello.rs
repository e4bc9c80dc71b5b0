//! The same with actix-web, one worker.

use actix_web::web::{Payload, get, post};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::StreamExt;

async fn hello(request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(format!("hello, {}", peers::name(request.query_string())))
}

async fn count(mut body: Payload) -> HttpResponse {
    let mut bytes = 0;
    while let Some(Ok(piece)) = body.next().await {
        bytes += piece.len();
    }
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(format!("{bytes} bytes"))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let app = || App::new().route("/hello", get().to(hello)).route("/hello", post().to(count));
    HttpServer::new(app).workers(1).bind(("127.0.0.1", peers::port()))?.run().await
}
