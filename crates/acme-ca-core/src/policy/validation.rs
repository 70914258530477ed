use std::time::Duration;

use acme_types::{ChallengeType, DnsName, Identifier};

use crate::validation::{AddressPolicy, Perspective, PerspectiveId, Quorum, Region};

/// How control of identifiers is proved: methods, perspectives, addresses, CAA, times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValidationPolicy {
    /// The methods on offer, in the order in which challenges are listed. One that is taken off
    /// the list proves nothing any more, pending challenges included.
    pub methods: Vec<ChallengeType>,
    /// Who looks. Exactly one is the primary; without one nothing is ever proved.
    pub perspectives: Vec<Perspective>,
    /// How many of them must agree.
    pub quorum: Quorum,
    /// Which addresses may be contacted.
    pub addresses: AddressPolicy,
    /// Whether a redirect may lead to any host, or only to names below a public suffix (and to
    /// addresses that may be contacted, either way).
    pub redirect_hosts: RedirectHosts,
    /// On which ports the methods connect.
    pub ports: Ports,
    /// The names by which CAA records may permit this CA (RFC 8659 §4.2). Without one, any `issue`
    /// record refuses.
    pub caa_identities: Vec<DnsName>,
    /// How long one DNS question may take, retransmission and TCP included.
    pub dns_deadline: Duration,
    /// How long it may take to connect to one address.
    pub connect_deadline: Duration,
    /// How long one HTTP response or one TLS handshake may take, from before the connection.
    pub response_deadline: Duration,
    /// How long one attempt may take, CAA included.
    pub deadline: Duration,
    /// How long slow perspectives are still waited for once no other verdict can change the
    /// outcome. They are only for the log.
    pub stragglers: Duration,
    /// How often a challenge is attempted before it is invalid (RFC 8555 §8.2).
    pub attempts_max: u16,
    /// When a client may ask for the next attempt: the Retry-After of a failed one.
    pub retry_delay: Duration,
    /// For how long a job is held by who took it. Longer than `deadline` and the commits around
    /// it, or a job is taken from a holder that is still at it.
    pub lease: Duration,
    /// For how long an authorization counts once it is valid.
    pub valid_lifetime: Duration,
    /// How old a token may be when it is used (BR §3.2.2.4.19: 30 days).
    pub token_lifetime: Duration,
}

/// The ports of the methods. Only a CA of one's own has others than the standard ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ports {
    /// http-01. RFC 8555 §8.3: "This request MUST be sent to TCP port 80".
    pub http: u16,
    /// Where a redirect of http-01 may lead by https.
    pub https: u16,
    /// tls-alpn-01. RFC 8737 §3: "This connection MUST use TCP port 443".
    pub tls: u16,
}

/// Which hosts a redirect of http-01 may lead to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RedirectHosts {
    /// Names below a suffix of the public suffix list, and addresses.
    Public,
    /// Any name, and addresses.
    Any,
}

impl Ports {
    /// What the RFCs say.
    pub const STANDARD: Self = Self {
        http: 80,
        https: 443,
        tls: 443,
    };
}

impl ValidationPolicy {
    /// What the Web PKI asks for. Perspectives and CAA identities are the CA's own, to be filled
    /// in: until then nothing is proved.
    pub fn webpki() -> Self {
        Self {
            methods: vec![
                ChallengeType::HTTP_01,
                ChallengeType::DNS_01,
                ChallengeType::TLS_ALPN_01,
            ],
            perspectives: Vec::new(),
            quorum: Quorum::Dated,
            addresses: AddressPolicy::Public,
            redirect_hosts: RedirectHosts::Public,
            ports: Ports::STANDARD,
            caa_identities: Vec::new(),
            dns_deadline: Duration::from_secs(5),
            connect_deadline: Duration::from_secs(5),
            response_deadline: Duration::from_secs(10),
            deadline: Duration::from_secs(25),
            stragglers: Duration::from_secs(1),
            attempts_max: 3,
            // RFC 8555 §8.2: "there should not usually be any reason to retry more often than
            // every 5 or 10 seconds".
            retry_delay: Duration::from_secs(5),
            lease: Duration::from_secs(90),
            // An hour less than CAA stays fresh (BR §3.2.2.8: 8 hours), so that no certificate
            // needs a second look at CAA between the authorization and the signature.
            valid_lifetime: Duration::from_secs(7 * 3_600),
            token_lifetime: Duration::from_secs(30 * 86_400),
        }
    }

