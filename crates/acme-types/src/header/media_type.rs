//! The media types of ACME, and what to compare them with.

/// Of every request with a body (RFC 8555 §6.2).
pub const JOSE_JSON: &str = "application/jose+json";
/// Of the objects (RFC 8555 §7.1).
pub const JSON: &str = "application/json";
/// Of problem documents (RFC 7807 §6.1).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Of certificate chains (RFC 8555 §9.1).
pub const PEM_CERTIFICATE_CHAIN: &str = "application/pem-certificate-chain";

/// Whether the header's value is the type and nothing but it: a CA's question. Types are compared
/// without case (RFC 9110 §8.3.1); a parameter makes it another value.
pub fn is_exactly(value: &str, media_type: &str) -> bool {
    value.eq_ignore_ascii_case(media_type)
}

/// Whether the header's value names the type, with or without parameters: a client's question.
pub fn names(value: &str, media_type: &str) -> bool {
    let named = value.split(';').next().unwrap_or_default();
    named.trim().eq_ignore_ascii_case(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_takes_no_parameters_and_a_client_does() {
        let check = |value: &str, exactly: bool, named: bool| {
            assert_eq!(is_exactly(value, JOSE_JSON), exactly, "{value}");
            assert_eq!(names(value, JOSE_JSON), named, "{value}");
        };
        check("application/jose+json", true, true);
        check("Application/JOSE+json", true, true);
        // H001.
        check("application/jose+json; charset=utf-8", false, true);
        check("application/jose+json ;x", false, true);
        check("application/json", false, false);
        check("application/jose+jsonx", false, false);
        check("", false, false);
    }
}
