//! Certificates for tests: roots, intermediates and end entities, good and bad ones.
//!
//! Everything here is a function of names: the same calls give the same keys and the same bytes.
//! So the keys are public, and nothing outside a test may trust them. The certificates are what
//! tests of logs, TLS targets and chains need, not what a CA has to issue.

use std::fmt;
use std::sync::Arc;

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider, SignatureAlgorithm, x509_signature_bytes};
use sha2::{Digest, Sha256};

use crate::der::{self, element};

/// id-ce-subjectAltName (RFC 5280 §4.2.1.6).
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// id-ce-basicConstraints (RFC 5280 §4.2.1.9).
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// id-ce-keyUsage (RFC 5280 §4.2.1.3).
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// id-at-commonName.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// From 2020 to the end of 2049, the last year of UTCTime (RFC 5280 §4.1.2.5.1).
const VALIDITY: [&[u8]; 2] = [b"200101000000Z", b"491231235959Z"];
const UTC_TIME: u8 = 0x17;

/// One extension: its OID (content octets), whether it is critical, its value (DER).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Extension {
    oid: Vec<u8>,
    critical: bool,
    value: Vec<u8>,
}

/// A certification authority of a test.
#[derive(Clone)]
pub struct Authority {
    name: String,
    key: Arc<dyn KeyPair>,
    certificate: Vec<u8>,
    above: Vec<Vec<u8>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Authority")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// A root: self-signed, P-256.
    pub fn root(name: &str) -> Authority {
        let key = key_of(&format!("authority {name}"));
        let certificate = certificate(name, &key, name, &key, name, &authority_extensions());
        Authority {
            name: name.to_owned(),
            key,
            certificate,
            above: Vec::new(),
        }
    }

    /// An authority that this one has certified.
    pub fn intermediate(&self, name: &str) -> Authority {
        let key = key_of(&format!("authority {name}"));
        let extensions = authority_extensions();
        let certificate = certificate(&self.name, &self.key, name, &key, name, &extensions);
        Authority {
            name: name.to_owned(),
            key,
            certificate,
            above: self.chain(),
        }
    }

    /// Its certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Its certificate and those above, up to the root, DER.
    pub fn chain(&self) -> Vec<Vec<u8>> {
        std::iter::once(&self.certificate)
            .chain(&self.above)
            .cloned()
            .collect()
    }

    /// Its key.
    pub fn key(&self) -> &dyn KeyPair {
        &*self.key
    }

    /// A certificate for this end entity, DER.
    pub fn issue(&self, entity: &Entity) -> Vec<u8> {
        let subject = entity.names.first().map_or("", String::as_str);
        let extensions = &entity.extensions;
        certificate(
            &self.name,
            &self.key,
            subject,
            &entity.key,
            &entity.serial,
            extensions,
        )
    }

    /// The same, followed by those of this authority and all above.
    pub fn issue_chain(&self, entity: &Entity) -> Vec<Vec<u8>> {
        std::iter::once(self.issue(entity))
            .chain(self.chain())
            .collect()
    }
}

/// What an end entity's certificate is made of.
#[derive(Clone)]
pub struct Entity {
    names: Vec<String>,
    serial: String,
    key: Arc<dyn KeyPair>,
    extensions: Vec<Extension>,
}

impl fmt::Debug for Entity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Entity")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Entity {
    /// With these DNS names and a P-256 key.
    pub fn new(names: &[&str]) -> Entity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let alternative: Vec<u8> = names
            .iter()
            .flat_map(|name| element(0x82, &[name.as_bytes()]))
            .collect();
        let serial = names.join(" ");
        let key = key_of(&format!("entity {serial}"));
        let entity = Entity {
            names,
            serial,
            key,
            extensions: Vec::new(),
        };
        let value = element(der::SEQUENCE, &[&alternative]);
        entity.extension(SUBJECT_ALTERNATIVE_NAME, false, &value)
    }

    /// With another serial number, which this text stands for: another certificate.
    pub fn serial(mut self, serial: &str) -> Entity {
        self.serial = serial.to_owned();
        self
    }

    /// With one more extension: the OID's content octets, and the value's DER.
    pub fn extension(mut self, oid: &[u8], critical: bool, value: &[u8]) -> Entity {
        let (oid, value) = (oid.to_vec(), value.to_vec());
        self.extensions.push(Extension {
            oid,
            critical,
            value,
        });
        self
    }

    /// A precertificate: with the poison of RFC 6962 §3.1.
    pub fn poisoned(self) -> Entity {
        self.extension(crate::ct::POISON, true, &[0x05, 0x00])
    }

    /// The final certificate: with these SCTs, as `SignedCertificateTimestampList`.
    pub fn with_sct_list(self, list: &[u8]) -> Entity {
        let value = element(der::OCTET_STRING, &[list]);
        self.extension(crate::ct::SCT_LIST, false, &value)
    }

    /// Its key.
    pub fn key(&self) -> &dyn KeyPair {
        &*self.key
    }
}