    /// A CA of one's own: one perspective, any address.
    pub fn private() -> Self {
        let primary = Perspective {
            id: PerspectiveId("primary".to_owned()),
            region: Region::Arin,
            is_primary: true,
        };
        Self {
            perspectives: vec![primary],
            quorum: Quorum::Fixed {
                remotes_min: 0,
                failures_max: 0,
                regions_min: 0,
            },
            addresses: AddressPolicy::Any,
            redirect_hosts: RedirectHosts::Any,
            ..Self::webpki()
        }
    }

    /// The methods by which control of this identifier can be proved, in the order in which
    /// challenges are listed. `wildcard`: the order names the wildcard of the identifier.
    ///
    /// RFC 8555 §8.4 and BR §3.2.2.4.19, .20: http-01 and tls-alpn-01 prove nothing about a
    /// wildcard. RFC 8738 §7: "The existing "dns-01" challenge MUST NOT be used to validate IP
    /// identifiers."
    pub fn methods_for(&self, identifier: &Identifier, wildcard: bool) -> Vec<ChallengeType> {
        let wildcard = wildcard || identifier.is_wildcard();
        let proves = |method: &&ChallengeType| {
            let is_dns = **method == ChallengeType::DNS_01;
            let is_other =
                **method == ChallengeType::HTTP_01 || **method == ChallengeType::TLS_ALPN_01;
            match identifier {
                Identifier::Dns(_) => is_dns || (is_other && !wildcard),
                Identifier::Ip(_) => is_other && !wildcard,
                _ => false,
            }
        };
        self.methods.iter().filter(proves).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_of_identifier_has_its_methods() {
        let check = |identifier: &str, wildcard: bool, methods: &[&str]| {
            let identifier = match identifier.parse() {
                Ok(address) => Identifier::Ip(address),
                Err(_) => Identifier::dns(identifier).unwrap(),
            };
            let offered = ValidationPolicy::webpki().methods_for(&identifier, wildcard);
            let offered: Vec<&str> = offered.iter().map(ChallengeType::as_str).collect();
            assert_eq!(offered, methods);
        };
        check("example.com", false, &["http-01", "dns-01", "tls-alpn-01"]);
        check("example.com", true, &["dns-01"]);
        check("*.example.com", false, &["dns-01"]);
        check("192.0.2.1", false, &["http-01", "tls-alpn-01"]);
        check("2001:db8::1", false, &["http-01", "tls-alpn-01"]);
        check("2001:db8::1", true, &[]);
    }

    #[test]
    fn a_method_that_is_off_or_unknown_is_not_offered() {
        let policy = ValidationPolicy {
            methods: vec![ChallengeType::DNS_PERSIST_01, ChallengeType::DNS_01],
            ..ValidationPolicy::webpki()
        };
        let name = Identifier::dns("example.com").unwrap();
        assert_eq!(policy.methods_for(&name, false), [ChallengeType::DNS_01]);
        assert!(
            policy
                .methods_for(&Identifier::Ip([192, 0, 2, 1].into()), false)
                .is_empty()
        );
    }

    #[test]
    fn a_lease_outlives_an_attempt() {
        for policy in [ValidationPolicy::webpki(), ValidationPolicy::private()] {
            let store = crate::job::STORE_PATIENCE * 3;
            assert!(policy.lease > policy.deadline + store);
            assert!(policy.connect_deadline < policy.response_deadline);
            assert!(policy.response_deadline < policy.deadline);
        }
    }
}
