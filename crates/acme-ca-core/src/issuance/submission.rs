//! How a precertificate is sent to a log, and what comes back (RFC 6962 §4.2).

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};

use super::sct::Sct;
use crate::job::LogId;

/// The longest reply that is read: an SCT takes some 500 bytes in it.
pub const REPLY_LEN_MAX: usize = 8_192;

/// What a log answered that is no SCT.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the log's reply is not an SCT")]
pub(crate) struct NoSct;

#[derive(Serialize)]
struct Request {
    chain: Vec<String>,
}

#[derive(Deserialize)]
struct Reply {
    sct_version: u8,
    id: String,
    timestamp: u64,
    extensions: String,
    signature: String,
}

/// The body of add-pre-chain: "The first element is the end-entity certificate; the second chains
/// to the first and so on to the last, which is either the root certificate or a certificate that
/// chains to a known root certificate" (RFC 6962 §4.1).
pub(crate) fn request(precertificate: &[u8], chain: &[Vec<u8>]) -> Vec<u8> {
    let all = std::iter::once(precertificate).chain(chain.iter().map(Vec::as_slice));
    let request = Request {
        chain: all.map(Base64::encode_string).collect(),
    };
    // Strings always serialise.
    serde_json::to_vec(&request).unwrap_or_default()
}

/// The SCT in a reply. Unknown members are let pass: logs may add some.
pub(crate) fn reply(status: u16, body: &[u8]) -> Result<Sct, NoSct> {
    if status != 200 || body.len() > REPLY_LEN_MAX {
        return Err(NoSct);
    }
    let reply: Reply = serde_json::from_slice(body).map_err(|_| NoSct)?;
    if reply.sct_version != 0 {
        return Err(NoSct);
    }
    let bytes = |text: &str| Base64::decode_vec(text).map_err(|_| NoSct);
    let log = LogId(bytes(&reply.id)?.try_into().map_err(|_| NoSct)?);
    let (extensions, signed) = (bytes(&reply.extensions)?, bytes(&reply.signature)?);
    Sct::from_parts(log, reply.timestamp, extensions, &signed).map_err(|_| NoSct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_goes_out_as_padded_base64() {
        let body = request(&[1, 2, 3, 4], &[vec![5], vec![6, 7, 8]]);
        assert_eq!(body, br#"{"chain":["AQIDBA==","BQ==","BgcI"]}"#);
    }

    #[test]
    fn only_a_whole_sct_is_one() {
        let id = Base64::encode_string(&[7; 32]);
        let good = format!(
            r#"{{"sct_version":0,"id":"{id}","timestamp":5,"extensions":"",
                "signature":"BAMAAQk=","new":1}}"#
        );
        let sct = reply(200, good.as_bytes()).unwrap();
        assert_eq!(
            (sct.log(), sct.timestamp().as_millis()),
            (LogId([7; 32]), 5)
        );
        assert_eq!(Sct::parse(&sct.encode().unwrap()), Ok(sct));
        let check = |status: u16, from: &str, to: &str| {
            let body = good.replacen(from, to, 1);
            assert!(status != 200 || body != good, "{from}");
            assert_eq!(reply(status, body.as_bytes()), Err(NoSct), "{from} {to}");
        };
        check(429, "x", "x");
        check(200, r#""sct_version":0"#, r#""sct_version":1"#);
        check(200, r#""timestamp":5"#, r#""timestamp":-5"#);
        check(200, r#""timestamp":5"#, r#""timestamp":5,"timestamp":6"#);
        check(200, &id, "AAAA");
        check(200, "BAMAAQk=", "BAMAAQk");
        check(200, "BAMAAQk=", "BAMAAgk=");
        check(200, "BAMAAQk=", "BAMAAA==");
        check(200, r#""extensions":"","#, "");
        check(200, "{", "<html>");
        let padding = " ".repeat(REPLY_LEN_MAX);
        check(200, "{", &format!("{{{padding}"));
    }
}