/// A P-256 key that only this label has.
pub(crate) fn key_of(label: &str) -> Arc<dyn KeyPair> {
    let entropy: [u8; 32] = Sha256::digest(format!("acme-testkit {label}")).into();
    let key = RustCrypto.generate(KeyAlgorithm::EcP256, &entropy);
    Arc::from(key.expect("a P-256 key comes from any 32 bytes"))
}

fn authority_extensions() -> Vec<Extension> {
    let is_authority = element(der::BOOLEAN, &[&[0xff]]);
    // keyCertSign and cRLSign: bits 5 and 6.
    let usage = element(der::BIT_STRING, &[&[1, 0b0000_0110]]);
    let basic = element(der::SEQUENCE, &[&is_authority]);
    [(BASIC_CONSTRAINTS, basic), (KEY_USAGE, usage)]
        .map(|(oid, value)| Extension {
            oid: oid.to_vec(),
            critical: true,
            value,
        })
        .to_vec()
}

/// RFC 5280 §4.1.
fn certificate(
    issuer: &str,
    issuer_key: &Arc<dyn KeyPair>,
    subject: &str,
    subject_key: &Arc<dyn KeyPair>,
    serial: &str,
    extensions: &[Extension],
) -> Vec<u8> {
    let algorithm = SignatureAlgorithm::Es256.algorithm_identifier_der();
    let version = element(0xa0, &[&element(der::INTEGER, &[&[2]])]);
    let digest = Sha256::digest(serial);
    // Positive, 16 octets: the first is below 0x80 and not 0.
    let serial = [&[digest[0] & 0x3f | 0x40], &digest[1..16]].concat();
    let serial = element(der::INTEGER, &[&serial]);
    let validity = VALIDITY.map(|time| element(UTC_TIME, &[time])).concat();
    let validity = element(der::SEQUENCE, &[&validity]);
    let (issuer, subject) = (name(issuer), name(subject));
    let key = subject_key.public_key().to_spki_der();
    let extensions: Vec<u8> = extensions.iter().flat_map(extension).collect();
    let extensions = element(0xa3, &[&element(der::SEQUENCE, &[&extensions])]);
    let parts: [&[u8]; 8] = [
        &version,
        &serial,
        algorithm,
        &issuer,
        &validity,
        &subject,
        &key,
        &extensions,
    ];
    let tbs = element(der::SEQUENCE, &parts);
    let signature = issuer_key.sign(SignatureAlgorithm::Es256, &tbs);
    let signature =
        signature.and_then(|fixed| x509_signature_bytes(SignatureAlgorithm::Es256, &fixed));
    let signature = signature.expect("all keys here are P-256");
    let signature = element(der::BIT_STRING, &[&[0], &signature]);
    element(der::SEQUENCE, &[&tbs, algorithm, &signature])
}

fn extension(extension: &Extension) -> Vec<u8> {
    let oid = element(der::OID, &[&extension.oid]);
    let value = element(der::OCTET_STRING, &[&extension.value]);
    // DER leaves out what is the default (X.690 §11.5).
    let critical = if extension.critical {
        element(der::BOOLEAN, &[&[0xff]])
    } else {
        Vec::new()
    };
    element(der::SEQUENCE, &[&oid, &critical, &value])
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = element(
        der::SEQUENCE,
        &[
            &element(der::OID, &[COMMON_NAME]),
            &element(der::UTF8_STRING, &[common_name.as_bytes()]),
        ],
    );
    element(der::SEQUENCE, &[&element(der::SET, &[&attribute])])
}
