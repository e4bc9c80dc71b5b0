//! What is counted, and what cannot be made to be counted apart.

use std::io::Read;

use qibu::testing::TestClient;
use qibu::{HandlerExt, Metrics, Request, Response, Router, StatusCode, WebServer, blocking};

fn app(metrics: &Metrics) -> Router {
    Router::new()
        .get("/users/{id}", |_| "a user")
        .post("/users", |_| Response::new(StatusCode::CREATED))
        .route("GET /later", |request: &mut Request| {
            let (reply, pending) = request.later();
            std::thread::spawn(move || reply.send(StatusCode::IM_A_TEAPOT));
            pending
        })
        .route("GET /pool", blocking(|_: &mut Request| "from the pool"))
        .route("GET /metrics", metrics.page())
}

fn line(page: &str, beginning: &str) -> Option<String> {
    page.lines().find_map(|line| line.strip_prefix(beginning)).map(|rest| rest.trim().to_owned())
}

#[test]
fn answers_are_counted_by_method_route_and_status() {
    let metrics = Metrics::new();
    let client = TestClient::new(app(&metrics).with(metrics.clone()));
    for path in ["/users/1", "/users/2", "/users/%22", "/later", "/pool"] {
        client.get(path).send();
    }
    client.post("/users").send();
    client.get("/nowhere").send();
    let page = client.get("/metrics").send();
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for (labels, count) in [
        (r#"{method="GET",route="/users/{id}",status="200"}"#, "3"),
        (r#"{method="POST",route="/users",status="201"}"#, "1"),
        (r#"{method="GET",route="/later",status="418"}"#, "1"),
        (r#"{method="GET",route="/pool",status="200"}"#, "1"),
        (r#"{method="GET",route="",status="404"}"#, "1"),
    ] {
        assert_eq!(line(page.text(), &format!("qibu_http_requests_total{labels}")).as_deref(), Some(count), "{labels}");
    }
}

#[test]
fn times_are_a_histogram_whose_last_bound_has_all() {
    let metrics = Metrics::new();
    let client = TestClient::new(app(&metrics).with(metrics.clone()));
    (0..5).for_each(|_| drop(client.get("/users/1").send()));
    let page = client.get("/metrics").send();
    let buckets: Vec<u64> = page
        .text()
        .lines()
        .filter(|line| line.starts_with(r#"qibu_http_request_duration_seconds_bucket{route="/users/{id}""#))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect();
    assert!(buckets.len() == 14 && buckets.is_sorted() && buckets[13] == 5, "{buckets:?}");
    assert!(page.text().contains(r#"le="0.001"} "#) && page.text().contains(r#"le="10"} "#));
    assert_eq!(
        line(page.text(), r#"qibu_http_request_duration_seconds_count{route="/users/{id}"}"#).as_deref(),
        Some("5")
    );
}

#[test]
fn a_client_cannot_make_up_labels() {
    let metrics = Metrics::new();
    let client = TestClient::new(app(&metrics).with(metrics.clone()));
    for number in 0..200 {
        client.get(&format!("/made/up/{number}")).send();
        client.request(&format!("MADE{number}"), "/users/1").send();
    }
    let page = client.get("/metrics").send();
    assert!(!page.text().contains("made") && !page.text().contains("MADE"));
    assert_eq!(
        line(page.text(), r#"qibu_http_requests_total{method="GET",route="",status="404"}"#).as_deref(),
        Some("200")
    );
    assert!(page.text().lines().count() < 80, "{}", page.text());
}

#[test]
fn every_line_is_one_that_prometheus_reads() {
    let metrics = Metrics::new();
    metrics.gauge("qibu_answer", "Of \"everything\".", || 42.5);
    metrics.counter("qibu_visits_total", "Visits.", || 7.0);
    let client = TestClient::new(app(&metrics).with(metrics.clone()));
    client.get("/users/1").send();
    let page = client.get("/metrics").send();
    for line in page.text().lines() {
        if line.starts_with("# HELP ") || line.starts_with("# TYPE ") {
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let name = name.split_once('{').map_or(name, |(name, labels)| {
            assert!(labels.ends_with("\"}"), "{line}");
            name
        });
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{line}");
    }
    assert_eq!(line(page.text(), "qibu_answer").as_deref(), Some("42.5"));
    assert_eq!(line(page.text(), "# TYPE qibu_visits_total").as_deref(), Some("counter"));
}

#[test]
fn the_server_reports_what_no_handler_sees() {
    let metrics = Metrics::new();
    let server = WebServer::new("127.0.0.1:0", app(&metrics).with(metrics.clone())).unwrap();
    server.handle().report_to(&metrics);
    let server = server.spawn().unwrap();
    let ask = |text: &str| {
        let mut stream = std::net::TcpStream::connect(server.local_addr()).unwrap();
        std::io::Write::write_all(&mut stream, text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let page = ask("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(line(&page, r#"qibu_answers_total{class="4xx"}"#).as_deref(), Some("1"));
    assert_eq!(line(&page, "qibu_accepted_total").as_deref(), Some("2"));
    assert_eq!(page.matches("# TYPE qibu_answers_total counter").count(), 1);
    assert!(line(&page, "qibu_sent_bytes_total").unwrap().parse::<u64>().unwrap() > 0);
}
