//! From an HTTP request to what is asked, before anything is believed.

use acme_jws::{Jwk, Jws, JwsError};
use acme_types::Nonce;
use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::reply::{Reply, options};
use crate::Config;
use crate::operation::{self, Operation};
use crate::rejection::Rejection;
use crate::route::{Route, Urls};
use crate::schema::AccountId;

/// The largest request body, in bytes. A CSR with a hundred names and an RSA key is 10 KB.
pub const BODY_LEN_MAX: usize = acme_types::strict::DOCUMENT_LEN_MAX;
/// RFC 8555 §6.2: "the Content-Type header field set to "application/jose+json"", no parameters.
const CONTENT_TYPE_JOSE: &str = "application/jose+json";

/// What the reply must know of the request.
pub(super) struct Target {
    pub(super) is_post: bool,
    pub(super) is_head: bool,
    pub(super) is_new_nonce: bool,
    pub(super) is_directory: bool,
}

/// What a request asks.
pub(super) enum Parsed {
    /// A JWS whose nonce must be redeemed first.
    Signed {
        nonce: Nonce,
        signed: Box<Signed>,
        operation: Box<dyn Operation>,
    },
    /// A GET of what is open to all.
    Open { operation: Box<dyn Operation> },
    /// Nothing that the world must be asked for.
    Answered(Reply),
}

/// A JWS that is well formed, with nothing of it verified.
pub(super) struct Signed {
    jws: Jws,
    /// The request's URL, as this CA writes it.
    url: String,
    form: Form,
    signer: Result<Claim, Rejection>,
}

/// Who says that they signed.
#[derive(Clone)]
pub(super) enum Claim {
    /// Whoever has this key.
    Key(Jwk),
    /// This account.
    Account(AccountId),
}

/// Which kind of signer a resource wants (RFC 8555 §6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Key,
    Account,
    Either,
}

impl Target {
    pub(super) fn of(request: &http::Request<Vec<u8>>) -> Self {
        Self {
            is_post: request.method() == Method::POST,
            is_head: request.method() == Method::HEAD,
            is_new_nonce: false,
            is_directory: false,
        }
    }

    /// Of a request whose resource is known.
    fn name(&mut self, route: &Route) {
        self.is_new_nonce = *route == Route::NewNonce;
        self.is_directory = *route == Route::Directory;
    }
}

pub(super) fn parse(
    config: &Config,
    request: &http::Request<Vec<u8>>,
    target: &mut Target,
) -> Result<Parsed, Rejection> {
    let uri = request.uri();
    // RFC 9112 §3.2.2: the absolute form must be understood; RFC 9110 §15.5.20: not of others.
    if let Some(authority) = uri.authority() {
        let ours = [config.base.authority(), config.publication_base.authority()];
        if !ours.contains(&authority.as_str()) {
            return Err(Rejection::Misdirected);
        }
    }
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let route = Route::parse(config, path).ok_or(Rejection::NotFound)?;
    target.name(&route);
    let methods = route.methods();
    if request.method() == Method::OPTIONS {
        return Ok(Parsed::Answered(options(methods.allow())));
    }
    // RFC 8555 §6.3: "the server MUST return error code 405 (Method Not Allowed)".
    if !methods.contain(request.method()) {
        return Err(Rejection::MethodNotAllowed(methods));
    }
    if request.method() != Method::POST {
        return Ok(Parsed::Open {
            operation: operation::get(route, target.is_head),
        });
    }
    check_body(request)?;
    let jws = Jws::parse(request.body())?;
    let nonce = jws.required_nonce()?.clone();
    let signed = Box::new(Signed {
        signer: claim(config, &jws),
        url: Urls::new(config).of_request(path),
        form: form(&route),
        jws,
    });
    Ok(Parsed::Signed {
        nonce,
        signed,
        operation: operation::post(route),
    })
}

fn check_body(request: &http::Request<Vec<u8>>) -> Result<(), Rejection> {
    if request.headers().contains_key(CONTENT_ENCODING) {
        return Err(Rejection::ContentEncoding);
    }
    let mut types = request.headers().get_all(CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (Some(one), None)
            if one
                .as_bytes()
                .eq_ignore_ascii_case(CONTENT_TYPE_JOSE.as_bytes()) => {}
        _ => return Err(Rejection::MediaType),
    }
    if request.body().len() > BODY_LEN_MAX {
        Err(Rejection::BodyTooLarge)
    } else {
        Ok(())
    }
}

fn claim(config: &Config, jws: &Jws) -> Result<Claim, Rejection> {
    match jws.signer() {
        acme_jws::Signer::Jwk(jwk) => Ok(Claim::Key(jwk.clone())),
        acme_jws::Signer::Kid(kid) => {
            let id = Urls::new(config)
                .account_of(kid)
                .ok_or(Rejection::AccountUrl)?;
            Ok(Claim::Account(id))
        }
    }
}

/// RFC 8555 §6.2: "For newAccount requests, and for revokeCert requests authenticated by a
/// certificate key, there MUST be a "jwk" field ... For all other requests ... "kid"".
fn form(route: &Route) -> Form {
    match route {
        Route::NewAccount => Form::Key,
        Route::RevokeCertificate => Form::Either,
        Route::Directory
        | Route::NewNonce
        | Route::NewOrder
        | Route::KeyChange
        | Route::Account(_)
        | Route::AccountOrders(..)
        | Route::Order(_)
        | Route::Finalize(_)
        | Route::Authorization(_)
        | Route::Challenge(..)
        | Route::Certificate(_)
        | Route::RenewalInfo(_)
        | Route::Crl(_)
        | Route::Issuer(_) => Form::Account,
    }
}

impl Signed {
    /// What is looked at after the nonce is redeemed: `url`, and the kind of signer.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        // RFC 8555 §6.4: "The server MUST reject the request as unauthorized if the string
        // equality check fails."
        if self.jws.url() != self.url {
            return Err(Rejection::UrlMismatch);
        }
        match (self.form, &self.signer) {
            (Form::Key, Ok(Claim::Account(_))) => Err(JwsError::JwkWanted.into()),
            (Form::Account, Ok(Claim::Key(_))) => Err(JwsError::KidWanted.into()),
            (_, Err(rejection)) => Err(rejection.clone()),
            (_, Ok(_)) => Ok(()),
        }
    }

    pub(super) fn claim(&self) -> Result<&Claim, Rejection> {
        self.signer.as_ref().map_err(Clone::clone)
    }

    pub(super) fn jws(&self) -> &Jws {
        &self.jws
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.jws.payload()
    }
}
