//! http-01 (RFC 8555 §8.3): the key authorization at a well-known path, over plain HTTP, redirects
//! followed.
//!
//! ```text
//! Looking ─▶ Fetching ─▶ done          a redirect leads back to Looking, or at once to Fetching
//!               └─▶ Fetching           once: no connection over IPv6, so IPv4
//! ```

mod location;

use acme_types::Identifier;

use self::location::{Host, Location};
use super::failure::{Failure, RedirectFault};
use super::lookup::{Candidates, Lookup};
use super::turn::{Answered, Context, Turn, Wanted};
use super::{FetchOutcome, FetchRequest, Target};

/// RFC 8555 §8.3: "The server SHOULD follow redirects"; as many as browsers and other CAs do.
const REDIRECTS_MAX: usize = 10;
/// A key authorization of this CA has 87 bytes; the rest is room for white space at its end.
const BODY_LEN_MAX: usize = 128;

/// A chain of requests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Http01 {
    /// The URLs so far, the current one last.
    chain: Vec<Location>,
    /// Whether IPv6 failed to connect: the chain stays with IPv4 then, where there is any.
    fallen_back: bool,
    state: State,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Looking(Lookup),
    Fetching {
        target: Target,
        second: Option<Target>,
    },
}

impl Http01 {
    /// RFC 8555 §8.3: "Construct a URL by populating the URL template
    /// "http://{domain}/.well-known/acme-challenge/{token}"".
    pub(super) fn begin(ctx: &Context<'_>) -> Turn<Self> {
        let host = match &ctx.request.identifier {
            Identifier::Dns(name) => Host::Name(name.base()),
            Identifier::Ip(address) => Host::Address(*address),
            _ => return Turn::Done(Err(Failure::MethodOff)),
        };
        // Verify that the resulting URL is well-formed (§8.3); a name and a token always make one.
        match Location::first(ctx, host) {
            Ok(location) => Self::look(ctx, vec![location], false),
            Err(_) => Turn::Done(Err(Failure::MethodOff)),
        }
    }

    /// Finds out where to connect for the last URL of the chain.
    fn look(ctx: &Context<'_>, chain: Vec<Location>, fallen_back: bool) -> Turn<Self> {
        let Some(location) = chain.last() else {
            return Turn::Done(Err(Failure::MethodOff));
        };
        match &location.host {
            Host::Name(name) => {
                let (lookup, wanted) = Lookup::begin(ctx, name.as_str(), location.port);
                Turn::More(
                    Self {
                        chain,
                        fallen_back,
                        state: State::Looking(lookup),
                    },
                    wanted,
                )
            }
            Host::Address(address) => match ctx.policy.addresses.target(*address, location.port) {
                Some(target) => Self::fetch(ctx, chain, fallen_back, target, None),
                None => {
                    let host = address.to_string();
                    Turn::Done(Err(Failure::NoAddress { host, refused: 1 }))
                }
            },
        }
    }

    fn fetch(
        ctx: &Context<'_>,
        chain: Vec<Location>,
        fallen_back: bool,
        target: Target,
        second: Option<Target>,
    ) -> Turn<Self> {
        let Some(location) = chain.last() else {
            return Turn::Done(Err(Failure::MethodOff));
        };
        let (connect_by, deadline) = ctx.connection();
        let request = FetchRequest {
            target,
            tls: location.url.is_https().then(|| location.host.to_string()),
            host: location.authority(),
            path: location.url.path_and_query().into_owned(),
            body_max: BODY_LEN_MAX,
            connect_by,
            deadline,
        };
        let state = State::Fetching { target, second };
        Turn::More(
            Self {
                chain,
                fallen_back,
                state,
            },
            vec![Wanted::Fetch(request)],
        )
    }

