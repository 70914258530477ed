use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest URL accepted, in bytes. Longer ones are in no ACME server's use, and RFC 9110 §4.1
/// asks for support of at least 8,000 only of general HTTP software.
pub const URL_LEN_MAX: usize = 2_048;
/// The longest host name (RFC 1035 §2.3.4).
const HOST_LEN_MAX: usize = 253;

/// An absolute `http` or `https` URL (RFC 3986, RFC 9110 §4.2), checked once, its text kept.
///
/// The text is never normalised, because ACME compares URLs byte by byte (RFC 8555 §6.4). There
/// is no user information, no fragment, no control character, no character that RFC 3986 doesn't
/// know, no host that looks like a number without being an IPv4 address, no port 0.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Url {
    text: String,
    parts: Parts,
}

/// Where the parts lie in the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    https: bool,
    /// Host and port as written.
    authority: (usize, usize),
    /// Without the brackets of an IPv6 address.
    host: (usize, usize),
    port: u16,
    query: usize,
}

/// Scheme, host and port: what decides whether two URLs belong to one server (RFC 6454).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Origin {
    https: bool,
    host: String,
    port: u16,
}

/// Why a text isn't a [`Url`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// More than [`URL_LEN_MAX`] bytes.
    #[error("the URL is longer than {URL_LEN_MAX} bytes")]
    TooLong,
    /// Relative, or of a scheme other than `http` and `https`.
    #[error("the URL is not an absolute http or https URL")]
    Scheme,
    /// A character that may not stand in a URL, or a bad percent escape.
    #[error("the URL has a forbidden character at byte {position}")]
    Character {
        /// Which byte.
        position: usize,
    },
    /// `user@` before the host.
    #[error("the URL has user information")]
    UserInformation,
    /// `#` and what follows.
    #[error("the URL has a fragment")]
    Fragment,
    /// The host is empty, too long, or neither a name nor an IP address.
    #[error("the URL's host is not a name or an IP address")]
    Host,
    /// The port is empty, zero, or not a number of 16 bits.
    #[error("the URL's port is not a number between 1 and 65535")]
    Port,
}

impl Url {
    /// Checks a text.
    ///
    /// # Errors
    /// Whatever keeps it from being a [`Url`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::try_from(text.to_owned())
    }

    /// The text, exactly as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `"http"` or `"https"`.
    pub fn scheme(&self) -> &'static str {
        scheme(self.parts.https)
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.parts.https
    }

    /// The host as written, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.slice(self.parts.host.0..self.parts.host.1)
    }

    /// The port that is meant: the one written, or the scheme's.
    pub fn port(&self) -> u16 {
        self.parts.port
    }

    /// Host and port as written: what a `Host` header takes.
    pub fn authority(&self) -> &str {
        self.slice(self.parts.authority.0..self.parts.authority.1)
    }

    /// The path; `"/"` if none is written.
    pub fn path(&self) -> &str {
        or_root(self.slice(self.parts.authority.1..self.parts.query))
    }

    /// The query without its `?`.
    pub fn query(&self) -> Option<&str> {
        self.slice(self.parts.query..self.text.len())
            .strip_prefix('?')
    }

    /// Path and query: what a request line takes.
    pub fn path_and_query(&self) -> std::borrow::Cow<'_, str> {
        let written = self.slice(self.parts.authority.1..self.text.len());
        if written.starts_with('/') {
            written.into()
        } else {
            format!("/{written}").into()
        }
    }

    /// Scheme, host in lower case, and port.
    pub fn origin(&self) -> Origin {
        let Parts { https, port, .. } = self.parts;
        Origin {
            https,
            host: self.host().to_ascii_lowercase(),
            port,
        }
    }

    /// What `reference` means in a document that was read from here (RFC 3986 §5.2).
    ///
    /// # Errors
    /// The result isn't a [`Url`]; a reference with a fragment isn't one either.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        if reference.len() > URL_LEN_MAX {
            return Err(UrlError::TooLong);
        }
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        let scheme = self.scheme();
        if reference.starts_with("//") {
            return Self::parse(&format!("{scheme}:{reference}"));
        }
        let path_end = reference.find(['?', '#']).unwrap_or(reference.len());
        let (path, rest) = reference.split_at(path_end);
        let (path, rest) = match path {
            "" if rest.is_empty() => (self.path().to_owned(), self.slice(self.parts.query..)),
            "" if rest.starts_with('?') => (self.path().to_owned(), rest),
            "" => return Err(UrlError::Fragment),
            _ if path.starts_with('/') => (without_dot_segments(path), rest),
            _ => {
                let directory = self
                    .path()
                    .rsplit_once('/')
                    .map_or("", |(before, _)| before);
                (without_dot_segments(&format!("{directory}/{path}")), rest)
            }
        };
        Self::try_from(format!("{scheme}://{}{path}{rest}", self.authority()))
    }

    fn slice<R: std::slice::SliceIndex<str, Output = str>>(&self, range: R) -> &str {
        self.text.get(range).unwrap_or_default()
    }
}

