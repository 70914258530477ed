use std::fmt;

use http::HeaderMap;
use http::header::LINK;

use crate::{Url, UrlError};

/// The most links of a response that are read: RFC 8555 knows six relations, and chains have few
/// alternates.
pub const LINKS_MAX: usize = 32;

/// A link of a response (RFC 8288): a target and what it is to the resource. A link with several
/// relation types is read as several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The URI reference as written.
    pub target: String,
    /// The relation type in lower case, as `index`, `up`, `alternate`, `terms-of-service`.
    pub relation: String,
}

impl Link {
    /// A link to write.
    pub fn new(target: impl Into<String>, relation: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            relation: relation.into(),
        }
    }

    /// All links of a response, at most [`LINKS_MAX`].
    pub fn from_headers(headers: &HeaderMap) -> Vec<Self> {
        let values = headers
            .get_all(LINK)
            .iter()
            .filter_map(|value| value.to_str().ok());
        values.flat_map(parse_links).take(LINKS_MAX).collect()
    }

    /// Where the link points, seen from the URL of the request.
    ///
    /// # Errors
    /// The target isn't an absolute or relative web URL.
    pub fn resolve(&self, request: &Url) -> Result<Url, UrlError> {
        request.join(&self.target)
    }
}

/// As the header's value: `<https://example.com/acme/directory>;rel="index"`.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>;rel=\"{}\"", self.target, self.relation)
    }
}

/// Reads one `Link` header's value (RFC 8288 §3), at most [`LINKS_MAX`] links of it.
///
/// Links without a relation are left out, and so is what isn't a link. Linear in the length.
pub fn parse_links(value: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut rest = value;
    while links.len() < LINKS_MAX {
        let Some((_, after)) = rest.split_once('<') else {
            break;
        };
        let Some((target, after)) = after.split_once('>') else {
            break;
        };
        let (relations, after) = parameters(after);
        for relation in relations.split_ascii_whitespace() {
            links.push(Link::new(target, relation.to_ascii_lowercase()));
        }
        rest = after;
    }
    links.truncate(LINKS_MAX);
    links
}

/// Reads parameters until the comma that ends the link: the value of the first `rel`, and what
/// follows. RFC 8288 §3.3: "The rel parameter MUST NOT appear more than once in a given
/// link-value; occurrences after the first MUST be ignored by parsers."
fn parameters(text: &str) -> (String, &str) {
    let mut relations: Option<String> = None;
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix(';') {
        let end = after.find([';', ',', '=']).unwrap_or(after.len());
        let (name, after) = after.split_at_checked(end).unwrap_or((after, ""));
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => parameter_value(after.trim_start()),
            None => (String::new(), after),
        };
        if name.trim().eq_ignore_ascii_case("rel") {
            relations.get_or_insert(value);
        }
        rest = after.trim_start();
    }
    (relations.unwrap_or_default(), rest)
}

/// A token or a quoted string (RFC 9110 §5.6.4), and what follows.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        let (value, after) = text.split_at_checked(end).unwrap_or((text, ""));
        return (value.trim().to_owned(), after);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_in_all_their_shapes() {
        let check = |value: &str, links: &[(&str, &str)]| {
            let links: Vec<_> = links
                .iter()
                .map(|(target, rel)| Link::new(*target, *rel))
                .collect();
            assert_eq!(parse_links(value), links, "{value}");
        };
        // RFC 8555 §7.4.2 and RFC 8288 §3.5.
        check(
            r#"<https://example.com/acme/directory>;rel="index""#,
            &[("https://example.com/acme/directory", "index")],
        );
        check(
            r#"<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter""#,
            &[("http://example.com/TheBook/chapter2", "previous")],
        );
        check(
            concat!(
                r#"</TheBook/chapter2>; rel="previous"; title*=UTF-8'de'letztes%20Kapitel, "#,
                r#"</TheBook/chapter4>; rel="next"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel"#,
            ),
            &[
                ("/TheBook/chapter2", "previous"),
                ("/TheBook/chapter4", "next"),
            ],
        );
        check(
            r#"<http://example.org/>; rel="start http://example.net/relation/other""#,
            &[
                ("http://example.org/", "start"),
                ("http://example.org/", "http://example.net/relation/other"),
            ],
        );
        check(
            "<a>;rel=alternate,<b> ; REL = Alternate",
            &[("a", "alternate"), ("b", "alternate")],
        );
        check(r#"<a>;title="x, <y>;rel=z";rel=up"#, &[("a", "up")]);
        check(r#"<a>;title="\"";rel=up;rel=down"#, &[("a", "up")]);
        check("<a,b;c>;rel=up", &[("a,b;c", "up")]);
        check("<a>;crossorigin;rel=up", &[("a", "up")]);
        for nothing in [
            "",
            "<a>",
            "<a",
            "a;rel=up",
            "<a>;rel",
            "<a>;rel=\"\"",
            "<a>;",
            "\u{e4}<",
        ] {
            check(nothing, &[]);
        }
    }

    #[test]
    fn their_number_is_bounded() {
        // H223.
        assert_eq!(
            parse_links(&"<a>;rel=alternate,".repeat(10_000)).len(),
            LINKS_MAX
        );
        assert_eq!(
            parse_links(&format!("<a>;rel=\"{}\"", "x ".repeat(10_000))).len(),
            LINKS_MAX
        );
        let headers: HeaderMap =
            std::iter::repeat_n((LINK, "<a>;rel=up".parse().unwrap()), 99).collect();
        assert_eq!(Link::from_headers(&headers).len(), LINKS_MAX);
    }

    #[test]
    fn targets_are_relative_to_the_request() {
        let request = Url::parse("https://example.com/acme/cert/mAt3xBGaobw").unwrap();
        let link = Link::new("mAt3xBGaobw/1", "alternate");
        let target = link.resolve(&request).unwrap();
        assert_eq!(
            target.as_str(),
            "https://example.com/acme/cert/mAt3xBGaobw/1"
        );
        assert_eq!(link.to_string(), r#"<mAt3xBGaobw/1>;rel="alternate""#);
    }
}
