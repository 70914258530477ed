//! The HTTPS front's own certificate: from this CA's issuer, with a key that never leaves the
//! process, made at the start and again long before it ends.
//!
//! It goes the way of all certificates of this CA (drafted and linted by the core, signed, the
//! audit event durable before the signature) but for the order: there is no account to ask.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use acme_ca_core::Config;
use acme_ca_core::crl::CrlTiming;
use acme_ca_core::effect::Signed;
use acme_ca_core::issuance::{
    Authority, AuthorityError, IssuanceError, LogList, Profile, ProfileError, ProfileParts, intent,
};
use acme_ca_core::schema::{
    AccountId, AuditEvent, Commit, Committed, IntentRow, OrderId, OrderRow, OrderState, Serial,
};
use acme_crypto::{CryptoError, KeyAlgorithm, KeyPair, SignatureAlgorithm, x509_signature_bytes};
use acme_csr::{Csr, CsrDraft, CsrError};
use acme_types::{Identifier, Timestamp};
use der::asn1::{AnyRef, BitStringRef};
use der::{Decode as _, Encode as _, Sequence};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::rows::Rows;
use crate::signer::Signer;
use crate::{clock, random};

const PROFILE: &str = "front";
const VALIDITY: Duration = Duration::from_secs(30 * 86_400);
/// A third of it: two failures in a row do no harm.
const RENEWAL: Duration = Duration::from_secs(10 * 86_400);
/// After a failure.
const RETRY: Duration = Duration::from_secs(3_600);

