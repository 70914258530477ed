//! What is said of a request is true: not sent, answered, or not known.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use acme_client::clock;
use acme_client::http::{HttpClient, Lost, Sent, Trust, TrustError, Unsent};
use acme_client_core::Fetch;
use acme_testkit::authority::{Authority, Entity};
use acme_testkit::site::Page;
use acme_testkit::tls::{Fault, Tls};
use acme_types::pem;

fn fetch(url: &str, patience: Duration) -> Fetch {
    let request = http::Request::post(url)
        .header("x-test", "1")
        .body(b"body".to_vec());
    let deadline = clock::now().after(patience);
    Fetch {
        request: request.expect("a request"),
        response_max: 64,
        deadline,
    }
}

async fn send(client: &HttpClient, url: &str) -> Sent {
    client
        .send(fetch(url, Duration::from_secs(10)), clock::now())
        .await
}

/// A server that treats each connection this way; how many there were is counted.
fn serve(each: impl Fn(TcpStream) + Send + Sync + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/path?query",
        listener.local_addr().expect("bound")
    );
    let count = Arc::new(AtomicUsize::new(0));
    let (counted, each) = (Arc::clone(&count), Arc::new(each));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let each = Arc::clone(&each);
            std::thread::spawn(move || each(stream));
        }
    });
    (url, count)
}

/// Reads one request of four bytes of body; none if the connection ended.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\nbody") {
        stream.read_exact(&mut byte).ok()?;
        text.push(byte[0]);
    }
    String::from_utf8(text).ok()
}

