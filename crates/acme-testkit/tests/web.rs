//! The web target, asked by hyper's client.

mod common;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use acme_testkit::site::{Page, Site, Visit};
use acme_testkit::web::Web;
use common::{LOCALHOST, connect, exchange, get};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;

const PATH: &str = "/.well-known/acme-challenge/token";

async fn start() -> Web {
    Web::start("127.0.0.1:0".parse().unwrap()).await.unwrap()
}

/// Status, location and body of the answer to this source.
async fn ask(web: &Web, source: IpAddr, path: &str) -> (u16, String, String) {
    let stream = connect(source, web.address()).await;
    let response = exchange(stream, get(path)).await.unwrap();
    let location = response
        .headers()
        .get("location")
        .map(|value| value.to_str().unwrap());
    let location = location.unwrap_or_default().to_owned();
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    (response.status().as_u16(), location, body)
}

#[tokio::test]
async fn pages_are_set_and_removed_at_run_time() {
    let web = start().await;
    let answer = |status, location: &str, body: &str| (status, location.into(), body.into());
    assert_eq!(ask(&web, LOCALHOST, PATH).await.0, 404);
    web.set(PATH, "token.thumbprint");
    assert_eq!(
        ask(&web, LOCALHOST, PATH).await,
        answer(200, "", "token.thumbprint")
    );
    web.set(PATH, Page::text("wrong").status(403));
    assert_eq!(ask(&web, LOCALHOST, PATH).await, answer(403, "", "wrong"));
    web.set(PATH, Page::redirect(302, "http://127.0.0.1:1/x?y"));
    assert_eq!(
        ask(&web, LOCALHOST, PATH).await,
        answer(302, "http://127.0.0.1:1/x?y", "")
    );
    assert!(web.site().remove(PATH));
    assert!(!web.site().remove(PATH));
    assert_eq!(ask(&web, LOCALHOST, PATH).await.0, 404);
}

#[tokio::test]
async fn visits_tell_who_came_and_with_what() {
    let web = start().await;
    web.set(PATH, "good");
    let liar = IpAddr::from([127, 0, 0, 4]);
    web.site().set_for(liar, PATH, "bad");
    let sources: Vec<IpAddr> = (2..=6).map(|last| [127, 0, 0, last].into()).collect();
    for source in &sources {
        let expected = if *source == liar { "bad" } else { "good" };
        assert_eq!(ask(&web, *source, PATH).await.2, expected);
    }
    assert_eq!(web.site().sources(PATH), sources.into_iter().collect());
    assert_eq!(web.site().count(PATH), 5);
    let first = web.site().visits().remove(0);
    let expected = Visit {
        source: first.source,
        encrypted: false,
        method: "GET".into(),
        host: Some("example.com".into()),
        path: PATH.into(),
        user_agent: Some("a test".into()),
    };
    assert_eq!(first, expected);
    web.site().forget_visits();
    assert_eq!(web.site().visits(), []);
}

#[tokio::test]
async fn answers_can_be_late_slow_endless_or_missing() {
    let web = start().await;
    let pause = Duration::from_millis(30);
    web.set("/late", Page::text("late").delay(pause));
    web.set("/slow", Page::text("slow").drip(1, pause));
    web.set("/gone", Page::hang_up());
    web.set("/endless", Page::endless());
    let before = Instant::now();
    assert_eq!(ask(&web, LOCALHOST, "/late").await.2, "late");
    assert!(before.elapsed() >= pause);
    let before = Instant::now();
    assert_eq!(ask(&web, LOCALHOST, "/slow").await.2, "slow");
    assert!(before.elapsed() >= pause * 4);
    let stream = connect(LOCALHOST, web.address()).await;
    assert!(exchange(stream, get("/gone")).await.is_err());
    // Of the endless body a client reads as much as it likes.
    let stream = TokioIo::new(connect(LOCALHOST, web.address()).await);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    let _driver = tokio::spawn(connection);
    let mut body = sender
        .send_request(get("/endless"))
        .await
        .unwrap()
        .into_body();
    let mut len = 0;
    while len < 1_000_000 {
        len += body
            .frame()
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap()
            .len();
    }
}

#[tokio::test]
async fn one_site_is_served_at_two_addresses() {
    let site = Site::new();
    let one = Web::start_with("127.0.0.8:0".parse().unwrap(), site.clone())
        .await
        .unwrap();
    let two = Web::start_with("127.0.0.9:0".parse().unwrap(), site.clone())
        .await
        .unwrap();
    site.set(PATH, "same");
    assert_eq!(ask(&one, LOCALHOST, PATH).await.2, "same");
    assert_eq!(ask(&two, LOCALHOST, PATH).await.2, "same");
    assert_eq!(site.count(PATH), 2);
}

#[tokio::test]
async fn a_dropped_server_takes_its_connections_with_it() {
    let web = start().await;
    web.set("/never", Page::text("").delay(Duration::from_secs(3600)));
    let stream = connect(LOCALHOST, web.address()).await;
    let waiting = tokio::spawn(exchange(stream, get("/never")));
    while web.site().count("/never") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(web);
    let ended = tokio::time::timeout(Duration::from_secs(5), waiting).await;
    assert!(ended.expect("the connection ended").unwrap().is_err());
}
