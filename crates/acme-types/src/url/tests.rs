use super::*;

#[test]
fn parts_are_found_and_the_text_is_kept() {
    let check = |text: &str, parts: (&str, &str, u16, &str, &str)| {
        let url = Url::parse(text).expect(text);
        let found = (
            url.scheme(),
            url.host(),
            url.port(),
            url.authority(),
            url.path(),
        );
        assert_eq!((url.as_str(), found), (text, parts));
    };
    check(
        "https://example.com",
        ("https", "example.com", 443, "example.com", "/"),
    );
    check(
        "http://a:14000/dir?x=/y",
        ("http", "a", 14000, "a:14000", "/dir"),
    );
    check(
        "HTTPS://Example.COM:443/A%2fb/",
        ("https", "Example.COM", 443, "Example.COM:443", "/A%2fb/"),
    );
    check(
        "http://[2001:db8::1]:80/",
        ("http", "2001:db8::1", 80, "[2001:db8::1]:80", "/"),
    );
    check(
        "http://192.0.2.1?q",
        ("http", "192.0.2.1", 80, "192.0.2.1", "/"),
    );
    check(
        "http://my_host./",
        ("http", "my_host.", 80, "my_host.", "/"),
    );
    assert_eq!(Url::parse("http://a?q").unwrap().path_and_query(), "/?q");
    assert_eq!(Url::parse("http://a/b?q").unwrap().path_and_query(), "/b?q");
    assert_eq!(Url::parse("http://a/b?q").unwrap().query(), Some("q"));
}

#[test]
fn what_is_not_a_plain_web_url_is_refused() {
    let check = |text: &str, error: UrlError| {
        assert_eq!(Url::parse(text), Err(error), "{text}");
    };
    check("", UrlError::Scheme);
    check("/acme/new-order", UrlError::Scheme);
    check("ftp://example.com/", UrlError::Scheme);
    check("file:///etc/passwd", UrlError::Scheme);
    check("javascript:alert(1)", UrlError::Scheme);
    check("https:/example.com", UrlError::Scheme);
    check("https://", UrlError::Host);
    check("https:///path", UrlError::Host);
    check("https://a..b/", UrlError::Host);
    check("https://0x7f.1/", UrlError::Host);
    check("https://2130706433/", UrlError::Host);
    check("https://127.1/", UrlError::Host);
    check("https://127.0.0.01/", UrlError::Host);
    check("https://[::1/", UrlError::Host);
    check("https://[fe80::1%25eth0]/", UrlError::Host);
    check("https://[::1]x/", UrlError::Host);
    check("https://ex%61mple.com/", UrlError::Host);
    check("https://user@example.com/", UrlError::UserInformation);
    check("https://user:pw@example.com/", UrlError::UserInformation);
    check("https://example.com/#x", UrlError::Fragment);
    check("https://example.com:/", UrlError::Port);
    check("https://example.com:0/", UrlError::Port);
    check("https://example.com:65536/", UrlError::Port);
    check("https://example.com:+1/", UrlError::Port);
    check(
        "https://example.com/a b",
        UrlError::Character { position: 21 },
    );
    check(
        "https://example.com\r\n",
        UrlError::Character { position: 19 },
    );
    check(
        "https://example.com\\@evil/",
        UrlError::Character { position: 19 },
    );
    check(
        "https://example.com/%2",
        UrlError::Character { position: 20 },
    );
    check(
        "https://ex\u{e4}mple.com/",
        UrlError::Character { position: 10 },
    );
    check(
        &format!("https://a/{}", "x".repeat(URL_LEN_MAX)),
        UrlError::TooLong,
    );
}

#[test]
fn rfc_3986_references_resolve() {
    // RFC 3986 §5.4, with the base's path; references with another scheme or a fragment are not
    // URLs of ours.
    let base = Url::parse("http://a/b/c/d;p?q").unwrap();
    let check = |reference: &str, target: &str| {
        assert_eq!(
            base.join(reference).as_ref().map(Url::as_str),
            Ok(target),
            "{reference}"
        );
    };
    check("g", "http://a/b/c/g");
    check("./g", "http://a/b/c/g");
    check("g/", "http://a/b/c/g/");
    check("/g", "http://a/g");
    check("//g", "http://g");
    check("?y", "http://a/b/c/d;p?y");
    check("g?y", "http://a/b/c/g?y");
    check(";x", "http://a/b/c/;x");
    check("", "http://a/b/c/d;p?q");
    check(".", "http://a/b/c/");
    check("./", "http://a/b/c/");
    check("..", "http://a/b/");
    check("../", "http://a/b/");
    check("../g", "http://a/b/g");
    check("../..", "http://a/");
    check("../../g", "http://a/g");
    check("../../../../g", "http://a/g");
    check("/./g", "http://a/g");
    check("/../g", "http://a/g");
    check("g.", "http://a/b/c/g.");
    check("..g", "http://a/b/c/..g");
    check("./g/.", "http://a/b/c/g/");
    check("g/../h", "http://a/b/c/h");
    check("g;x=1/../y", "http://a/b/c/y");
    check("g?y/../x", "http://a/b/c/g?y/../x");
    check("https://b/x", "https://b/x");
    assert_eq!(base.join("#s"), Err(UrlError::Fragment));
    assert_eq!(base.join("g#s"), Err(UrlError::Fragment));
    assert_eq!(base.join("gopher:x"), Err(UrlError::Scheme));
}

#[test]
fn origins_ignore_case_and_the_default_port() {
    let origin = |text: &str| Url::parse(text).unwrap().origin();
    assert_eq!(
        origin("https://A.example/x"),
        origin("HTTPS://a.EXAMPLE:443")
    );
    assert_ne!(
        origin("https://a.example/"),
        origin("http://a.example:443/")
    );
    assert_ne!(
        origin("https://a.example/"),
        origin("https://a.example:8443/")
    );
    assert_eq!(origin("http://[::1]/").to_string(), "http://[::1]:80");
}

#[test]
fn serialises_as_its_text() {
    let url: Url = serde_json::from_str("\"https://a/b\"").unwrap();
    assert_eq!(serde_json::to_string(&url).unwrap(), "\"https://a/b\"");
    assert!(serde_json::from_str::<Url>("\"b\"").is_err());
}
