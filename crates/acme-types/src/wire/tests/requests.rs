use serde::de::DeserializeOwned;

use super::{at, write};
use crate::{
    AccountUpdate, CertificateId, Deactivation, EmptyObject, Finalize, Identifier, JsonError,
    JsonObject, KeyChange, Known, NewAccount, NewOrder, RawIdentifier, RevocationReason,
    RevokeCertificate, strict,
};

fn parse<T: DeserializeOwned>(document: &str) -> Result<T, JsonError> {
    strict::from_slice(document.as_bytes())
}

#[test]
fn requests_are_written_without_what_is_absent() {
    let check = |written: String, json: &str| assert_eq!(written, json);
    check(write(&NewAccount::default()), "{}");
    let account = NewAccount {
        contact: vec!["mailto:a@example.org".into()],
        terms_of_service_agreed: true,
        only_return_existing: true,
        external_account_binding: Some(JsonObject::from_slice(br#"{"payload":""}"#).unwrap()),
    };
    check(
        write(&account),
        concat!(
            r#"{"contact":["mailto:a@example.org"],"termsOfServiceAgreed":true,"#,
            r#""onlyReturnExisting":true,"externalAccountBinding":{"payload":""}}"#,
        ),
    );
    check(write(&Deactivation), r#"{"status":"deactivated"}"#);
    check(write(&EmptyObject {}), "{}");
    check(
        write(&Finalize {
            csr: vec![3, 236, 255],
        }),
        r#"{"csr":"A-z_"}"#,
    );
    let reason = Some(RevocationReason::Superseded.into());
    check(
        write(&RevokeCertificate {
            certificate: vec![0],
            reason,
        }),
        r#"{"certificate":"AA","reason":4}"#,
    );
    let order = NewOrder::new(vec![Identifier::dns("*.example.org").unwrap()]);
    check(
        write(&order),
        r#"{"identifiers":[{"type":"dns","value":"*.example.org"}]}"#,
    );
    let order = NewOrder {
        not_after: at("2026-01-08T00:00:00.5Z"),
        replaces: CertificateId::parse("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE").ok(),
        profile: Some("tlsserver".into()),
        ..NewOrder::<Identifier>::new(vec![])
    };
    let json = concat!(
        r#"{"identifiers":[],"notAfter":"2026-01-08T00:00:00Z","#,
        r#""replaces":"aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE","profile":"tlsserver"}"#,
    );
    check(write(&order), json);
    assert_eq!(parse::<NewOrder>(json).unwrap().profile, order.profile);
}

#[test]
fn malformed_requests_are_refused_by_member() {
    fn check<T: DeserializeOwned>(document: &str, member: &str) {
        match parse::<T>(document) {
            Ok(_) => panic!("taken: {document}"),
            Err(error) => assert_eq!(error.member(), Some(member), "{document}"),
        }
    }
    type Raw = NewOrder<RawIdentifier>;
    // H081, H091.
    check::<Raw>("{}", "identifiers");
    check::<Raw>(r#"{"identifiers":null}"#, "identifiers");
    check::<Raw>(r#"{"identifiers":{}}"#, "identifiers");
    check::<Raw>(
        r#"{"identifiers":[{"type":"dns"}]}"#,
        "identifiers[0].value",
    );
    check::<Raw>(r#"{"identifiers":[{"value":"a"}]}"#, "identifiers[0].type");
    check::<Raw>(r#"{"identifiers":[["dns","a"]]}"#, "identifiers[0]");
    check::<Raw>(
        r#"{"identifiers":[],"notBefore":"2026-02-30T00:00:00Z"}"#,
        "notBefore",
    );
    check::<Raw>(
        r#"{"identifiers":[],"notBefore":"0000-01-01T00:00:00Z"}"#,
        "notBefore",
    );
    check::<Raw>(r#"{"identifiers":[],"notAfter":null}"#, "notAfter");
    check::<Raw>(r#"{"identifiers":[],"replaces":null}"#, "replaces");
    check::<Raw>(r#"{"identifiers":[],"replaces":"a"}"#, "replaces");
    check::<Raw>(r#"{"identifiers":[],"profile":1}"#, "profile");
    check::<NewOrder>(
        r#"{"identifiers":[{"type":"dns","value":"_"}]}"#,
        "identifiers[0]",
    );
    // H063.
    check::<NewAccount>(r#"{"termsOfServiceAgreed":"true"}"#, "termsOfServiceAgreed");
    check::<NewAccount>(r#"{"contact":null}"#, "contact");
    check::<NewAccount>(r#"{"contact":[null]}"#, "contact[0]");
    check::<NewAccount>(
        r#"{"externalAccountBinding":null}"#,
        "externalAccountBinding",
    );
    check::<NewAccount>(r#"{"externalAccountBinding":[]}"#, "externalAccountBinding");
    check::<AccountUpdate>(r#"{"status":1}"#, "status");
    check::<AccountUpdate>(r#"{"contact":"mailto:a"}"#, "contact");
    check::<Deactivation>(r#"{"status":"valid"}"#, "");
    check::<Deactivation>("{}", "status");
    check::<Finalize>("{}", "csr");
    check::<Finalize>(r#"{"csr":"QQ=="}"#, "csr");
    check::<RevokeCertificate>(r#"{"certificate":"-----BEGIN"}"#, "certificate");
    check::<KeyChange>(r#"{"account":"x","oldKey":{}}"#, "account");
    check::<KeyChange>(r#"{"account":"https://a/1"}"#, "oldKey");
    check::<KeyChange>(r#"{"account":"https://a/1","oldKey":"x"}"#, "oldKey");
    // H095.
    for payload in ["", "null", "[]", "\"\""] {
        assert!(parse::<EmptyObject>(payload).is_err(), "{payload}");
    }
    assert_eq!(
        parse(r#"{"x":1,"keyAuthorization":"y"}"#),
        Ok(EmptyObject {})
    );
}

#[test]
fn what_nobody_may_change_is_ignored() {
    // H064, H065.
    let check = |document: &str, contact: Option<usize>, deactivates: bool| {
        let update: AccountUpdate = parse(document).unwrap();
        assert_eq!(update.contact.as_ref().map(Vec::len), contact, "{document}");
        assert_eq!(update.deactivates(), deactivates, "{document}");
    };
    check("{}", None, false);
    check(r#"{"status":"deactivated"}"#, None, true);
    check(
        r#"{"status":"valid","orders":7,"termsOfServiceAgreed":"x"}"#,
        None,
        false,
    );
    check(r#"{"status":"revoked","contact":[]}"#, Some(0), false);
    check(
        r#"{"status":"x","initialIp":"y","contact":["mailto:a"]}"#,
        Some(1),
        false,
    );
}

#[test]
fn reasons_have_an_error_of_their_own() {
    // H104.
    let check = |reason: &str, read: Option<Known<RevocationReason>>| {
        let request: RevokeCertificate =
            parse(&format!(r#"{{"certificate":"AA"{reason}}}"#)).unwrap();
        assert_eq!(request.reason, read, "{reason}");
    };
    check("", None);
    check(
        r#","reason":1"#,
        Some(RevocationReason::KeyCompromise.into()),
    );
    check(
        r#","reason":10"#,
        Some(RevocationReason::AaCompromise.into()),
    );
    for bad in ["7", "11", "256", "-1", "\"1\"", "1.5", "null", "[1]"] {
        check(&format!(r#","reason":{bad}"#), Some(Known::Unknown));
    }
    for reason in RevocationReason::ALL {
        assert_eq!(RevocationReason::from_code(reason.code()), Some(*reason));
    }
}
