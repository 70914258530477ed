//! The account and the CA's directory: what all other flows stand on (RFC 8555 §7.1.1, §7.3).

mod intent;

use acme_crypto::HashAlgorithm;
use acme_jws::{Thumbprint, eab};
use acme_types::{AccountStatus, JsonObject, NewAccount, ProblemType, Url};
pub use intent::{AccountIntent, AccountKey, ExternalAccount};
use serde::{Deserialize, Serialize};

use super::{Happened, Kept, Progress, Slot, Want, Wanted};
use crate::failure::{Failure, Fault, Misbehaviour, Operation};
use crate::operation::{Endpoints, Reply, directory, new_account};
use crate::{Config, Event, KeyRef, SigningAlgorithm, SigningInput};

/// What is stored of the account.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    intent: AccountIntent,
    url: Option<Url>,
    /// newAccount may have been sent.
    opening: bool,
}

/// How much of the account is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Need {
    Nothing,
    Directory,
    Account,
}

pub(crate) struct AccountFlow {
    record: Kept<AccountRecord>,
    thumbprint: Thumbprint,
    endpoints: Option<Endpoints>,
    need: Need,
    stage: Stage,
    tell: Option<Event>,
}

enum Stage {
    /// Is there an account of this key already?
    Looking,
    /// It is to be made; the flattened JWS that binds it, once the MAC is there.
    Opening {
        binding: Option<JsonObject>,
        looked: bool,
    },
    Open,
}

impl AccountFlow {
    pub(crate) fn new(config: &Config, intent: AccountIntent) -> Self {
        let record = AccountRecord {
            url: intent.url.clone(),
            intent,
            opening: false,
        };
        Self::with(config, Kept::new(record))
    }

    pub(crate) fn restore(config: &Config, record: AccountRecord) -> Self {
        Self::with(config, Kept::stored(record))
    }

    fn with(config: &Config, record: Kept<AccountRecord>) -> Self {
        let thumbprint = record.intent.key.jwk.thumbprint(config.provider());
        let mut flow = Self {
            record,
            thumbprint,
            endpoints: None,
            need: Need::Nothing,
            stage: Stage::Open,
            tell: None,
        };
        flow.rest();
        flow
    }

    pub(crate) fn record(&self) -> &AccountRecord {
        &self.record
    }

    pub(crate) fn take_changed(&mut self) -> bool {
        self.record.take_changed()
    }

    pub(crate) fn key(&self) -> &AccountKey {
        &self.record.intent.key
    }

    pub(crate) fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    pub(crate) fn endpoints(&self) -> Option<&Endpoints> {
        self.endpoints.as_ref()
    }

    pub(crate) fn url(&self) -> Option<&Url> {
        self.record.url.as_ref()
    }

    pub(crate) fn has(&self, need: Need) -> bool {
        match need {
            Need::Nothing => true,
            Need::Directory => self.endpoints.is_some(),
            Need::Account => self.endpoints.is_some() && self.record.url.is_some(),
        }
    }

    /// Makes sure of this much. Is it news?
    pub(crate) fn need(&mut self, need: Need) -> bool {
        let news = need > self.need;
        self.need = self.need.max(need);
        self.note_opening();
        news
    }

    /// RFC 8555 §7.3: newAccount makes an account each time a new key signs it; that it may have
    /// been sent is recorded before it is.
    fn note_opening(&mut self) {
        if self.need == Need::Account
            && matches!(self.stage, Stage::Opening { .. })
            && !self.record.opening
        {
            self.record.change().opening = true;
        }
    }

    pub(crate) fn rest(&mut self) {
        let record = &self.record;
        self.stage = if record.url.is_some() {
            Stage::Open
        } else if record.opening || record.intent.only_existing {
            Stage::Looking
        } else {
            Stage::Opening {
                binding: None,
                looked: false,
            }
        };
        self.note_opening();
    }

    pub(crate) fn wants(&self, config: &Config) -> Vec<Wanted> {
        let mut wants = Vec::new();
        if let Some(event) = &self.tell {
            wants.push(Wanted::durable(Slot::Event, Want::Tell(event.clone())));
        }
        let Some(endpoints) = &self.endpoints else {
            if self.need > Need::Nothing {
                let request = Want::Request(directory::request(config.directory()));
                wants.push(Wanted::now(Slot::Directory, request));
            }
            return wants;
        };
        if self.need < Need::Account {
            return wants;
        }
        match &self.stage {
            Stage::Looking => {
                let request = Want::Request(new_account::lookup(endpoints));
                wants.push(Wanted::now(Slot::Account, request));
            }
            Stage::Opening { binding, .. } => match (&self.record.intent.external, binding) {
                (Some(external), None) => {
                    let draft = self.binding_draft(endpoints, external);
                    let algorithm = SigningAlgorithm::Mac(HashAlgorithm::Sha256);
                    let message = draft.message().to_vec();
                    let key = KeyRef::ExternalAccount(external.kid.clone());
                    let what = Want::Sign(key, SigningInput { algorithm, message });
                    wants.push(Wanted::now(Slot::Binding, what));
                }
                (_, binding) => {
                    let request = new_account::request(endpoints, &self.new_account(binding));
                    wants.push(Wanted::durable(Slot::Account, Want::Request(request)));
                }
            },
            Stage::Open => {}
        }
        wants
    }

