//! What an issuance commits, as a function of the rows that it sees.

use std::time::Duration;

use acme_jws::Jwk;
use acme_types::{
    AccountStatus, AuthorizationStatus, Problem, ProblemType, RevocationReason, Timestamp,
};

use super::{Artefacts, Goal};
use crate::config::Config;
use crate::issuance;
use crate::job::{Lease, crl_run, delete, lease_of, move_due};
use crate::operation::{authorization_status, covers};
use crate::schema::{
    AuditEvent, CertificateRow, Commit, IntentRow, IntentState, JobRow, JobState, Missing, OrderId,
    OrderRow, OrderState, Read, RevocationRow, Row, Serial, View, Write,
};

/// How often an order is tried: each attempt may use up a serial, and a client waits.
const ATTEMPTS_MAX: u32 = 4;
/// When the next attempt is made, times the number of attempts before.
const BACKOFF: Duration = Duration::from_secs(20);

/// What a decision looks at.
#[derive(Debug)]
pub(super) struct Situation<'a> {
    pub(super) config: &'a Config,
    pub(super) lease: &'a Lease,
    pub(super) order: OrderId,
    pub(super) serial: Serial,
    /// The serial of the next intent, if there is to be one: from this start's entropy.
    pub(super) next_serial: Serial,
    pub(super) view: &'a View,
    pub(super) now: Timestamp,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Next {
    /// Sign under this intent.
    Sign(Box<IntentRow>),
    /// Sign the final certificate: all is as it was.
    SignFinal,
    /// Commit this; afterwards the job goes on under this row, if there is one.
    Save(Commit, Option<JobRow>),
    /// The job is not, or no longer, this holder's.
    End,
}

/// Why an order can't be issued for any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Obstacle {
    Account,
    Authorization,
    AccountKey,
    BlockedKey,
    Ca,
}

impl Obstacle {
    /// The order's `error` (RFC 8555 §7.1.3).
    fn problem(self) -> Problem {
        match self {
            Self::Account => Problem::new(ProblemType::UNAUTHORIZED)
                .with_status(403)
                .with_detail("the account was deactivated before the certificate was issued"),
            Self::Authorization => Problem::new(ProblemType::UNAUTHORIZED)
                .with_status(403)
                .with_detail("an authorization ceased to count before the certificate was issued"),
            Self::AccountKey => Problem::new(ProblemType::BAD_CSR)
                .with_status(400)
                .with_detail("the key became an account's before the certificate was issued"),
            Self::BlockedKey => Problem::new(ProblemType::BAD_CSR)
                .with_status(400)
                .with_detail("the key was blocked before the certificate was issued"),
            Self::Ca => Problem::new(ProblemType::SERVER_INTERNAL)
                .with_status(500)
                .with_detail("the certificate could not be issued; a new order may succeed"),
        }
    }
}

