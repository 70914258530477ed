use std::fmt;

use acme_crypto::{Components, Curve, Provider, PublicKey};
use acme_types::{base64url, strict};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::Thumbprint;
use crate::error::{JwkError, MalformedJwk, RefusedKey};
use crate::members::{Members, text};

/// Members of private and symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2; RFC 9964).
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A public key that was checked, in JWK form (RFC 7517): EC on P-256 or P-384, OKP with Ed25519,
/// or RSA.
///
/// Only the members of the key itself are kept. In JSON it is an object; in a compact format, the
/// DER of its SubjectPublicKeyInfo.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jwk(PublicKey);

impl Jwk {
    /// Of a public key.
    pub const fn from_public_key(key: PublicKey) -> Self {
        Self(key)
    }

    /// Reads a JWK strictly. Members that aren't understood are ignored (RFC 7517 §4), those of
    /// private keys refused.
    ///
    /// # Errors
    /// See [`MalformedJwk`] and [`RefusedKey`].
    pub fn from_json(json: &[u8]) -> Result<Self, JwkError> {
        let members: Members = strict::from_slice(json).map_err(MalformedJwk::Json)?;
        Self::from_members(&members)
    }

    /// The key.
    pub const fn public_key(&self) -> &PublicKey {
        &self.0
    }

    /// The required members in lexicographic order without white space (RFC 7638 §3): the input
    /// of the thumbprint, and a JWK.
    pub fn to_json(&self) -> String {
        let encode = base64url::encode;
        match self.0.components() {
            Components::Ec { curve, x, y } => {
                let (x, y) = (encode(x), encode(y));
                format!(
                    r#"{{"crv":"{}","kty":"EC","x":"{x}","y":"{y}"}}"#,
                    curve.name()
                )
            }
            Components::Ed25519 { x } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x))
            }
            Components::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n))
            }
            // A later kind of key would be written here; none can be made until then.
            _ => String::from("{}"),
        }
    }

    /// The SHA-256 thumbprint (RFC 7638).
    pub fn thumbprint(&self, provider: &dyn Provider) -> Thumbprint {
        Thumbprint::new(provider.sha256(self.to_json().as_bytes()))
    }

    /// From members that were read strictly.
    pub(crate) fn from_members(members: &Members) -> Result<Self, JwkError> {
        let kty = text(members, "kty").ok_or(MalformedJwk::Member { member: "kty" })?;
        // Before private members: for a symmetric key it is the type that is wrong.
        if !["EC", "OKP", "RSA"].contains(&kty) {
            return Err(RefusedKey::Type.into());
        }
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(MalformedJwk::PrivateMember.into());
        }
        check_use(members)?;
        let key = match kty {
            "EC" => ec(members),
            "OKP" => okp(members),
            _ => rsa(members),
        }?;
        Ok(Self(key))
    }
}

/// RFC 7517 §4.2 and §4.3: both are optional, and bind if they are there.
fn check_use(members: &Members) -> Result<(), MalformedJwk> {
    match members.get("use") {
        None => {}
        Some(Value::String(intended)) if intended == "sig" => {}
        Some(Value::String(_)) => return Err(MalformedJwk::Use),
        Some(_) => return Err(MalformedJwk::Member { member: "use" }),
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) => check_operations(operations),
        Some(_) => Err(MalformedJwk::Member { member: "key_ops" }),
    }
}

fn check_operations(operations: &[Value]) -> Result<(), MalformedJwk> {
    if !operations.iter().all(Value::is_string) {
        return Err(MalformedJwk::Member { member: "key_ops" });
    }
    // "Duplicate key operation values MUST NOT be present in the array."
    let mut names: Vec<&str> = operations.iter().filter_map(Value::as_str).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != operations.len() || !names.contains(&"verify") {
        return Err(MalformedJwk::KeyOperations);
    }
    Ok(())
}

/// RFC 7518 §6.2.1.
fn ec(members: &Members) -> Result<PublicKey, JwkError> {
    let curve = match text(members, "crv") {
        Some("P-256") => Curve::P256,
        Some("P-384") => Curve::P384,
        Some(_) => return Err(RefusedKey::Curve.into()),
        None => return Err(MalformedJwk::Member { member: "crv" }.into()),
    };
    let (x, y) = (bytes(members, "x")?, bytes(members, "y")?);
    PublicKey::from_ec_point(curve, &x, &y).map_err(|error| RefusedKey::Key(error).into())
}

/// RFC 8037 §2.
fn okp(members: &Members) -> Result<PublicKey, JwkError> {
    match text(members, "crv") {
        Some("Ed25519") => {}
        Some(_) => return Err(RefusedKey::Curve.into()),
        None => return Err(MalformedJwk::Member { member: "crv" }.into()),
    }
    let x = bytes(members, "x")?;
    PublicKey::from_ed25519(&x).map_err(|error| RefusedKey::Key(error).into())
}

/// RFC 7518 §6.3.1.
fn rsa(members: &Members) -> Result<PublicKey, JwkError> {
    let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
    PublicKey::from_rsa(&n, &e).map_err(|error| RefusedKey::Key(error).into())
}

fn bytes(members: &Members, member: &'static str) -> Result<Vec<u8>, MalformedJwk> {
    let text = text(members, member).ok_or(MalformedJwk::Member { member })?;
    base64url::decode(text).map_err(|_| MalformedJwk::Base64Url { member })
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jwk").field(&self.0).finish()
    }
}

/// The object of [`Jwk::to_json`] where people read it, DER elsewhere.
impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let members: Members =
                serde_json::from_str(&self.to_json()).map_err(serde::ser::Error::custom)?;
            members.serialize(serializer)
        } else {
            self.0.to_spki_der().serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let members = Members::deserialize(deserializer)?;
            Self::from_members(&members).map_err(D::Error::custom)
        } else {
            let der = Vec::<u8>::deserialize(deserializer)?;
            PublicKey::from_spki_der(&der)
                .map(Self)
                .map_err(D::Error::custom)
        }
    }
}
