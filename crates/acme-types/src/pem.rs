//! PEM, the textual encoding of PKIX structures (RFC 7468), as ACME needs it: certificate chains
//! (RFC 8555 §9.1) and single objects in files.

use base64ct::{Base64, Encoding};

/// The label of a certificate.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// The most bytes of PEM text that are read: a hundred times a usual chain's.
pub const PEM_LEN_MAX: usize = 512 * 1_024;
/// The most certificates of a chain: an end entity, a few intermediates, a root, cross-signed.
pub const CHAIN_LEN_MAX: usize = 16;
/// Characters of base64 in a line (RFC 7468 §2).
const LINE_LEN: usize = 64;

/// Why a text isn't the PEM that was wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// More than [`PEM_LEN_MAX`] bytes.
    #[error("the text is longer than {PEM_LEN_MAX} bytes")]
    TooLong,
    /// More than [`CHAIN_LEN_MAX`] certificates.
    #[error("there are more than {CHAIN_LEN_MAX} certificates")]
    TooMany,
    /// No object of the wanted kind.
    #[error("there is no object of the wanted kind")]
    Missing,
    /// Something other than what was wanted (RFC 8555 §11.4 forbids it in chains).
    #[error("there is an object of another kind in line {line}")]
    OtherLabel {
        /// Counted from 1.
        line: usize,
    },
    /// A BEGIN line without its END line, an END line without its BEGIN line, or a BEGIN line
    /// within an object.
    #[error("an object is not properly begun and ended in line {line}")]
    Boundary {
        /// Counted from 1.
        line: usize,
    },
    /// The content isn't base64.
    #[error("the object that ends in line {line} is not base64")]
    Base64 {
        /// Counted from 1.
        line: usize,
    },
}

/// The certificates of a chain, in their order, each in DER.
///
/// Line ends of all kinds, blank lines and text outside the objects are taken, as RFC 7468 §2
/// allows to parsers. An object that isn't a certificate is not, lest another program takes a key
/// from the file. RFC 8555 §11.4: "If anything other than a certificate is found (i.e., if the
/// string "-----BEGIN" is ever followed by anything other than "CERTIFICATE"), then the client
/// MUST reject the file as invalid."
///
/// # Errors
/// Other objects, none at all, too many, or bad encoding.
pub fn chain_to_der(text: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    read(CERTIFICATE, text, CHAIN_LEN_MAX)
}

/// A chain as RFC 8555 §9.1 wants it, for certificates in DER.
pub fn chain_from_der(chain: &[Vec<u8>]) -> String {
    chain.iter().map(|der| encode(CERTIFICATE, der)).collect()
}

