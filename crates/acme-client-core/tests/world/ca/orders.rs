//! Orders, issuance, revocation.

use std::collections::BTreeSet;
use std::time::Duration;

use acme_csr::Csr;
use acme_jws::Jwk;
use acme_types::*;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::super::x509;
use super::{AuthorizationRow, BASE, Ca, OrderRow, Reply, header, problem, reply};

impl Ca {
    pub(super) fn new_order(&mut self, account: usize, payload: &[u8]) -> Reply {
        let wanted: NewOrder = strict::from_slice(payload).expect("newOrder");
        if wanted.replaces.is_some() && self.policy.refuses_replaces {
            return problem(409, "alreadyReplaced");
        }
        let mut authorizations = Vec::new();
        for identifier in &wanted.identifiers {
            let pending = self.authorizations.iter().position(|row| {
                row.status == AuthorizationStatus::Pending && row.identifier == *identifier
            });
            if let (true, Some(at)) = (self.policy.reuses_pending, pending) {
                authorizations.push(at);
                continue;
            }
            self.next += 1;
            authorizations.push(self.authorizations.len());
            self.authorizations.push(AuthorizationRow {
                identifier: identifier.clone(),
                status: if self.policy.valid_at_once {
                    AuthorizationStatus::Valid
                } else {
                    AuthorizationStatus::Pending
                },
                token: Token::from_entropy(&[self.next as u8; 32]),
                tried: None,
                attempts: 0,
                awaits_retry: false,
                problem: None,
                account,
            });
        }
        self.orders.push(OrderRow {
            identifiers: wanted.identifiers,
            authorizations,
            csr: None,
            reads: 0,
            certificate: None,
            replaces: wanted.replaces,
            account,
        });
        let number = self.orders.len() - 1;
        let body = self.order_body(number);
        header(
            reply(201, &body),
            "location",
            &format!("{BASE}/order/{number}"),
        )
    }

    pub fn order_status(&self, number: usize) -> OrderStatus {
        let order = &self.orders[number];
        let mut statuses = order
            .authorizations
            .iter()
            .map(|at| self.authorizations[*at].status);
        if order.certificate.is_some() {
            OrderStatus::Valid
        } else if order.csr.is_some() {
            OrderStatus::Processing
        } else if statuses
            .clone()
            .all(|status| status == AuthorizationStatus::Valid)
        {
            OrderStatus::Ready
        } else if statuses.any(|status| {
            !matches!(
                status,
                AuthorizationStatus::Pending | AuthorizationStatus::Valid
            )
        }) {
            OrderStatus::Invalid
        } else {
            OrderStatus::Pending
        }
    }

    pub(super) fn order_body(&self, number: usize) -> Value {
        let order = &self.orders[number];
        let urls = order
            .authorizations
            .iter()
            .map(|at| format!("{BASE}/authorization/{at}"));
        let mut body = json!({
            "status": self.order_status(number).as_str(),
            "expires": self.now.after(Duration::from_secs(86_400)).to_rfc3339(),
            "identifiers": order.identifiers,
            "authorizations": urls.collect::<Vec<_>>(),
            "finalize": format!("{BASE}/finalize/{number}"),
        });
        if let Some(at) = order.certificate {
            body["certificate"] = json!(format!("{BASE}/certificate/{at}"));
        }
        body
    }

    pub(super) fn order(&mut self, number: usize, account: usize) -> Reply {
        if self
            .orders
            .get(number)
            .is_none_or(|order| order.account != account)
        {
            return problem(404, "malformed");
        }
        let processing = self.order_status(number) == OrderStatus::Processing;
        if processing && self.orders[number].reads >= self.policy.reads {
            self.issue(number);
        }
        self.orders[number].reads += u32::from(processing);
        self.paced(reply(200, &self.order_body(number)))
    }

    pub(super) fn finalize(&mut self, number: usize, account: usize, payload: &[u8]) -> Reply {
        if self
            .orders
            .get(number)
            .is_none_or(|order| order.account != account)
        {
            return problem(404, "malformed");
        }
        if self.order_status(number) != OrderStatus::Ready {
            return problem(403, "orderNotReady");
        }
        let finalize: Finalize = strict::from_slice(payload).expect("finalize");
        let csr = Csr::parse(&finalize.csr).expect("a CSR");
        csr.verify(&self.provider)
            .expect("a CSR that its key signed");
        let named: BTreeSet<_> = self.orders[number].identifiers.iter().cloned().collect();
        assert_eq!(&named, csr.identifiers());
        self.orders[number].csr = Some(finalize.csr);
        if self.policy.reads == 0 {
            self.issue(number);
        }
        self.paced(reply(200, &self.order_body(number)))
    }

    pub(super) fn issue(&mut self, number: usize) {
        let csr = Csr::parse(self.orders[number].csr.as_ref().expect("finalized")).expect("a CSR");
        let draft = self.draft(&csr.spki_der(), csr.identifiers().iter().cloned().collect());
        let certificate = self.sign(&draft);
        self.certificates.push(certificate);
        self.orders[number].certificate = Some(self.certificates.len() - 1);
    }

    /// What an honest certificate says.
    pub fn draft(&mut self, spki: &[u8], names: Vec<Identifier>) -> x509::Draft {
        self.next += 1;
        x509::Draft {
            issuer: "Test Intermediate",
            subject: "",
            names,
            spki: spki.to_vec(),
            not_before: self.now.before(Duration::from_secs(3_600)),
            not_after: self.now.after(self.policy.lifetime),
            serial: self.next,
            is_authority: false,
            poisoned: false,
        }
    }

    /// The chain to a draft.
    pub fn sign(&self, draft: &x509::Draft) -> String {
        let intermediate = x509::Draft {
            issuer: "Test Root",
            subject: "Test Intermediate",
            names: Vec::new(),
            spki: self.intermediate.public_key().to_spki_der(),
            is_authority: true,
            poisoned: false,
            ..draft.clone()
        };
        pem::chain_from_der(&[
            x509::sign(draft, &*self.intermediate),
            x509::sign(&intermediate, &*self.root),
        ])
    }

    pub(super) fn certificate(&self, number: usize) -> Reply {
        Response::builder()
            .status(StatusCode::OK)
            .header("content-type", "application/pem-certificate-chain")
            .body(self.certificates[number].clone().into_bytes())
            .expect("a response")
    }

    pub(super) fn revoke(&mut self, payload: &[u8], jwk: Option<&Jwk>) -> Reply {
        let wanted: RevokeCertificate = strict::from_slice(payload).expect("revokeCert");
        if self.revoked.contains(&wanted.certificate) {
            return problem(400, "alreadyRevoked");
        }
        let key = self
            .orders
            .iter()
            .filter_map(|order| order.csr.as_ref())
            .any(|csr| {
                let csr = Csr::parse(csr).expect("a CSR");
                jwk.is_none_or(|jwk| csr.public_key() == jwk.public_key())
            });
        if !key {
            return problem(403, "unauthorized");
        }
        self.revoked.push(wanted.certificate);
        reply(200, &json!({}))
    }
}
