use std::fmt;

/// A hash function of the SHA-2 family (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256: 32 bytes.
    Sha256,
    /// SHA-384: 48 bytes.
    Sha384,
    /// SHA-512: 64 bytes.
    Sha512,
}

impl HashAlgorithm {
    /// Length of a hash, and of a MAC made with it, in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What kinds of key pair can be generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on P-256.
    EcP256,
    /// ECDSA on P-384.
    EcP384,
    /// Ed25519.
    Ed25519,
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
}

impl KeyAlgorithm {
    /// All of them, the usual choice first.
    pub const ALL: [Self; 6] = [
        Self::EcP256,
        Self::EcP384,
        Self::Ed25519,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
    ];

    /// The type of the keys it makes.
    pub const fn kind(self) -> KeyKind {
        match self {
            Self::EcP256 => KeyKind::EcP256,
            Self::EcP384 => KeyKind::EcP384,
            Self::Ed25519 => KeyKind::Ed25519,
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => KeyKind::Rsa,
        }
    }
}

/// The type of a key, as far as it decides which signature algorithms fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// A point of P-256.
    EcP256,
    /// A point of P-384.
    EcP384,
    /// An Ed25519 key.
    Ed25519,
    /// An RSA key, of any accepted size.
    Rsa,
}

impl KeyKind {
    /// The algorithm that keys of this type sign with, unless there is a reason for another.
    pub const fn default_algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::EcP256 => SignatureAlgorithm::Es256,
            Self::EcP384 => SignatureAlgorithm::Es384,
            Self::Ed25519 => SignatureAlgorithm::EdDsa,
            Self::Rsa => SignatureAlgorithm::Rs256,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcP256 => "P-256",
            Self::EcP384 => "P-384",
            Self::Ed25519 => "Ed25519",
            Self::Rsa => "RSA",
        })
    }
}

/// A signature algorithm: the six that have a JOSE name here (RFC 7518 §3.1, RFC 8037 §3.1), and
/// four that X.509 has beside them, where the hash of an ECDSA signature doesn't depend on the
/// curve. Clients do sign requests for P-384 keys with SHA-256. The four only verify.
///
/// ECDSA signatures are `r || s` at fixed width (RFC 7518 §3.4) everywhere in this crate; X.509
/// wants DER: see [`crate::x509_signature_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA on P-256 with SHA-384; only in X.509, only to verify.
    EcdsaP256Sha384,
    /// ECDSA on P-256 with SHA-512; only in X.509, only to verify.
    EcdsaP256Sha512,
    /// ECDSA on P-384 with SHA-256; only in X.509, only to verify.
    EcdsaP384Sha256,
    /// ECDSA on P-384 with SHA-512; only in X.509, only to verify.
    EcdsaP384Sha512,
}

impl SignatureAlgorithm {
    /// The six with a JOSE name: what key pairs sign with, and what a JWS may have.
    pub const ALL: [Self; 6] = [
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// Those that only X.509 has.
    pub(crate) const ONLY_X509: [Self; 4] = [
        Self::EcdsaP256Sha384,
        Self::EcdsaP256Sha512,
        Self::EcdsaP384Sha256,
        Self::EcdsaP384Sha512,
    ];

    /// The JOSE name: `ES256`, `ES384`, `EdDSA`, `RS256`, `RS384`, `RS512`. Those that only X.509
    /// has are named for people, as in `ECDSA P-384 with SHA-256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::EcdsaP256Sha384 => "ECDSA P-256 with SHA-384",
            Self::EcdsaP256Sha512 => "ECDSA P-256 with SHA-512",
            Self::EcdsaP384Sha256 => "ECDSA P-384 with SHA-256",
            Self::EcdsaP384Sha512 => "ECDSA P-384 with SHA-512",
        }
    }

    /// The algorithm of this JOSE name, which is case-sensitive. `None` if it isn't one of
    /// those here, so for `none` and for every MAC.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    /// The type of key it takes.
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::Es256 | Self::EcdsaP256Sha384 | Self::EcdsaP256Sha512 => KeyKind::EcP256,
            Self::Es384 | Self::EcdsaP384Sha256 | Self::EcdsaP384Sha512 => KeyKind::EcP384,
            Self::EdDsa => KeyKind::Ed25519,
            Self::Rs256 | Self::Rs384 | Self::Rs512 => KeyKind::Rsa,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