/// One object as PEM, lines ending in LF.
pub fn encode(label: &str, der: &[u8]) -> String {
    let base64 = Base64::encode_string(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE_LEN).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// The one object with this label; nothing else may be there.
///
/// # Errors
/// Other objects, none at all, more than one, or bad encoding.
pub fn decode(label: &str, text: &[u8]) -> Result<Vec<u8>, PemError> {
    read(label, text, 1)?.pop().ok_or(PemError::Missing)
}

fn read(label: &str, text: &[u8], count_max: usize) -> Result<Vec<Vec<u8>>, PemError> {
    if text.len() > PEM_LEN_MAX {
        return Err(PemError::TooLong);
    }
    // Text outside the objects may be in any encoding; within them only ASCII is base64.
    let text = String::from_utf8_lossy(text);
    let mut objects = Vec::new();
    let mut open: Option<String> = None;
    let mut number = 0usize;
    for line in text.split(['\n', '\r']).map(str::trim) {
        number = number.saturating_add(1);
        let line_number = number;
        if let Some(begun) = boundary(line, "-----BEGIN ") {
            if open.is_some() {
                return Err(PemError::Boundary { line: line_number });
            }
            if begun != label {
                return Err(PemError::OtherLabel { line: line_number });
            }
            if objects.len() == count_max {
                return Err(PemError::TooMany);
            }
            open = Some(String::new());
        } else if let Some(ended) = boundary(line, "-----END ") {
            let base64 = open.take().filter(|_| ended == label);
            let base64 = base64.ok_or(PemError::Boundary { line: line_number })?;
            let der = Base64::decode_vec(&base64)
                .ok()
                .filter(|der| !der.is_empty());
            objects.push(der.ok_or(PemError::Base64 { line: line_number })?);
        } else if line.contains("-----BEGIN") {
            return Err(PemError::Boundary { line: line_number });
        } else if let Some(base64) = &mut open {
            base64.push_str(line);
        } else if line.starts_with("-----") {
            return Err(PemError::Boundary { line: line_number });
        }
    }
    match open {
        Some(_) => Err(PemError::Boundary { line: number }),
        None if objects.is_empty() => Err(PemError::Missing),
        None => Ok(objects),
    }
}

/// The label, if the line is a boundary of this kind.
fn boundary<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(label: &str, body: &str) -> String {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn what_is_written_is_read() {
        for len in [1, 47, 48, 49, 96, 1_000] {
            let der: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
            let chain = vec![der.clone(), b"second".to_vec()];
            let text = chain_from_der(&chain);
            assert!(text.lines().all(|line| line.len() <= LINE_LEN));
            assert_eq!(chain_to_der(text.as_bytes()), Ok(chain));
            assert_eq!(
                decode("X509 CRL", encode("X509 CRL", &der).as_bytes()),
                Ok(der)
            );
        }
        assert_eq!(encode("X", b"foobar"), block("X", "Zm9vYmFy"));
    }

    #[test]
    fn chains_of_all_cas_are_read() {
        let one = block(CERTIFICATE, "Zm9v\nYmFy");
        let check = |text: &str, count: usize| {
            let chain = chain_to_der(text.as_bytes()).expect(text);
            assert_eq!(chain, vec![b"foobar".to_vec(); count]);
        };
        check(&one, 1);
        check(&one.replace('\n', "\r\n"), 1);
        check(&one.replace('\n', "\r"), 1);
        check(one.trim_end(), 1);
        check(&format!("{one}\n\n{one}"), 2);
        check(&format!("subject=CN = \u{e4}\n{one}issuer: x\n{one}\0"), 2);
        check(&one.replace("Zm9v\nYmFy", "\n Zm9v \n\nYmFy\n"), 1);
        let mut latin = b"\xe4\n".to_vec();
        latin.extend_from_slice(one.as_bytes());
        assert!(chain_to_der(&latin).is_ok());
    }

    #[test]
    fn what_is_not_a_chain_is_refused() {
        let one = block(CERTIFICATE, "Zm9v");
        let check = |text: &str, error: PemError| {
            assert_eq!(chain_to_der(text.as_bytes()), Err(error), "{text}");
        };
        check("", PemError::Missing);
        check("Zm9v", PemError::Missing);
        // RFC 8555 §11.4.
        check(
            &(one.clone() + &block("PRIVATE KEY", "Zm9v")),
            PemError::OtherLabel { line: 4 },
        );
        check(
            &block("certificate", "Zm9v"),
            PemError::OtherLabel { line: 1 },
        );
        check(
            &block("TRUSTED CERTIFICATE", "Zm9v"),
            PemError::OtherLabel { line: 1 },
        );
        // H217.
        check(
            "-----BEGIN CERTIFICATE-----\nZm9v",
            PemError::Boundary { line: 2 },
        );
        check("-----END CERTIFICATE-----", PemError::Boundary { line: 1 });
        check(
            "-----BEGIN CERTIFICATE-----\n".repeat(2).as_str(),
            PemError::Boundary { line: 2 },
        );
        check(
            "-----BEGIN CERTIFICATE----\n",
            PemError::Boundary { line: 1 },
        );
        check(
            "-----BEGIN CERTIFICATE-----\nZm9v\n-----END X-----",
            PemError::Boundary { line: 3 },
        );
        check(&"-".repeat(100_000), PemError::Boundary { line: 1 });
        check(&block(CERTIFICATE, "Zm9"), PemError::Base64 { line: 3 });
        check(&block(CERTIFICATE, "Zm9_"), PemError::Base64 { line: 3 });
        check(&block(CERTIFICATE, ""), PemError::Base64 { line: 3 });
        check(&block(CERTIFICATE, "Zm 9v"), PemError::Base64 { line: 3 });
        check(
            &block(CERTIFICATE, "Proc-Type: 4\n\nZm9v"),
            PemError::Base64 { line: 5 },
        );
        check(&one.repeat(CHAIN_LEN_MAX + 1), PemError::TooMany);
        check(&" ".repeat(PEM_LEN_MAX + 1), PemError::TooLong);
        assert_eq!(
            decode(CERTIFICATE, one.repeat(2).as_bytes()),
            Err(PemError::TooMany)
        );
    }
}
