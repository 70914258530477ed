//! Contacts of an account (RFC 8555 §7.3).

use acme_types::DnsName;

use crate::policy::OrderPolicy;
use crate::rejection::Rejection;

/// As long as the path of an SMTP command may be (RFC 5321 §4.5.3.1.3), plus the scheme.
const CONTACT_LEN_MAX: usize = 263;
/// RFC 5321 §4.5.3.1.1.
const LOCAL_PART_LEN_MAX: usize = 64;
/// What RFC 6068 §2 leaves as it is in a mailto: URL, out of RFC 5322's `atext`.
const LOCAL_PART_SIGNS: &[u8] = b"!$'*+-/=^_`{|}~.";

/// Contacts that are worth keeping, or why not.
///
/// RFC 8555 §7.3: "If the server rejects a contact URL for using an unsupported scheme, it MUST
/// raise an error of type "unsupportedContact" … If the server rejects a contact URL for using a
/// supported scheme but an invalid value, then the server MUST return an error of type
/// "invalidContact"."
pub(super) fn contacts(given: Vec<String>, policy: &OrderPolicy) -> Result<Vec<String>, Rejection> {
    if given.len() > policy.contacts_max {
        return Err(Rejection::TooManyContacts {
            max: policy.contacts_max,
        });
    }
    for contact in &given {
        check(contact)?;
    }
    Ok(given)
}

fn check(contact: &str) -> Result<(), Rejection> {
    let (scheme, address) = contact.split_once(':').ok_or(Rejection::ContactInvalid)?;
    if !scheme.eq_ignore_ascii_case("mailto") {
        let named = scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let is_scheme = named && scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        let rejection = if is_scheme {
            Rejection::ContactUnsupported
        } else {
            Rejection::ContactInvalid
        };
        return Err(rejection);
    }
    // RFC 8555 §7.3: "Clients MUST NOT provide a "mailto" URL … that contains (1) "hfields" or
    // (2) more than one "addr-spec" in the "to" component." Neither `?` nor `,` is let through.
    let (local, domain) = address.rsplit_once('@').ok_or(Rejection::ContactInvalid)?;
    let local_is_plain = (1..=LOCAL_PART_LEN_MAX).contains(&local.len())
        && local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || LOCAL_PART_SIGNS.contains(&b))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let domain_is_name = DnsName::parse(domain).is_ok_and(|name| !name.is_wildcard());
    if contact.len() <= CONTACT_LEN_MAX && local_is_plain && domain_is_name {
        Ok(())
    } else {
        Err(Rejection::ContactInvalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_the_url_of_one_address() {
        for good in [
            "mailto:cert-admin@example.org",
            "MAILTO:a+b@localhost",
            "mailto:a.b@x.y",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        // H061, H062.
        for bad in [
            "",
            "mailto",
            "mailto:",
            "mailto:@",
            "mailto:a",
            "mailto:a@",
            "mailto:@b.c",
            "mailto:a@b.c,d@e.f",
            "mailto:a@b.c?subject=x",
            "mailto:a@b.c\r\nX: y",
            "mailto:\u{e4}@b.c",
            "mailto:a@b.c.",
            "mailto:a b@c.d",
            "mailto:a@*.b.c",
            ":a@b.c",
            "mailto:.a@b.c",
            "mailto:a..b@b.c",
            "mailto:a@192.0.2.1",
            "1x:a",
        ] {
            assert_eq!(check(bad), Err(Rejection::ContactInvalid), "{bad}");
        }
        for unsupported in ["tel:+1", "https://a.b", "javascript:alert(1)"] {
            assert_eq!(
                check(unsupported),
                Err(Rejection::ContactUnsupported),
                "{unsupported}"
            );
        }
        let long = format!("mailto:a@{}", "b.".repeat(130));
        assert_eq!(check(&long), Err(Rejection::ContactInvalid));
    }
}