fn answering(answer: &'static str) -> impl Fn(TcpStream) + Send + Sync + 'static {
    move |mut stream| {
        while read_request(&mut stream).is_some() {
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn plain() -> HttpClient {
    HttpClient::new(Trust::none())
}

#[tokio::test]
async fn a_request_is_sent_in_origin_form_to_a_connection_that_is_used_again() {
    let (url, count) = serve(|mut stream| {
        while let Some(request) = read_request(&mut stream) {
            let body = request.replace("\r\n", "|");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    let client = plain();
    for _ in 0..3 {
        let mut fetch = fetch(&url, Duration::from_secs(10));
        fetch.response_max = 1_000;
        let Sent::Response(response) = client.send(fetch, clock::now()).await else {
            panic!("no response")
        };
        let text = String::from_utf8(response.into_body())
            .expect("text")
            .to_ascii_lowercase();
        assert!(text.starts_with("post /path?query http/1.1|"), "{text}");
        assert!(
            text.contains("|x-test: 1|") && text.contains("|host: 127.0.0.1:"),
            "{text}"
        );
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_no_lost_request() {
    let (url, count) = serve(|mut stream| {
        // One answer, and the connection is closed without a word about it.
        if read_request(&mut stream).is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let client = plain();
    for _ in 0..5 {
        assert!(matches!(send(&client, &url).await, Sent::Response(_)));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_others() {
    let (url, count) = serve(answering(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ));
    let Sent::Response(response) = send(&plain(), &url).await else {
        panic!("no response")
    };
    assert_eq!(response.status(), 302);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn not_a_byte_was_sent_if_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let sent = send(&plain(), &format!("http://{address}/")).await;
    assert!(
        matches!(&sent, Sent::NotSent(Unsent::Connect(to, _)) if *to == address),
        "{sent:?}"
    );
    let sent = send(&plain(), "http://name.invalid/").await;
    assert!(
        matches!(sent, Sent::NotSent(Unsent::Lookup(_) | Unsent::NoAddress)),
        "{sent:?}"
    );
    let sent = send(&plain(), "ftp://127.0.0.1/").await;
    assert!(matches!(sent, Sent::NotSent(Unsent::BadUrl)), "{sent:?}");
}

#[tokio::test]
async fn what_became_of_a_request_without_a_whole_answer_is_not_known() {
    let check = async |each: Box<dyn Fn(TcpStream) + Send + Sync>, what: &str| {
        let (url, count) = serve(each);
        let fetch = fetch(&url, Duration::from_millis(500));
        let sent = plain().send(fetch, clock::now()).await;
        assert!(matches!(sent, Sent::Unknown(_)), "{what}: {sent:?}");
        assert_eq!(count.load(Ordering::SeqCst), 1, "{what}: sent once");
        sent
    };
    check(
        Box::new(|mut stream| drop(read_request(&mut stream))),
        "hangs up",
    )
    .await;
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf";
    let cut = move |mut stream: TcpStream| {
        read_request(&mut stream);
        let _ = stream.write_all(cut.as_bytes());
    };
    check(Box::new(cut), "cut short").await;
    check(Box::new(answering("HTTP/9.9 what\r\n\r\n")), "nonsense").await;
    let silent = |mut stream: TcpStream| {
        read_request(&mut stream);
        std::thread::sleep(Duration::from_secs(5));
    };
    let sent = check(Box::new(silent), "silent").await;
    assert!(matches!(sent, Sent::Unknown(Lost::Time)));
}

#[tokio::test]
async fn a_response_beyond_the_limit_is_not_read() {
    let lengthy = "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n\
        12345678901234567890123456789012345678901234567890123456789012345";
    let (url, _) = serve(answering(lengthy));
    assert!(matches!(send(&plain(), &url).await, Sent::TooLarge));
    let (url, _) = serve(|mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream.write_all(b"a\r\n0123456789\r\n").is_ok() {}
    });
    assert!(matches!(send(&plain(), &url).await, Sent::TooLarge));
}

#[tokio::test]
async fn only_servers_with_a_trusted_certificate_hear_a_request() {
    let root = Authority::root("a root");
    let server = Entity::new(&["ca.example"]);
    let tls = Tls::start("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("started");
    tls.set_certificate(&root.issue_chain(&server), &server.key().to_pkcs8_der())
        .expect("fits");
    tls.site().set("/dir", Page::text("hello"));
    let url = format!("https://ca.example:{}/dir", tls.address().port());
    let root = pem::chain_from_der(&[root.certificate().to_vec()]);
    let trusting = Trust::none().with_pem(root.as_bytes()).expect("a root");

    let at = |client: HttpClient, host: &str| client.with_address(host, tls.address());
    let sent = send(&at(HttpClient::new(trusting.clone()), "ca.example"), &url).await;
    assert!(
        matches!(&sent, Sent::Response(response) if response.status() == 200),
        "{sent:?}"
    );

    let sent = send(&at(plain(), "ca.example"), &url).await;
    assert!(matches!(sent, Sent::NotSent(Unsent::Tls(_))), "{sent:?}");
    let other = url.replace("ca.example", "other.example");
    let sent = send(
        &at(HttpClient::new(trusting.clone()), "other.example"),
        &other,
    )
    .await;
    assert!(matches!(sent, Sent::NotSent(Unsent::Tls(_))), "{sent:?}");
    assert_eq!(tls.site().count("/dir"), 1);

    tls.fault(None, Fault::Silence);
    let client = at(HttpClient::new(trusting), "ca.example");
    let sent = client
        .send(fetch(&url, Duration::from_millis(300)), clock::now())
        .await;
    assert!(matches!(sent, Sent::NotSent(Unsent::Time)), "{sent:?}");
}

#[test]
fn a_file_of_roots_holds_certificates_and_nothing_else() {
    let trust = |text: &str| Trust::none().with_pem(text.as_bytes()).map(|_| ());
    assert_eq!(trust(""), Err(TrustError::Pem));
    assert_eq!(trust("not PEM"), Err(TrustError::Pem));
    let junk = pem::chain_from_der(&[vec![0x30, 0x00]]);
    assert_eq!(trust(&junk), Err(TrustError::Certificate(1)));
}

#[test]
fn a_url_may_name_an_address() {
    let address: SocketAddr = "[::1]:443".parse().expect("an address");
    // Only that it is built: no IPv6 is needed for this.
    let client = plain().with_address("[::1]", address);
    assert!(format!("{client:?}").starts_with("HttpClient"));
}
