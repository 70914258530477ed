//! What must never be, checked after every commit and every signature.
//!
//! The names in brackets are those of the invariants in the project's threat model, where each
//! has one.

use std::collections::{BTreeMap, BTreeSet};

use acme_ca_core::schema::{
    AccountRow, AuthorizationRow, CertificateRow, ChallengeState, Commit, IntentRow, OrderRow,
    OrderState, Read, Row, Serial, Write,
};
use acme_ca_core::store::Memory;
use acme_types::{AccountStatus, AuthorizationStatus, Identifier, Nonce, Timestamp};

/// An invariant that doesn't hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation(pub String);

/// The history that the invariants look at.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    nonces: BTreeSet<Nonce>,
    signed: BTreeSet<Vec<u8>>,
    serials: BTreeMap<Serial, Vec<u8>>,
    /// Rows whose existence a client has been told of.
    acknowledged: BTreeSet<Read>,
}

type Checked = Result<(), Violation>;

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(Violation(what()))
    }
}

impl Ledger {
    /// [I27] No nonce is accepted twice.
    pub(crate) fn accepted(&mut self, nonce: &Nonce) -> Checked {
        let fresh = self.nonces.insert(nonce.clone());
        ensure(fresh, || "a nonce was accepted twice".to_owned())
    }

    /// [I11] A durable intent precedes every signature on a certificate; one signature per intent.
    pub(crate) fn signs(&mut self, message: &[u8], store: &Memory) -> Checked {
        if !is_certificate(message) {
            return Ok(());
        }
        let intended = rows(store)
            .any(|row| matches!(&row, Row::Intent(IntentRow { tbs, .. }) if tbs == message));
        ensure(intended, || {
            "a certificate is signed without a durable intent".to_owned()
        })?;
        let first = self.signed.insert(message.to_vec());
        ensure(first, || "a certificate is signed twice".to_owned())
    }

    /// A client was told that this exists.
    pub(crate) fn acknowledged(&mut self, read: Read) {
        self.acknowledged.insert(read);
    }

    /// A commit is about to be applied to `before`.
    pub(crate) fn commits(
        &mut self,
        commit: &Commit,
        before: &Memory,
        now: Timestamp,
        owner: &dyn Fn(&Identifier, &AccountRow) -> bool,
    ) -> Checked {
        for write in &commit.writes {
            let old = find(before, &write.read());
            match (old, write) {
                (Some(Row::Account(old)), Write::Put(Row::Account(new))) => account(&old, new)?,
                (Some(Row::AccountKey(old)), Write::Put(Row::AccountKey(new))) => {
                    ensure(old == *new, || {
                        "[I29] a key went to another account".to_owned()
                    })?;
                }
                (Some(Row::Order(old)), Write::Put(Row::Order(new))) => order(&old, new)?,
                (Some(Row::Authorization(old)), Write::Put(Row::Authorization(new))) => {
                    authorization(&old, new)?;
                }
                (old, Write::Put(Row::Certificate(new))) => {
                    self.certificate(old, new, before, now, owner)?;
                }
                (
                    Some(
                        Row::Account(_)
                        | Row::AccountKey(_)
                        | Row::Order(_)
                        | Row::Certificate(_)
                        | Row::Revocation(_)
                        | Row::Authorization(_),
                    ),
                    Write::Delete(read),
                ) => return Err(Violation(format!("{read:?} was deleted"))),
                _ => {}
            }
        }
        Ok(())
    }

    /// [I01], [I16], [I25], [I30] What must hold of a certificate when it is stored.
    fn certificate(
        &mut self,
        old: Option<Row>,
        new: &CertificateRow,
        before: &Memory,
        now: Timestamp,
        owner: &dyn Fn(&Identifier, &AccountRow) -> bool,
    ) -> Checked {
        if let Some(old) = old {
            let same = old == Row::Certificate(new.clone());
            ensure(same, || {
                format!("[I16] serial {} was used twice", new.serial)
            })?;
        }
        let Some(der) = &new.der else { return Ok(()) };
        if let Some(other) = self.serials.insert(new.serial, der.clone()) {
            ensure(other == *der, || {
                format!("[I16] two certificates of {}", new.serial)
            })?;
        }
        let wrong = |what: &str| Err(Violation(format!("{} {what}", new.serial)));
        let Some(Row::Order(order)) = find(before, &Read::Order(new.order)) else {
            return wrong("was issued without an order");
        };
        let Some(Row::Account(account)) = find(before, &Read::Account(order.account)) else {
            return wrong("was issued without an account");
        };
        if order.account != new.account || order.identifiers != new.identifiers {
            return wrong("[I01] is for another account or other names than its order");
        }
        if account.status != AccountStatus::Valid {
            return wrong("[I30] was issued for an account that isn't valid");
        }
        let Some(Row::Intent(intent)) = find(before, &Read::Intent(new.serial)) else {
            return wrong("[I11] was issued without an intent");
        };
        for (identifier, id) in order.identifiers.iter().zip(&order.authorizations) {
            let Some(Row::Authorization(row)) = find(before, &Read::Authorization(*id)) else {
                return wrong("[I01] was issued without an authorization");
            };
            let covers = row.account == order.account
                && row.identifier == identifier.base()
                && row.wildcard == identifier.is_wildcard()
                && row.status == AuthorizationStatus::Valid
                && row.expires > intent.created_at;
            if !covers {
                return wrong("[I01] was issued without a valid authorization for a name");
            }
            if !owner(identifier, &account) {
                return wrong("was issued to somebody who doesn't control the name");
            }
        }
        let _ = now;
        Ok(())
    }

