use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use acme_client_core::ChallengeResponse;
use acme_types::{ChallengeType, DnsName};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::{PresentError, Responder, RetractError, not_mine};
use crate::BoxFuture;

/// How long the program may run: below the time after which the machine asks again.
const RUN_MAX: Duration = Duration::from_secs(280);
/// How much of what the program says is kept for the message when it fails.
const SAID_MAX: u64 = 2_000;
/// Longest value that is handed on: a SHA-256 in base64url has 43 characters.
const VALUE_LEN_MAX: usize = 255;

/// dns-01 by a program that changes the zone.
///
/// It is run without a shell as `PROGRAM present NAME VALUE` and `PROGRAM retract NAME VALUE`;
/// the same is in the environment as `ACME_ACTION`, `ACME_DNS_NAME` and `ACME_DNS_VALUE`. NAME is
/// the TXT record's name without a final dot; a zone can need several values at one name. It ends
/// with status 0 when every authoritative server gives the record, and may be run twice for the
/// same record.
#[derive(Clone, Debug)]
pub struct DnsHook {
    program: PathBuf,
    settle: Duration,
}

impl DnsHook {
    /// Runs this program: a path, or a name that is sought in `PATH`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            settle: Duration::ZERO,
        }
    }

    /// Waits this long after a record was published, for zones that take their time.
    pub fn with_settling(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    async fn run(&self, action: &str, name: &str, value: &str) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command
            .args([action, name, value])
            .env("ACME_ACTION", action)
            .env("ACME_DNS_NAME", name)
            .env("ACME_DNS_VALUE", value)
            // A secret of the command's; none of a hook's business.
            .env_remove("ACME_EAB_HMAC_KEY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let shown = self.program.display();
        let mut child = command
            .spawn()
            .map_err(|error| format!("{shown}: {error}"))?;
        let said = tokio::spawn(listen(child.stderr.take()));
        let status = match tokio::time::timeout(RUN_MAX, child.wait()).await {
            Ok(ended) => ended.map_err(|error| format!("{shown}: {error}"))?,
            Err(_) => return Err(format!("{shown} {action}: still running, and ended")),
        };
        if status.success() {
            return Ok(());
        }
        // A grandchild may still hold the pipe: it is not waited for.
        let said = tokio::time::timeout(Duration::from_secs(1), said).await;
        let said = said.ok().and_then(Result::ok).unwrap_or_default();
        Err(format!("{shown} {action}: {status}: {}", said.trim()))
    }
}

/// Reads all, so that the program never blocks, and keeps the beginning.
async fn listen(pipe: Option<tokio::process::ChildStderr>) -> String {
    let Some(mut pipe) = pipe else {
        return String::new();
    };
    let mut kept = Vec::new();
    let mut first = (&mut pipe).take(SAID_MAX);
    if first.read_to_end(&mut kept).await.is_ok() {
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// The record, if it is one that may be handed to a program: a name below `_acme-challenge`, or
/// an account's own label, and base64url.
fn record(response: &ChallengeResponse) -> Option<(&str, &str)> {
    let (ChallengeResponse::Dns01 { name, value, .. }
    | ChallengeResponse::DnsAccount01 { name, value, .. }) = response
    else {
        return None;
    };
    let (labels, base) = name.split_once("_acme-challenge.")?;
    let label_is_fine = labels.is_empty()
        || labels.strip_suffix('.').is_some_and(|label| {
            label
                .strip_prefix('_')
                .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()))
        });
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let value_is_fine =
        !value.is_empty() && value.len() <= VALUE_LEN_MAX && value.bytes().all(base64url);
    let base_is_fine = DnsName::parse(base).is_ok_and(|base| !base.is_wildcard());
    (label_is_fine && base_is_fine && value_is_fine).then_some((name, value))
}

impl Responder for DnsHook {
    fn challenge_types(&self) -> Vec<ChallengeType> {
        vec![ChallengeType::DNS_01]
    }

    fn present<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), PresentError>> {
        Box::pin(async move {
            let (name, value) = record(response).ok_or_else(|| not_mine(response))?;
            self.run("present", name, value)
                .await
                .map_err(PresentError::Failed)?;
            tokio::time::sleep(self.settle).await;
            Ok(())
        })
    }

    fn retract<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), RetractError>> {
        Box::pin(async move {
            let Some((name, value)) = record(response) else {
                return Ok(());
            };
            self.run("retract", name, value).await.map_err(RetractError)
        })
    }
}

#[cfg(test)]
mod tests {
    use acme_types::Identifier;

    use super::*;

    fn dns_01(name: &str, value: &str) -> ChallengeResponse {
        let identifier = Identifier::dns("example.com").expect("a name");
        ChallengeResponse::Dns01 {
            identifier,
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn only_validated_text_reaches_the_program() {
        let value = "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM";
        for name in [
            "_acme-challenge.example.com",
            "_ab12._acme-challenge.example.com",
        ] {
            assert!(record(&dns_01(name, value)).is_some(), "{name}");
        }
        for (name, value) in [
            ("_acme-challenge.example.com;ls", value),
            ("_acme-challenge.-rf", value),
            ("$(ls)._acme-challenge.example.com", value),
            ("-x._acme-challenge.example.com", value),
            ("example.com", value),
            ("_acme-challenge.*.example.com", value),
            ("_acme-challenge.example.com", "a b"),
            ("_acme-challenge.example.com", "$(ls)"),
            ("_acme-challenge.example.com", ""),
        ] {
            assert!(record(&dns_01(name, value)).is_none(), "{name} {value}");
        }
    }
}
