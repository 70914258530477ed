//! What happens, told on standard error; and the reasons that a failure's message needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use acme_client::clock;
use acme_client::progress::{Observer, Progress};
use acme_client_core::ChallengeResponse;
use acme_types::Timestamp;

use super::complaint::printable;

/// Waits shorter than this go without saying.
const SHORT_WAIT_MILLIS: u128 = 2_000;
/// Reasons that are remembered, by what they are about.
const REASONS_MAX: usize = 100;

#[derive(Clone, Debug, Default)]
pub(crate) struct Screen {
    reasons: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Screen {
    pub(crate) fn say(&self, text: &str) {
        eprintln!("{}", printable(text));
    }

    /// Tells what the driver does.
    pub(crate) fn observer(&self) -> Observer {
        let screen = self.clone();
        Observer::new(move |progress| screen.show(progress))
    }

    /// Why requests were not sent or not answered, and responses not published, one line each.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        reasons
            .iter()
            .map(|(about, reason)| format!("{about}: {reason}"))
            .collect()
    }

    fn show(&self, progress: &Progress) {
        match progress {
            Progress::Sending { .. } => {}
            Progress::Received {
                method,
                uri,
                status,
                took,
            } => {
                self.forget(&uri.to_string());
                let millis = took.as_millis();
                self.say(&format!(
                    "  {method} {uri}: {} ({millis} ms)",
                    status.as_u16()
                ));
            }
            Progress::NotSent { uri, reason } => self.trouble(&uri.to_string(), reason),
            Progress::Lost { uri, reason } => self.trouble(&uri.to_string(), reason),
            Progress::TooLarge { uri } => {
                self.trouble(&uri.to_string(), &"the response is too large");
            }
            Progress::Presenting(_, response) => {
                self.say(&format!("  publishing {}", what(response)));
            }
            Progress::Presented(_, response) => self.forget(&what(response)),
            Progress::PresentFailed(_, response, reason) => self.trouble(&what(response), reason),
            Progress::Retracted(_, response) => {
                self.forget(&what(response));
                self.say(&format!("  withdrew {}", what(response)));
            }
            Progress::RetractFailed(_, response, reason) => {
                self.say(&format!(
                    "  could not withdraw {}: {reason}",
                    what(response)
                ));
            }
            Progress::SaveFailed(reason) => self.trouble("saving the state", reason),
            Progress::Waiting(until) => self.waiting(*until),
            _ => {}
        }
    }

    fn waiting(&self, until: Timestamp) {
        let left = until.since(clock::now());
        if left.as_millis() >= SHORT_WAIT_MILLIS {
            self.say(&format!("  waiting {} s, until {until}", left.as_secs()));
        }
    }

    fn trouble(&self, about: &str, reason: &dyn std::fmt::Display) {
        self.say(&format!("  {about}: {reason}"));
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if reasons.len() < REASONS_MAX {
            reasons.insert(about.to_owned(), reason.to_string());
        }
    }

    fn forget(&self, about: &str) {
        self.reasons
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(about);
    }
}

/// What is published, and where. Not the key authorization.
fn what(response: &ChallengeResponse) -> String {
    let identifier = response.identifier();
    match response {
        ChallengeResponse::Http01 { path, .. } => {
            format!("http-01 for {identifier}: http://{identifier}{path}")
        }
        ChallengeResponse::Dns01 { name, .. } => format!("dns-01 for {identifier}: TXT {name}"),
        ChallengeResponse::TlsAlpn01 { server_name, .. } => {
            format!("tls-alpn-01 for {identifier}: server name {server_name}")
        }
        ChallengeResponse::DnsAccount01 { name, .. } => {
            format!("dns-account-01 for {identifier}: TXT {name}")
        }
        other => format!("{} for {identifier}", other.challenge_type()),
    }
}