    fn new_account(&self, binding: &Option<JsonObject>) -> NewAccount {
        NewAccount {
            contact: self.record.intent.contacts.clone(),
            terms_of_service_agreed: self.record.intent.terms_agreed,
            only_return_existing: false,
            external_account_binding: binding.clone(),
        }
    }

    fn binding_draft(&self, endpoints: &Endpoints, external: &ExternalAccount) -> eab::Draft {
        let jwk = self.record.intent.key.jwk();
        eab::draft(
            &external.kid,
            &endpoints.new_account,
            jwk,
            HashAlgorithm::Sha256,
        )
    }

    pub(crate) fn on(&mut self, slot: Slot, what: Happened, config: &Config) -> Progress {
        match (&mut self.stage, slot, what) {
            (_, Slot::Directory, Happened::Replied(reply)) => {
                match directory::read(config, &reply) {
                    Ok(endpoints) => {
                        self.endpoints = Some(endpoints);
                        Progress::Moved
                    }
                    Err(failure) => Progress::Again(failure),
                }
            }
            (Stage::Looking, Slot::Account, Happened::Replied(reply)) => {
                self.looked(config, &reply)
            }
            (Stage::Opening { looked, .. }, Slot::Account, Happened::Replied(reply)) => {
                let looked = *looked;
                self.opened(config, &reply, looked)
            }
            // It may have been made; used external account bindings are refused the second time.
            (Stage::Opening { .. }, Slot::Account, Happened::Unknown(failure)) => {
                self.stage = Stage::Looking;
                Progress::Again(failure)
            }
            (Stage::Opening { .. }, Slot::Binding, Happened::Signed(tag)) => self.bound(&tag),
            (_, Slot::Event, Happened::Kept) => {
                self.tell = None;
                Progress::Moved
            }
            (_, _, Happened::Unknown(failure)) => Progress::Again(failure),
            (_, _, _) => Progress::Moved,
        }
    }

    fn bound(&mut self, tag: &[u8]) -> Progress {
        let unsuitable = || Failure::new(Operation::NewAccount, Fault::Unsuitable);
        let (Some(endpoints), Some(external)) = (&self.endpoints, &self.record.intent.external)
        else {
            return Progress::Moved;
        };
        let body = self.binding_draft(endpoints, external).attach(tag);
        let Ok(object) = JsonObject::from_slice(&body) else {
            return Progress::Stopped(unsuitable());
        };
        if let Stage::Opening { binding, .. } = &mut self.stage {
            *binding = Some(object);
        }
        Progress::Moved
    }

    fn looked(&mut self, config: &Config, reply: &Reply) -> Progress {
        match new_account::read(config, reply) {
            Ok(opened) => self.open(opened),
            Err(failure) if failure.fault != Fault::ServerRefused => Progress::Again(failure),
            Err(failure) if self.record.intent.only_existing => Progress::Stopped(failure),
            // RFC 8555 §7.3.1: accountDoesNotExist. Others refuse to look without a binding.
            Err(_) => {
                self.stage = Stage::Opening {
                    binding: None,
                    looked: true,
                };
                self.note_opening();
                Progress::Moved
            }
        }
    }

    fn opened(&mut self, config: &Config, reply: &Reply, looked: bool) -> Progress {
        match new_account::read(config, reply) {
            Ok(opened) => self.open(opened),
            Err(failure) => {
                let missing = Fault::ServerMisbehaved(Misbehaviour::MissingLocation);
                if failure.fault == missing && !looked {
                    self.stage = Stage::Looking;
                    return Progress::Moved;
                }
                Progress::Stopped(failure)
            }
        }
    }

    fn open(&mut self, opened: new_account::Opened) -> Progress {
        let status = opened.account.and_then(|account| account.status.known());
        if let Some(AccountStatus::Deactivated | AccountStatus::Revoked) = status {
            let failure = Failure::new(Operation::NewAccount, Fault::ServerRefused);
            let problem = ProblemType::ACCOUNT_DOES_NOT_EXIST;
            return Progress::Stopped(Failure {
                problem: Some(Box::new(problem.into())),
                ..failure
            });
        }
        self.tell = Some(Event::AccountReady(opened.url.clone()));
        self.record.change().url = Some(opened.url);
        self.stage = Stage::Open;
        Progress::Moved
    }
}
