use std::ops::RangeInclusive;

use acme_crypto::{HashAlgorithm, Provider, PublicKey, SignatureAlgorithm};
use acme_types::Timestamp;

use super::oid;
use super::tlv::{self, BadDer, Tlv};
use super::x509::{CERTIFICATE_LEN_MAX, SignedView, TbsView};
use crate::schema::{Serial, Shard};

/// The longest name of an issuer: it is the last part of a URL in every certificate.
pub const ISSUER_NAME_LEN_MAX: usize = 64;
/// The most certificates above an issuer: real chains have one or two.
pub const ISSUER_PARENTS_MAX: usize = 8;

/// A CA certificate that issues: all but its private key, which is an effect away, by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issuer {
    name: String,
    algorithm: SignatureAlgorithm,
    key: PublicKey,
    spki: Vec<u8>,
    subject: Vec<u8>,
    key_identifier: Vec<u8>,
    key_hash: [u8; 32],
    not_before: Timestamp,
    not_after: Timestamp,
    chain: Vec<Vec<u8>>,
    root: Option<Vec<u8>>,
    shards: RangeInclusive<u16>,
}

/// What is wrong with an issuer's certificate, chain or name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The name isn't 1 to [`ISSUER_NAME_LEN_MAX`] of `a-z`, `0-9` and `-`.
    #[error("the issuer's name may have only a-z, 0-9 and -")]
    Name,
    /// A certificate isn't strict DER, or is too long; 0 is the issuer's, then its parents.
    #[error("certificate {0} of the issuer's chain is not a certificate")]
    Malformed(usize),
    /// A key that is not supported.
    #[error("certificate {0} of the issuer's chain has a key that is not supported")]
    Key(usize),
    /// Not a CA certificate, or without keyCertSign or cRLSign (RFC 5280 §4.2.1.3, §4.2.1.9).
    #[error("certificate {0} of the issuer's chain is not a CA's, or may not sign")]
    NotAuthority(usize),
    /// Without a subjectKeyIdentifier.
    #[error("certificate {0} of the issuer's chain has no subject key identifier")]
    NoKeyIdentifier(usize),
    /// Not issued by the next one.
    #[error("certificate {0} of the issuer's chain was not issued by the next one")]
    Broken(usize),
    /// A root. A root doesn't issue to subscribers: it could not be replaced.
    #[error("a root does not issue to subscribers; make an intermediate")]
    SelfSigned,
    /// More than [`ISSUER_PARENTS_MAX`].
    #[error("the issuer's chain is too long")]
    TooLong,
    /// No shards, or an empty range.
    #[error("the issuer has no CRL shards")]
    NoShards,
}

impl Issuer {
    /// An issuer from its certificate and those above it, DER, the next one first. The root may
    /// be among them; it is checked, but not sent to clients. Each is verified with the next.
    ///
    /// `shards` are the numbers of the CRLs that list this issuer's certificates; no other issuer
    /// may have one of them. Certificates keep the shard they were issued with, so the range may
    /// move, but one that was in use must stay published.
    ///
    /// # Errors
    /// [`IssuerError`], with the place in the chain.
    pub fn new(
        name: &str,
        certificate: &[u8],
        parents: &[Vec<u8>],
        shards: RangeInclusive<u16>,
        provider: &dyn Provider,
    ) -> Result<Self, IssuerError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > ISSUER_NAME_LEN_MAX || !name.bytes().all(fits) {
            return Err(IssuerError::Name);
        }
        if parents.len() > ISSUER_PARENTS_MAX {
            return Err(IssuerError::TooLong);
        }
        if shards.is_empty() {
            return Err(IssuerError::NoShards);
        }
        let ders = std::iter::once(certificate).chain(parents.iter().map(Vec::as_slice));
        let read = |(place, der)| Authority::parse(place, der);
        let links = ders.enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        let own = links.first().ok_or(IssuerError::Malformed(0))?;
        if own.is_self_issued() {
            return Err(IssuerError::SelfSigned);
        }
        for (place, (child, parent)) in links.iter().zip(links.iter().skip(1)).enumerate() {
            // Only the last may be a root.
            if child.is_self_issued() || child.verify(parent, provider).is_err() {
                return Err(IssuerError::Broken(place));
            }
        }
        let top = links.last().filter(|top| top.is_self_issued());
        if let Some(root) = top {
            let place = links.len().saturating_sub(1);
            root.verify(root, provider)
                .map_err(|_| IssuerError::Broken(place))?;
        }
        let below_root = links.iter().filter(|link| !link.is_self_issued());
        Ok(Self {
            name: name.to_owned(),
            algorithm: own.key.default_algorithm(),
            key: own.key.clone(),
            spki: own.tbs.spki.to_vec(),
            subject: own.tbs.subject.to_vec(),
            key_identifier: own.key_identifier.to_vec(),
            key_hash: provider.sha256(own.tbs.spki),
            not_before: own.tbs.not_before,
            not_after: own.tbs.not_after,
            chain: below_root.map(|link| link.der.to_vec()).collect(),
            root: top.map(|root| root.der.to_vec()),
            shards,
        })
    }

    /// Its name: what the signing effect and the URL of its certificate call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its certificate, DER.
    pub fn certificate_der(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    /// What clients get after their certificate: this issuer's certificate first, then those
    /// above it, but not the root (RFC 8555 §7.4.2 permits to leave a trust anchor out).
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The root's certificate, DER, if it was given.
    pub fn root(&self) -> Option<&[u8]> {
        self.root.as_deref()
    }

    /// The keyIdentifier of the authorityKeyIdentifier of all that it issues: its own
    /// subjectKeyIdentifier.
    pub fn authority_key_identifier(&self) -> &[u8] {
        &self.key_identifier
    }

    /// What it signs with: BR §7.1.3.2 has one algorithm for each curve.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Its public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The end of its validity, inclusive.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The start of its validity.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The shards of its CRLs.
    pub fn shards(&self) -> impl Iterator<Item = Shard> + use<> {
        self.shards.clone().map(Shard)
    }

    /// The shard of a serial that it issues now.
    pub fn shard_of(&self, serial: Serial) -> Shard {
        let count =
            u128::from(self.shards.end().saturating_sub(*self.shards.start())).saturating_add(1);
        let place = u128::from_be_bytes(*serial.as_bytes())
            .checked_rem(count)
            .unwrap_or(0);
        Shard(
            self.shards
                .start()
                .saturating_add(u16::try_from(place).unwrap_or(0)),
        )
    }

    /// Whether this shard is one of its own.
    pub fn has_shard(&self, shard: Shard) -> bool {
        self.shards.contains(&shard.0)
    }

    pub(crate) fn shard_range(&self) -> &RangeInclusive<u16> {
        &self.shards
    }

    /// Its subject, DER: the issuer of all that it issues, byte for byte (BR §7.1.4.1).
    pub(crate) fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// Its SubjectPublicKeyInfo, DER.
    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of its SubjectPublicKeyInfo: `issuer_key_hash` of RFC 6962 §3.2.
    pub(crate) fn key_hash(&self) -> &[u8; 32] {
        &self.key_hash
    }
}

