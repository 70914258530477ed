use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_false;
use super::member::{lenient, lenient_default, lenient_list, url};
use crate::Url;

/// A CA's directory (RFC 8555 §7.1.1, RFC 9773 §3). Members that aren't known are ignored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// Where nonces are given out.
    pub new_nonce: Url,
    /// Where accounts are made.
    pub new_account: Url,
    /// Where orders are placed.
    pub new_order: Url,
    /// Where authorizations are asked for before an order (RFC 8555 §7.4.1).
    #[serde(
        rename = "newAuthz",
        default,
        deserialize_with = "url",
        skip_serializing_if = "Option::is_none"
    )]
    pub new_authorization: Option<Url>,
    /// Where certificates are revoked. The RFC wants it; a client can do without.
    #[serde(
        rename = "revokeCert",
        default,
        deserialize_with = "url",
        skip_serializing_if = "Option::is_none"
    )]
    pub revoke_certificate: Option<Url>,
    /// Where account keys are changed. The RFC wants it; a client can do without.
    #[serde(
        default,
        deserialize_with = "url",
        skip_serializing_if = "Option::is_none"
    )]
    pub key_change: Option<Url>,
    /// Where renewal information is read (RFC 9773); the certificate's identifier is appended.
    #[serde(
        default,
        deserialize_with = "url",
        skip_serializing_if = "Option::is_none"
    )]
    pub renewal_info: Option<Url>,
    /// About the service.
    #[serde(default, deserialize_with = "lenient_default")]
    pub meta: DirectoryMeta,
}

/// About the service (RFC 8555 §7.1.1, draft-ietf-acme-profiles §3). Tolerant in every member.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryMeta {
    /// URL of the current terms of service; for a person to open, nothing to fetch.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub terms_of_service: Option<String>,
    /// A web site about the service.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub website: Option<String>,
    /// The names by which CAA records mean this CA (RFC 8659).
    #[serde(
        default,
        deserialize_with = "lenient_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub caa_identities: Vec<String>,
    /// Whether a new account needs an external account binding (RFC 8555 §7.3.4).
    #[serde(
        default,
        deserialize_with = "lenient_default",
        skip_serializing_if = "is_false"
    )]
    pub external_account_required: bool,
    /// The profiles on offer, with a description or its URL.
    #[serde(
        default,
        deserialize_with = "lenient_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub profiles: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JsonError, tolerant};

    fn read(document: &str) -> Result<Directory, JsonError> {
        tolerant::from_slice(document.as_bytes())
    }

    #[test]
    fn the_rfcs_example_is_read() {
        // RFC 8555 §7.1.1.
        let directory = read(
            r#"{
              "newNonce": "https://example.com/acme/new-nonce",
              "newAccount": "https://example.com/acme/new-account",
              "newOrder": "https://example.com/acme/new-order",
              "newAuthz": "https://example.com/acme/new-authz",
              "revokeCert": "https://example.com/acme/revoke-cert",
              "keyChange": "https://example.com/acme/key-change",
              "meta": {
                "termsOfService": "https://example.com/acme/terms/2017-5-30",
                "website": "https://www.example.com/",
                "caaIdentities": ["example.com"],
                "externalAccountRequired": false
              }
            }"#,
        )
        .unwrap();
        assert_eq!(
            directory.new_nonce.as_str(),
            "https://example.com/acme/new-nonce"
        );
        let new_authorization = directory.new_authorization.as_ref().map(Url::as_str);
        assert_eq!(
            new_authorization,
            Some("https://example.com/acme/new-authz")
        );
        assert_eq!(directory.renewal_info, None);
        assert_eq!(directory.meta.caa_identities, ["example.com"]);
        assert!(!directory.meta.external_account_required);
        let written = serde_json::to_vec(&directory).unwrap();
        assert_eq!(tolerant::from_slice(&written), Ok(directory));
    }

    #[test]
    fn what_is_optional_may_be_anything() {
        let start = r#""newNonce":"http://a/n","newAccount":"http://a/a","newOrder":"http://a/o""#;
        for rest in [
            "",
            r#","meta":null"#,
            r#","meta":"x""#,
            r#","meta":[]"#,
            r#","keyChange":null,"x7Gq":"https://community.example/t/adding-random-entries"#,
            r#","meta":{"caaIdentities":"ca.example","profiles":null,"website":7}"#,
            r#","meta":{"profiles":{"a":null},"externalAccountRequired":"yes"}"#,
        ] {
            let rest = if rest.ends_with("entries") {
                format!("{rest}\"")
            } else {
                rest.into()
            };
            let directory = read(&format!("{{{start}{rest}}}")).expect(&rest);
            assert_eq!(directory.meta, DirectoryMeta::default(), "{rest}");
        }
        let named = read(&format!(
            r#"{{{start},"meta":{{"profiles":{{"classic":"x"}},{meta}}}}}"#,
            meta = r#""website":[],"caaIdentities":[1,"b"]"#,
        ));
        let meta = named.unwrap().meta;
        assert_eq!(meta.profiles.into_keys().collect::<Vec<_>>(), ["classic"]);
        assert_eq!(meta.caa_identities, ["b"]);
    }

    #[test]
    fn what_is_needed_must_be_there() {
        let check = |document: &str, member: &str| {
            assert_eq!(read(document).unwrap_err().member(), Some(member));
        };
        // H225, and a page that isn't a directory.
        check(
            r#"{"newNonce":"http://a/n","newAccount":"http://a/a"}"#,
            "newOrder",
        );
        check(
            r#"{"newNonce":"/n","newAccount":"http://a/a","newOrder":"http://a/o"}"#,
            "newNonce",
        );
        check("{}", "newNonce");
    }
}
