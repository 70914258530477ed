//! What the fuzz targets do with their input, as plain functions: `cargo fuzz` calls them with
//! what it makes up, `cargo test` with the corpora that are kept in `fuzz/corpus`.
//!
//! A body must not panic, whatever it is given, and says what holds for everything a reader
//! accepts. [`TARGETS`] lists every parser of bytes that come from outside; a test compares it
//! with the corpora and with the programs of `cargo fuzz`.

mod authority;
mod client;
mod crypto;
mod exchange;
mod json;
mod text;

pub use authority::{caa, correspond, crl, row, sct};
pub use client::{chain, client, snapshot};
pub use crypto::{csr, ecdsa_der, external_account, jwk, jws, key_change, spki};
pub use exchange::exchange;
pub use json::{json_strict, json_tolerant};
pub use text::{base64url, dns_name, link, pem, retry_after, url};

/// A body: it panics if what it checks does not hold.
pub type Body = fn(&[u8]);

/// Every body, by the name of its target.
pub const TARGETS: &[(&str, Body)] = &[
    ("base64url", base64url),
    ("caa", caa),
    ("chain", chain),
    ("client", client),
    ("correspond", correspond),
    ("crl", crl),
    ("csr", csr),
    ("dns_name", dns_name),
    ("ecdsa_der", ecdsa_der),
    ("exchange", exchange),
    ("external_account", external_account),
    ("json_strict", json_strict),
    ("json_tolerant", json_tolerant),
    ("jwk", jwk),
    ("jws", jws),
    ("key_change", key_change),
    ("link", link),
    ("pem", pem),
    ("retry_after", retry_after),
    ("row", row),
    ("sct", sct),
    ("snapshot", snapshot),
    ("spki", spki),
    ("url", url),
];

/// The input as text, or nothing for what isn't UTF-8.
fn text_of(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The input in two parts, at the first line feed.
fn two_lines(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// The input in two parts, the length of the first in two bytes before it.
fn two_parts(data: &[u8]) -> (&[u8], &[u8]) {
    match data {
        [high, low, rest @ ..] => {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            rest.split_at_checked(len).unwrap_or((rest, &[]))
        }
        _ => (data, &[]),
    }
}