impl Situation<'_> {
    /// What to do towards `goal`.
    pub(super) fn decide(&self, goal: &Goal) -> Result<Next, Missing> {
        let Some(row) = self.view.job(&self.lease.row.id)? else {
            return Ok(Next::End);
        };
        // The fencing token: whoever else took the job has moved all three.
        if *row != self.lease.row
            || self.view.version(&Read::Job(row.id)) != Some(self.lease.version)
        {
            return Ok(Next::End);
        }
        let Some(order) = self.view.order(&self.order)? else {
            return Ok(self.save(delete(row), "its order is gone", None));
        };
        let current = OrderState::Processing {
            serial: self.serial,
            job: row.id,
        };
        if order.state != current {
            return Ok(self.save(delete(row), "its order no longer waits for it", None));
        }
        // Damage, here and below: no commit of this CA leads there. The order ends all the same.
        let Some(intent) = self.view.intent(&self.serial)? else {
            let writes = self.fail(order, Obstacle::Ca);
            return Ok(self.save(writes, "its intent is gone; order invalid", None));
        };
        match (goal, intent.state) {
            (Goal::Begin, IntentState::Open) if !self.lease.taken_over => self.begin(order, intent),
            // Whether somebody signed before is not known: then it counts as signed.
            (Goal::Begin, IntentState::Open) => {
                let mut writes = self.presume(intent, &Artefacts::default())?;
                let (more, restarted, event) = self.start_over_or_fail(order, intent)?;
                writes.extend(more);
                Ok(self.save(writes, &format!("signature presumed; {event}"), restarted))
            }
            (Goal::Begin, IntentState::Presumed | IntentState::Dropped) => {
                let (writes, restarted, event) = self.start_over_or_fail(order, intent)?;
                Ok(self.save(writes, event, restarted))
            }
            (Goal::SignFinal(_), IntentState::Open) if self.obstacle(order, intent)?.is_none() => {
                Ok(Next::SignFinal)
            }
            (Goal::SignFinal(artefacts) | Goal::Presume(artefacts), IntentState::Open) => {
                let mut writes = self.presume(intent, artefacts)?;
                let (more, event) = self.park_or_fail(order, intent)?;
                writes.extend(more);
                Ok(self.save(writes, &format!("signature presumed; {event}"), None))
            }
            (Goal::Drop, IntentState::Open) => {
                let mut writes = vec![intent_state(intent, IntentState::Dropped)];
                let (more, event) = self.park_or_fail(order, intent)?;
                writes.extend(more);
                Ok(self.save(writes, &format!("not signed; {event}"), None))
            }
            (Goal::Fail, IntentState::Open) => {
                let mut writes = vec![intent_state(intent, IntentState::Dropped)];
                writes.extend(self.fail(order, Obstacle::Ca));
                Ok(self.save(writes, "the draft breaks a rule; order invalid", None))
            }
            (Goal::Finish(artefacts), IntentState::Open) => self.finish(order, intent, artefacts),
            (_, IntentState::Issued | IntentState::Presumed | IntentState::Dropped) => {
                let writes = self.fail(order, Obstacle::Ca);
                Ok(self.save(writes, "its intent was settled; order invalid", None))
            }
        }
    }

    fn begin(&self, order: &OrderRow, intent: &IntentRow) -> Result<Next, Missing> {
        // Asked for now, so that what is written at the end is guarded from here on.
        self.view.certificate(&intent.serial)?;
        let Some(obstacle) = self.obstacle(order, intent)? else {
            return Ok(Next::Sign(Box::new(intent.clone())));
        };
        let mut writes = vec![intent_state(intent, IntentState::Dropped)];
        writes.extend(self.fail(order, obstacle));
        Ok(self.save(writes, "not signed; order invalid", None))
    }

    /// The certificate is stored, whatever has become of the account meanwhile.
    fn finish(
        &self,
        order: &OrderRow,
        intent: &IntentRow,
        artefacts: &Artefacts,
    ) -> Result<Next, Missing> {
        self.view.certificate(&intent.serial)?;
        let live = self.obstacle(order, intent)? != Some(Obstacle::Account);
        let mut writes = vec![
            self.certificate(intent, artefacts),
            intent_state(intent, IntentState::Issued),
        ];
        if live {
            let state = OrderState::Valid {
                serial: intent.serial,
            };
            writes.push(Write::Put(Row::Order(OrderRow {
                state,
                ..order.clone()
            })));
            writes.extend(delete(&self.lease.row));
            Ok(self.save(writes, "issued", None))
        } else {
            // Invariant I30: nothing is issued to an account that is deactivated; what was signed
            // while that became durable is revoked.
            writes.extend(self.revoke(intent, RevocationReason::CessationOfOperation)?);
            writes.extend(self.fail(order, Obstacle::Account));
            Ok(self.save(writes, "issued and revoked; order invalid", None))
        }
    }

    /// Whether the order may still be issued for: its account, every authorization and the key, now,
    /// and not only when it was finalized (invariants I1, I6, I19, I30).
    fn obstacle(&self, order: &OrderRow, intent: &IntentRow) -> Result<Option<Obstacle>, Missing> {
        let account = self.view.account(&order.account);
        let mut missing: Vec<Read> = account
            .as_ref()
            .err()
            .into_iter()
            .flat_map(|m| m.0.clone())
            .collect();
        let keys = self.keys(intent);
        let unknown = keys.iter().map(|(read, _)| read);
        missing.extend(unknown.filter(|read| self.view.row(read).is_err()).cloned());
        let mut rows = Vec::with_capacity(order.authorizations.len());
        let mut stale = false;
        let caa_age_max = self.config.policy.orders.caa_age_max;
        for id in &order.authorizations {
            match self.view.authorization(id) {
                Ok(Some(row)) => {
                    let valid = authorization_status(row, self.now) == AuthorizationStatus::Valid;
                    let checked = row.caa_checked_at;
                    // BR §3.2.2.8.1: CAA at most 8 hours before issuance.
                    let fresh = checked.is_some_and(|at| self.now < at.after(caa_age_max));
                    stale |= !valid || !fresh;
                    rows.push(row);
                }
                Ok(None) => stale = true,
                Err(absent) => missing.extend(absent.0),
            }
        }
        if !missing.is_empty() {
            return Err(Missing(missing));
        }
        stale |= !covers(order, &rows);
        let live = account?.is_some_and(|account| account.status == AccountStatus::Valid);
        // Finalize saw neither, but what is absent can't be guarded: an account may have been made
        // with the key before finalize was durable, and a revocation may have blocked it.
        let mut bad_key = None;
        for (read, obstacle) in keys {
            if self.view.row(&read)?.is_some() {
                bad_key = bad_key.max(Some(obstacle));
            }
        }
        Ok(match (live, bad_key, stale) {
            (false, ..) => Some(Obstacle::Account),
            (true, Some(obstacle), _) => Some(obstacle),
            (true, None, true) => Some(Obstacle::Authorization),
            (true, None, false) => None,
        })
    }

    /// Whether the key to be certified is an account's, and whether it is blocked. Of a CSR that
    /// doesn't read nothing is signed anyway.
    fn keys(&self, intent: &IntentRow) -> Vec<(Read, Obstacle)> {
        let Ok(key) = issuance::key_of(intent) else {
            return Vec::new();
        };
        let provider = self.config.provider.as_ref();
        let blocked = Read::BlockedKey(provider.sha256(&key.to_spki_der()));
        let account = Read::AccountKey(Jwk::from_public_key(key).thumbprint(provider));
        vec![
            (account, Obstacle::AccountKey),
            (blocked, Obstacle::BlockedKey),
        ]
    }

    /// RFC 6962 §3.1: a precertificate is "a binding intent by the CA to issue"; one that may
    /// exist is treated as a certificate that does, and is revoked.
    fn presume(&self, intent: &IntentRow, known: &Artefacts) -> Result<Vec<Write>, Missing> {
        self.view.certificate(&intent.serial)?;
        let mut writes = self.revoke(intent, RevocationReason::Superseded)?;
        writes.push(self.certificate(intent, known));
        writes.push(intent_state(intent, IntentState::Presumed));
        Ok(writes)
    }

    /// A new intent under a new serial, or the end of the order. The row that the job goes on
    /// under, if it does.
    fn start_over_or_fail(
        &self,
        order: &OrderRow,
        old: &IntentRow,
    ) -> Result<(Vec<Write>, Option<JobRow>, &'static str), Missing> {
        let failed = |obstacle| (self.fail(order, obstacle), None, "order invalid");
        if let Some(obstacle) = self.obstacle(order, old)? {
            return Ok(failed(obstacle));
        }
        let row = &self.lease.row;
        if row.attempt > ATTEMPTS_MAX {
            return Ok(failed(Obstacle::Ca));
        }
        let serial = self.next_serial;
        // A serial that is there already means that the random source repeats itself (H255).
        if self.view.intent(&serial)?.is_some() {
            return Ok(failed(Obstacle::Ca));
        }
        let Ok(intent) = issuance::restart(self.config, old, serial, self.now) else {
            return Ok(failed(Obstacle::Ca));
        };
        let state = JobState::Issuance {
            order: order.id,
            serial,
        };
        let due = self.now.after(lease_of(self.config, &state));
        let restarted = JobRow {
            due,
            state,
            ..row.clone()
        };
        let processing = OrderState::Processing {
            serial,
            job: row.id,
        };
        let mut writes = move_due(row.due, &restarted);
        writes.push(Write::Put(Row::Intent(intent)));
        writes.push(Write::Put(Row::Order(OrderRow {
            state: processing,
            ..order.clone()
        })));
        Ok((writes, Some(restarted), "started over"))
    }

    /// The next attempt later, or the end of the order.
    fn park_or_fail(
        &self,
        order: &OrderRow,
        intent: &IntentRow,
    ) -> Result<(Vec<Write>, &'static str), Missing> {
        if let Some(obstacle) = self.obstacle(order, intent)? {
            return Ok((self.fail(order, obstacle), "order invalid"));
        }
        let row = &self.lease.row;
        if row.attempt >= ATTEMPTS_MAX {
            return Ok((self.fail(order, Obstacle::Ca), "order invalid"));
        }
        let due = self.now.after(BACKOFF.saturating_mul(row.attempt));
        let parked = JobRow { due, ..row.clone() };
        Ok((move_due(row.due, &parked), "tried again later"))
    }

    fn fail(&self, order: &OrderRow, obstacle: Obstacle) -> Vec<Write> {
        let state = OrderState::Invalid {
            problem: obstacle.problem(),
        };
        let mut writes = delete(&self.lease.row);
        writes.push(Write::Put(Row::Order(OrderRow {
            state,
            ..order.clone()
        })));
        writes
    }

    fn certificate(&self, intent: &IntentRow, known: &Artefacts) -> Write {
        let spki = issuance::key_of(intent).map(|key| key.to_spki_der());
        // A CSR that doesn't read was never signed for; the hash then is that of nothing.
        let spki_sha256 = self.config.provider.sha256(&spki.unwrap_or_default());
        Write::Put(Row::Certificate(CertificateRow {
            serial: intent.serial,
            issuer: intent.issuer.clone(),
            order: intent.order,
            account: intent.account,
            identifiers: intent.identifiers.clone(),
            der: known.certificate.clone(),
            precertificate: known.precertificate.clone(),
            spki_sha256,
            not_before: intent.not_before,
            not_after: intent.not_after,
            shard: intent.shard,
        }))
    }

    /// A revocation, and a CRL with it soon.
    fn revoke(&self, intent: &IntentRow, reason: RevocationReason) -> Result<Vec<Write>, Missing> {
        self.view.revocation(intent.shard, &intent.serial)?;
        let run = self.view.job(&crl_run::job_id(intent.shard))?;
        let mut writes = crl_run::soon(run, self.now);
        writes.push(Write::Put(Row::Revocation(RevocationRow {
            shard: intent.shard,
            serial: intent.serial,
            revoked_at: self.now.truncate_to_secs(),
            reason,
            not_after: intent.not_after,
        })));
        Ok(writes)
    }

    fn save(&self, writes: Vec<Write>, event: &str, restarted: Option<JobRow>) -> Next {
        let event = format!(
            "issuance {} for order {}, serial {}, attempt {}: {event}",
            self.lease.row.id, self.order, self.serial, self.lease.row.attempt
        );
        let commit = Commit::new(self.view, writes).with_audit(vec![AuditEvent {
            at: self.now,
            event,
        }]);
        Next::Save(commit, restarted)
    }
}

fn intent_state(intent: &IntentRow, state: IntentState) -> Write {
    Write::Put(Row::Intent(IntentRow {
        state,
        ..intent.clone()
    }))
}
