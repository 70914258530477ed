//! What a visitor would read in a certificate.

use std::collections::BTreeSet;

use acme_client::folder::Installed;
use acme_crypto::aws_lc::AwsLc;
use acme_crypto::{KeyPair, Provider, PublicKey, SignatureAlgorithm, fixed_signature_from_x509};
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::crl::CertificateList;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{CrlDistributionPoints, SubjectAltName};

use crate::story::{Proved, Unproved, ensure};

pub(crate) struct Facts {
    pub(crate) leaf: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) key: PublicKey,
    pub(crate) crl_url: String,
    names: BTreeSet<String>,
}

impl Facts {
    pub(crate) fn of(installed: &Installed) -> Proved<Self> {
        let certificates = installed.chain.certificates();
        let [leaf, issuer, ..] = certificates else {
            return Err(Unproved("the chain has no issuer".into()));
        };
        let certificate = Certificate::from_der(leaf)?;
        let tbs = certificate.tbs_certificate();
        let missing = |what: &str| Unproved(format!("the certificate has no {what}"));
        let (_, names) = tbs
            .get_extension::<SubjectAltName>()?
            .ok_or_else(|| missing("names"))?;
        let (_, points) = tbs
            .get_extension::<CrlDistributionPoints>()?
            .ok_or_else(|| missing("CRL"))?;
        let url = points
            .0
            .iter()
            .find_map(|point| match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => {
                    names.iter().find_map(|name| match name {
                        GeneralName::UniformResourceIdentifier(url) => Some(url.to_string()),
                        _ => None,
                    })
                }
                _ => None,
            });
        let dns = |name: &GeneralName| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            _ => None,
        };
        Ok(Self {
            leaf: leaf.clone(),
            issuer: issuer.clone(),
            serial: tbs.serial_number().as_bytes().to_vec(),
            key: PublicKey::from_spki_der(&tbs.subject_public_key_info().to_der()?)?,
            crl_url: url.ok_or_else(|| missing("CRL's URL"))?,
            names: names.0.iter().filter_map(dns).collect(),
        })
    }

    pub(crate) fn serial_text(&self) -> String {
        self.serial
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub(crate) fn check_names(&self, names: &[&str]) -> Proved<()> {
        let wanted: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        ensure(
            self.names == wanted,
            format!("the certificate is for {:?}", self.names),
        )
    }

    pub(crate) fn check_key(&self, key: &dyn KeyPair) -> Proved<()> {
        ensure(
            self.key == *key.public_key(),
            "the certificate is for another key",
        )
    }

    /// Verifies a CRL with the issuer's key.
    pub(crate) fn check_crl(&self, crl: &[u8]) -> Proved<()> {
        let issuer = Certificate::from_der(&self.issuer)?;
        let key = issuer
            .tbs_certificate()
            .subject_public_key_info()
            .to_der()?;
        let key = PublicKey::from_spki_der(&key)?;
        let list: CertificateList = CertificateList::from_der(crl)?;
        let algorithm = list.signature_algorithm.to_der()?;
        let algorithm = SignatureAlgorithm::from_x509(&algorithm, key.kind())
            .ok_or_else(|| Unproved("an unknown signature algorithm".into()))?;
        let signature = fixed_signature_from_x509(algorithm, list.signature.raw_bytes())?;
        Ok(AwsLc.verify(algorithm, &key, &list.tbs_cert_list.to_der()?, &signature)?)
    }
}