/// A key identifier made here: the leftmost 160 bits of the SHA-256 of the key's bits (RFC 7093
/// §2, method 1; RFC 5280 §4.2.1.2 permits others than SHA-1).
pub(crate) fn key_identifier(key: &PublicKey, provider: &dyn Provider) -> Vec<u8> {
    let mut hash = provider.hash(HashAlgorithm::Sha256, &key.spki_key_bytes());
    hash.truncate(20);
    hash
}

/// A CA certificate of the chain.
struct Authority<'a> {
    der: &'a [u8],
    signed: SignedView<'a>,
    tbs: TbsView<'a>,
    key: PublicKey,
    key_identifier: &'a [u8],
}

impl<'a> Authority<'a> {
    fn parse(place: usize, der: &'a [u8]) -> Result<Self, IssuerError> {
        let malformed = |_: BadDer| IssuerError::Malformed(place);
        if der.len() > CERTIFICATE_LEN_MAX {
            return Err(IssuerError::Malformed(place));
        }
        let signed = SignedView::parse(der).map_err(malformed)?;
        let tbs = TbsView::parse(signed.tbs).map_err(malformed)?;
        let key = PublicKey::from_spki_der(tbs.spki).map_err(|_| IssuerError::Key(place))?;
        let may_sign = is_authority(&tbs).map_err(malformed)?;
        if !may_sign {
            return Err(IssuerError::NotAuthority(place));
        }
        let identifier = tbs
            .extension(oid::SUBJECT_KEY_IDENTIFIER)
            .ok_or(IssuerError::NoKeyIdentifier(place))?;
        let key_identifier = Tlv::only_of(identifier.value, tlv::OCTET_STRING)
            .map_err(malformed)?
            .value;
        Ok(Self {
            der,
            signed,
            tbs,
            key,
            key_identifier,
        })
    }

    fn is_self_issued(&self) -> bool {
        self.tbs.subject == self.tbs.issuer
    }

    fn verify(&self, parent: &Self, provider: &dyn Provider) -> Result<(), BadDer> {
        if self.tbs.issuer != parent.tbs.subject || self.signed.algorithm != self.tbs.signature {
            return Err(BadDer);
        }
        verify_signed(&self.signed, &parent.key, provider)
    }
}

/// Whether a signed object verifies under a key.
pub(crate) fn verify_signed(
    signed: &SignedView<'_>,
    key: &PublicKey,
    provider: &dyn Provider,
) -> Result<(), BadDer> {
    let algorithm =
        SignatureAlgorithm::from_algorithm_identifier_der(signed.algorithm).ok_or(BadDer)?;
    let signature =
        acme_crypto::fixed_signature_from_x509(algorithm, signed.signature).map_err(|_| BadDer)?;
    provider
        .verify(algorithm, key, signed.tbs, &signature)
        .map_err(|_| BadDer)
}

/// cA with keyCertSign and cRLSign.
fn is_authority(tbs: &TbsView<'_>) -> Result<bool, BadDer> {
    let (Some(constraints), Some(usage)) = (
        tbs.extension(oid::BASIC_CONSTRAINTS),
        tbs.extension(oid::KEY_USAGE),
    ) else {
        return Ok(false);
    };
    let mut fields = Tlv::only_of(constraints.value, tlv::SEQUENCE)?.inside();
    let authority = match fields.optional(tlv::BOOLEAN)? {
        Some(flag) => flag.boolean()?,
        None => false,
    };
    let bits = Tlv::only_of(usage.value, tlv::BIT_STRING)?.value;
    let bits = bits.get(1).copied().unwrap_or(0);
    // RFC 5280 §4.2.1.3: keyCertSign is bit 5, cRLSign bit 6, counted from the top.
    Ok(authority && bits & 0b0000_0110 == 0b0000_0110)
}