    pub(super) fn answered(self, ctx: &Context<'_>, answered: Answered) -> Turn<Self> {
        let Self {
            chain,
            fallen_back,
            state,
        } = self;
        match (state, answered) {
            (State::Looking(mut lookup), Answered::Dns(question, outcome)) => {
                match lookup.answered(ctx, &question, outcome) {
                    None => {
                        let state = State::Looking(lookup);
                        Turn::More(
                            Self {
                                chain,
                                fallen_back,
                                state,
                            },
                            Vec::new(),
                        )
                    }
                    Some(Ok(Candidates {
                        second: Some(second),
                        ..
                    })) if fallen_back => Self::fetch(ctx, chain, fallen_back, second, None),
                    Some(Ok(Candidates { first, second })) => {
                        Self::fetch(ctx, chain, fallen_back, first, second)
                    }
                    Some(Err(failure)) => Turn::Done(Err(failure)),
                }
            }
            // The one case in which another address is tried: nobody was reached, so nobody has
            // given a wrong answer (hostile inputs H141).
            (
                State::Fetching {
                    second: Some(second),
                    ..
                },
                Answered::Fetch(_, FetchOutcome::NotConnected(_)),
            ) => Self::fetch(ctx, chain, true, second, None),
            (State::Fetching { target, .. }, Answered::Fetch(_, outcome)) => match outcome {
                FetchOutcome::NotConnected(failure) | FetchOutcome::Failed(failure) => {
                    let asked = asked(&chain);
                    Turn::Done(Err(Failure::Network {
                        asked,
                        target,
                        failure,
                    }))
                }
                FetchOutcome::Response {
                    status,
                    locations,
                    body,
                } => Self::responded(ctx, chain, fallen_back, target, status, &locations, body),
            },
            // No such effect is out in this state.
            (state, _) => Turn::More(
                Self {
                    chain,
                    fallen_back,
                    state,
                },
                Vec::new(),
            ),
        }
    }

    fn responded(
        ctx: &Context<'_>,
        mut chain: Vec<Location>,
        fallen_back: bool,
        target: Target,
        status: u16,
        locations: &[Vec<u8>],
        body: Vec<u8>,
    ) -> Turn<Self> {
        let asked = asked(&chain);
        match status {
            // BR §3.2.2.4.19 wants 2xx; 200 is what a file there gets (hostile inputs H131).
            200 => {
                let target_of_body = target;
                Turn::Done(check_body(ctx, body).map_err(|fault| match fault {
                    Some(body) => Failure::Body {
                        asked,
                        target: target_of_body,
                        body,
                    },
                    None => Failure::BodyTooLong {
                        asked,
                        target: target_of_body,
                    },
                }))
            }
            // BR §3.2.2.4.19: "Redirects MUST be the result of a 301, 302, or 307 HTTP status code
            // response … or a 308".
            301 | 302 | 307 | 308 => match redirect(ctx, &chain, locations) {
                Ok(next) => {
                    chain.push(next);
                    Self::look(ctx, chain, fallen_back)
                }
                Err(fault) => {
                    let location = locations.first().cloned().unwrap_or_default();
                    Turn::Done(Err(Failure::Redirect {
                        asked,
                        target,
                        fault,
                        location,
                    }))
                }
            },
            _ => Turn::Done(Err(Failure::Status {
                asked,
                target,
                status,
            })),
        }
    }
}

/// The URL that was asked for last, for the client to read.
fn asked(chain: &[Location]) -> String {
    chain
        .last()
        .map(|location| format!("GET {}", location.url.as_str()))
        .unwrap_or_default()
}

fn redirect(
    ctx: &Context<'_>,
    chain: &[Location],
    locations: &[Vec<u8>],
) -> Result<Location, RedirectFault> {
    if chain.len() > REDIRECTS_MAX {
        return Err(RedirectFault::TooMany);
    }
    let ([location], Some(current)) = (locations, chain.last()) else {
        return Err(RedirectFault::Location);
    };
    let next = Location::next(ctx, current, location)?;
    if chain.iter().any(|earlier| earlier.is_same(&next)) {
        return Err(RedirectFault::Loop);
    }
    Ok(next)
}

/// RFC 8555 §8.3: "The server SHOULD ignore whitespace characters at the end of the body", and
/// "Verify that key authorization provided by the HTTP server matches".
///
/// The error is the body, or `None` if it is too long.
fn check_body(ctx: &Context<'_>, body: Vec<u8>) -> Result<(), Option<Vec<u8>>> {
    if body.len() > BODY_LEN_MAX {
        return Err(None);
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let end = body
        .iter()
        .rposition(|byte| !is_space(byte))
        .map_or(0, |at| at.saturating_add(1));
    let is_it = body.get(..end) == Some(ctx.request.key_authorization.as_bytes());
    if is_it { Ok(()) } else { Err(Some(body)) }
}

#[cfg(test)]
mod tests;