    /// Nothing acknowledged is lost.
    pub(crate) fn keeps(&self, store: &Memory) -> Checked {
        for read in &self.acknowledged {
            let found = find(store, read).is_some();
            ensure(found, || format!("{read:?} was acknowledged and is lost"))?;
        }
        Ok(())
    }
}

/// After the faults have stopped and all is quiet: nothing is half done.
pub(crate) fn ended(store: &Memory) -> Checked {
    for row in rows(store) {
        match row {
            Row::Order(OrderRow {
                id,
                state: OrderState::Processing { .. },
                ..
            }) => {
                return Err(Violation(format!("order {id} stays processing")));
            }
            Row::Job(job)
                if !matches!(job.state, acme_ca_core::schema::JobState::CrlRun { .. }) =>
            {
                return Err(Violation(format!("job {} has no end", job.id)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// [I23]
fn account(old: &AccountRow, new: &AccountRow) -> Checked {
    let holds = old.status == AccountStatus::Valid || old.status == new.status;
    ensure(holds, || format!("[I23] account {} came back", old.id))
}

/// [I20], [I24] RFC 8555 §7.1.6.
fn order(old: &OrderRow, new: &OrderRow) -> Checked {
    let moves = match (&old.state, &new.state) {
        (OrderState::Open, _) => !matches!(new.state, OrderState::Valid { .. }),
        (OrderState::Processing { serial: a, .. }, OrderState::Valid { serial: b }) => a == b,
        (OrderState::Processing { .. }, OrderState::Open) => false,
        (OrderState::Processing { .. }, _) => true,
        (a, b) => a == b,
    };
    ensure(moves, || {
        format!(
            "[I20] order {} went from {:?} to {:?}",
            old.id, old.state, new.state
        )
    })?;
    let fixed = old.identifiers == new.identifiers
        && old.authorizations == new.authorizations
        && old.account == new.account;
    ensure(fixed, || {
        format!("[I24] order {} changed what it is for", old.id)
    })
}

/// [I21], [I22]
fn authorization(old: &AuthorizationRow, new: &AuthorizationRow) -> Checked {
    use AuthorizationStatus as S;
    let moves = match (old.status, new.status) {
        (a, b) if a == b => true,
        (S::Pending, _) => true,
        (S::Valid, S::Expired | S::Deactivated | S::Revoked) => true,
        (_, _) => false,
    };
    ensure(moves, || {
        format!(
            "[I21] authorization {} went from {:?} to {:?}",
            old.id, old.status, new.status
        )
    })?;
    for (old, new) in old.challenges.iter().zip(&new.challenges) {
        let moves = match (&old.state, &new.state) {
            (ChallengeState::Valid { .. } | ChallengeState::Invalid, _) => old.state == new.state,
            (_, ChallengeState::Pending) => old.state == ChallengeState::Pending,
            _ => true,
        };
        ensure(moves, || {
            format!(
                "[I22] challenge went from {:?} to {:?}",
                old.state, new.state
            )
        })?;
    }
    Ok(())
}

/// A TBSCertificate, not a TBSCertList: its first member is the version in a context tag.
fn is_certificate(message: &[u8]) -> bool {
    let header = match message.get(1) {
        Some(len) if *len < 0x80 => 2,
        Some(len) => 2 + usize::from(len & 0x7f),
        None => return false,
    };
    message.get(header) == Some(&0xa0)
}

fn find(store: &Memory, read: &Read) -> Option<Row> {
    let loaded = store.load(std::slice::from_ref(read)).ok()?;
    loaded.0.into_iter().next()?.1.map(|(_, row)| row)
}

fn rows(store: &Memory) -> impl Iterator<Item = Row> + '_ {
    store.rows().filter_map(|row| row.ok().map(|(_, row)| row))
}