fn scheme(https: bool) -> &'static str {
    if https { "https" } else { "http" }
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

/// Whether the reference starts with `scheme:` (RFC 3986 §3.1).
fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// RFC 3986 §5.2.4, for paths that start with a slash.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Finds the parts of a URL; refuses what isn't one.
fn parts(text: &str) -> Result<Parts, UrlError> {
    if text.len() > URL_LEN_MAX {
        return Err(UrlError::TooLong);
    }
    characters(text)?;
    let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
    let https = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => true,
        _ if scheme.eq_ignore_ascii_case("http") => false,
        _ => return Err(UrlError::Scheme),
    };
    let start = text.len().saturating_sub(rest.len());
    let end = rest
        .find(['/', '?', '#'])
        .map_or(text.len(), |at| start.saturating_add(at));
    let authority = text.get(start..end).unwrap_or_default();
    if authority.contains('@') {
        return Err(UrlError::UserInformation);
    }
    if text.contains('#') {
        return Err(UrlError::Fragment);
    }
    let (host, port) = host_and_port(authority)?;
    let port = match port {
        Some(digits) => explicit_port(digits)?,
        None if https => 443,
        None => 80,
    };
    let Range {
        start: from,
        end: to,
    } = host;
    let query = text.find('?').unwrap_or(text.len());
    let host = (start.saturating_add(from), start.saturating_add(to));
    Ok(Parts {
        https,
        authority: (start, end),
        host,
        port,
        query,
    })
}

fn characters(text: &str) -> Result<(), UrlError> {
    const FORBIDDEN: &[u8] = b"\"<>\\^`{|}";
    let bytes = text.as_bytes();
    for (position, byte) in bytes.iter().enumerate() {
        let bad = match byte {
            b'%' => {
                let digits = bytes.get(position.saturating_add(1)..position.saturating_add(3));
                !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            }
            _ => !byte.is_ascii_graphic() || FORBIDDEN.contains(byte),
        };
        if bad {
            return Err(UrlError::Character { position });
        }
    }
    Ok(())
}

/// Where the host lies in the authority, and the digits after its colon.
fn host_and_port(authority: &str) -> Result<(Range<usize>, Option<&str>), UrlError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or(UrlError::Host)?;
        Ipv6Addr::from_str(address).map_err(|_| UrlError::Host)?;
        let port = match after {
            "" => None,
            _ => Some(after.strip_prefix(':').ok_or(UrlError::Host)?),
        };
        return Ok((1..address.len().saturating_add(1), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if is_host(host) {
        Ok((0..host.len(), port))
    } else {
        Err(UrlError::Host)
    }
}

fn is_host(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let labels = || name.split('.');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if host.len() > HOST_LEN_MAX || !labels().all(is_label) {
        return false;
    }
    // `0x7f.1`, `2130706433`: many readers take them for addresses, so they must be plain ones.
    let last = labels()
        .next_back()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let hexadecimal = last.strip_prefix("0x");
    let numeric = last.bytes().all(|b| b.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    !numeric || Ipv4Addr::from_str(host).is_ok()
}

fn explicit_port(digits: &str) -> Result<u16, UrlError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(UrlError::Port);
    }
    digits
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or(UrlError::Port)
}

impl TryFrom<String> for Url {
    type Error = UrlError;

    fn try_from(text: String) -> Result<Self, UrlError> {
        let parts = parts(&text)?;
        Ok(Self { text, parts })
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl From<Url> for String {
    fn from(url: Url) -> String {
        url.text
    }
}

impl AsRef<str> for Url {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({})", self.text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { https, host, port } = self;
        let scheme = scheme(*https);
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}"),
            false => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests;
