use http::HeaderMap;

use crate::Nonce;

/// The header that carries a fresh nonce (RFC 8555 §6.5.1).
pub const REPLAY_NONCE: http::HeaderName = http::HeaderName::from_static("replay-nonce");

/// The response's nonce. Of several, the first that is one; RFC 8555 §6.5.1: "Clients MUST ignore
/// invalid Replay-Nonce values."
pub fn replay_nonce(headers: &HeaderMap) -> Option<Nonce> {
    let values = headers
        .get_all(REPLAY_NONCE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .find_map(|text| Nonce::parse(text.trim()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_nonces_are_ignored() {
        let check = |values: &[&str], nonce: Option<&str>| {
            let values = values
                .iter()
                .map(|value| (REPLAY_NONCE, value.parse().unwrap()));
            let found = replay_nonce(&values.collect());
            assert_eq!(found.as_ref().map(Nonce::as_str), nonce);
        };
        check(&[], None);
        check(&["oFvnlFP1wIhRlYS2jTaXbA"], Some("oFvnlFP1wIhRlYS2jTaXbA"));
        check(&["bad=", "good"], Some("good"));
        check(&["one, two"], Some("one"));
        check(&[""], None);
    }
}
