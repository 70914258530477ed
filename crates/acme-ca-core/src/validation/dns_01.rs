//! dns-01 (RFC 8555 §8.4): a TXT record with the digest of the key authorization.

use acme_types::{Identifier, base64url};

use super::failure::Failure;
use super::turn::{Answered, Context, Turn};
use super::{DnsOutcome, DnsRecord, RecordKind};

/// More TXT records than this aren't looked at (hostile inputs H128).
const TXT_RECORDS_MAX: usize = 100;

/// Waiting for the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Dns01;

impl Dns01 {
    /// RFC 8555 §8.4: "prepending the label "_acme-challenge" to the domain name being validated".
    pub(super) fn begin(ctx: &Context<'_>) -> Turn<Self> {
        match &ctx.request.identifier {
            Identifier::Dns(name) => {
                let name = format!("_acme-challenge.{}", name.base().as_str());
                Turn::More(Self, vec![ctx.question(&name, RecordKind::Txt)])
            }
            // RFC 8738 §7.
            _ => Turn::Done(Err(Failure::MethodOff)),
        }
    }

    /// "Verify that the contents of one of the TXT records match the digest value".
    pub(super) fn answered(self, ctx: &Context<'_>, answered: Answered) -> Turn<Self> {
        let Answered::Dns(question, outcome) = answered else {
            return Turn::More(self, Vec::new());
        };
        let name = question.name;
        let records = match outcome {
            DnsOutcome::Records(records) => records,
            DnsOutcome::NoRecords => return Turn::Done(Err(Failure::NoTxt { name })),
            outcome @ (DnsOutcome::NoName
            | DnsOutcome::Refused(_)
            | DnsOutcome::TimedOut
            | DnsOutcome::Unusable) => {
                let kind = RecordKind::Txt;
                return Turn::Done(Err(Failure::Lookup {
                    name,
                    kind,
                    outcome,
                }));
            }
        };
        let key_authorization = ctx.request.key_authorization.as_bytes();
        let digest = base64url::encode(&ctx.provider.sha256(key_authorization));
        let texts: Vec<&[u8]> = records
            .iter()
            .take(TXT_RECORDS_MAX)
            .filter_map(text)
            .collect();
        if texts.contains(&digest.as_bytes()) {
            return Turn::Done(Ok(()));
        }
        let failure = match texts.first() {
            Some(first) => Failure::WrongTxt {
                name,
                count: records.len(),
                first: first.to_vec(),
            },
            None => Failure::NoTxt { name },
        };
        Turn::Done(Err(failure))
    }
}

fn text(record: &DnsRecord) -> Option<&[u8]> {
    match record {
        DnsRecord::Txt(text) => Some(text),
        DnsRecord::A(_) | DnsRecord::Aaaa(_) | DnsRecord::Caa { .. } => None,
    }
}