/// The certificate in use, and how the next is made.
pub(crate) struct FrontCertificate {
    config: Arc<Config>,
    signer: Signer,
    rows: Rows,
    names: Vec<Identifier>,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

/// There is no certificate for the front.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrontCertificateError {
    /// Its profile.
    #[error("the front's profile: {0}")]
    Profile(#[from] ProfileError),
    /// Its authority.
    #[error("the front's authority: {0}")]
    Authority(#[from] AuthorityError),
    /// Its request.
    #[error("the front's request: {0}")]
    Request(#[from] CsrError),
    /// It is not issued.
    #[error("the front's certificate is not issued: {0}")]
    Issuance(#[from] IssuanceError),
    /// Its key, or the issuer's.
    #[error("the front's key: {0}")]
    Key(#[from] CryptoError),
    /// It could not be recorded that it will be signed.
    #[error("the store can't record the front's certificate")]
    Record,
    /// The issuer's key did not sign.
    #[error("the issuer's key does not sign")]
    NotSigned,
    /// It can't be written as DER.
    #[error("the front's certificate can't be written")]
    Encoding(#[from] der::Error),
    /// TLS doesn't take it.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl FrontCertificate {
    /// The first certificate, for these names.
    pub(crate) async fn new(
        config: &Config,
        signer: Signer,
        rows: Rows,
        names: Vec<Identifier>,
    ) -> Result<Self, FrontCertificateError> {
        let config = Arc::new(front_config(config)?);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let first = make(&config, &signer, &rows, &names, &provider).await?;
        let current = Arc::new(Current(RwLock::new(Arc::new(first))));
        Ok(Self {
            config,
            signer,
            rows,
            names,
            provider,
            current,
        })
    }

    /// What the listener does with it.
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, FrontCertificateError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Renews it for ever.
    pub(crate) async fn renew(self) {
        let mut pause = RENEWAL;
        loop {
            tokio::time::sleep(pause).await;
            let made = make(
                &self.config,
                &self.signer,
                &self.rows,
                &self.names,
                &self.provider,
            );
            pause = match made.await {
                Ok(key) => {
                    self.current.replace(key);
                    RENEWAL
                }
                Err(error) => {
                    tracing::error!(%error, "the front's certificate could not be renewed");
                    RETRY
                }
            };
        }
    }
}

impl Current {
    fn replace(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.0.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

impl fmt::Debug for FrontCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrontCertificate")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// The CA with the front's profile and no other.
fn front_config(config: &Config) -> Result<Config, FrontCertificateError> {
    let parts = ProfileParts {
        name: PROFILE.into(),
        description: "the CA's own HTTPS front".into(),
        validity: VALIDITY,
        common_name: false,
        ..ProfileParts::private()
    };
    let profiles = vec![Profile::try_from(parts)?];
    let issuers = config.authority.issuers().to_vec();
    let authority = Authority::new(issuers, profiles, LogList::default(), CrlTiming::default())?;
    Ok(Config {
        authority,
        ..config.clone()
    })
}

async fn make(
    config: &Config,
    signer: &Signer,
    rows: &Rows,
    names: &[Identifier],
    tls: &CryptoProvider,
) -> Result<CertifiedKey, FrontCertificateError> {
    let now = clock::now();
    let entropy = zeroize::Zeroizing::new(random::bytes());
    let key = config.provider.generate(KeyAlgorithm::EcP256, &entropy)?;
    let csr = request(names, &*key)?;
    let serial = Serial::new(&random::bytes());
    let intent = intent(
        config,
        &order(csr.identifiers().iter(), now),
        &csr,
        serial,
        now,
    )?;
    record(rows, &intent, now).await?;
    let issuer = config
        .authority
        .issuer(&intent.issuer)
        .ok_or(IssuanceError::NoIssuer)?;
    let algorithm = issuer.algorithm();
    let Signed::Signature(signature) = signer.sign(&intent.issuer, algorithm, &intent.tbs) else {
        return Err(FrontCertificateError::NotSigned);
    };
    config
        .provider
        .verify(algorithm, issuer.public_key(), &intent.tbs, &signature)?;
    let leaf = attach(&intent.tbs, algorithm, &signature)?;
    let chain = std::iter::once(leaf).chain(issuer.chain().iter().cloned());
    let private = PrivatePkcs8KeyDer::from(key.to_pkcs8_der().to_vec());
    let private = tls
        .key_provider
        .load_private_key(PrivateKeyDer::Pkcs8(private))?;
    Ok(CertifiedKey::new(
        chain.map(CertificateDer::from).collect(),
        private,
    ))
}

fn request(names: &[Identifier], key: &dyn KeyPair) -> Result<Csr, FrontCertificateError> {
    let algorithm = key.public_key().default_algorithm();
    let draft = CsrDraft::new(names, key.public_key(), algorithm)?;
    let signature = key.sign(algorithm, draft.message())?;
    Ok(draft.attach(&signature)?)
}

/// What the front would have ordered.
fn order<'a>(names: impl Iterator<Item = &'a Identifier>, now: Timestamp) -> OrderRow {
    OrderRow {
        id: OrderId::from_bytes([0; 16]),
        account: AccountId::from_bytes([0; 16]),
        identifiers: names.cloned().collect(),
        authorizations: Vec::new(),
        not_before: None,
        not_after: None,
        profile: PROFILE.into(),
        profile_requested: false,
        replaces: None,
        created_at: now,
        expires: now,
        state: OrderState::Open,
    }
}

/// Durable before the signature.
async fn record(
    rows: &Rows,
    intent: &IntentRow,
    at: Timestamp,
) -> Result<(), FrontCertificateError> {
    let event = format!("certificate {} for the CA's own front", intent.serial);
    let commit = Commit::default().with_audit(vec![AuditEvent { at, event }]);
    match rows.commit(commit).await {
        Committed::Done(_) => Ok(()),
        Committed::Conflict | Committed::Exceeded(_) | Committed::Unknown => {
            Err(FrontCertificateError::Record)
        }
    }
}

/// `Certificate` (RFC 5280 §4.1).
#[derive(Sequence)]
struct Certificate<'a> {
    tbs: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
}

fn attach(
    tbs: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Vec<u8>, FrontCertificateError> {
    let signature = x509_signature_bytes(algorithm, signature)?;
    let certificate = Certificate {
        tbs: AnyRef::from_der(tbs)?,
        algorithm: AnyRef::from_der(algorithm.algorithm_identifier_der())?,
        signature: BitStringRef::from_bytes(&signature)?,
    };
    Ok(certificate.to_der()?)
}

/// The names under which the front may be reached: the base's host, this machine's own names, and
/// the address that it listens on.
pub(crate) fn names(host: &str, listen: IpAddr) -> Vec<Identifier> {
    let unbracketed = host.trim_start_matches('[').trim_end_matches(']');
    let base = match unbracketed.parse::<IpAddr>() {
        Ok(address) => Some(Identifier::ip(address)),
        Err(_) => Identifier::dns(unbracketed).ok(),
    };
    let mut names: Vec<Identifier> = base.into_iter().collect();
    names.extend(Identifier::dns("localhost"));
    names.extend(
        ["127.0.0.1", "::1"]
            .iter()
            .filter_map(|ip| ip.parse().ok())
            .map(Identifier::ip),
    );
    if !listen.is_unspecified() {
        names.push(Identifier::ip(listen));
    }
    names.sort();
    names.dedup();
    names
}
