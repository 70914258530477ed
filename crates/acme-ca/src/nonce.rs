//! Anti-replay nonces (RFC 8555 §6.5) that cost no commit: sealed when they are issued, crossed
//! off when they come back.
//!
//! A nonce is `node ‖ epoch ‖ counter ‖ MAC`. The MAC's key is random, is made when the process
//! starts and never leaves it; so is the epoch. A restarted or restored node therefore knows none
//! of the nonces of before: a client learns `badNonce` with a fresh one and repeats its request.
//! Memory is one bit per nonce of the window, however many are fetched.

use std::sync::{Arc, Mutex, PoisonError};

use acme_ca_core::effect::Redeemed;
use acme_crypto::{HashAlgorithm, Provider};
use acme_types::{Nonce, base64url};
use zeroize::Zeroizing;

use crate::random;

/// How many of the newest nonces are redeemable: at ten thousand requests a second, the last 100
/// seconds. 128 KiB of bits.
const WINDOW: u64 = 1 << 20;
const BITS_PER_WORD: u64 = 64;

const NODE_LEN: usize = 4;
const EPOCH_LEN: usize = 16;
const COUNTER_LEN: usize = 8;
const MESSAGE_LEN: usize = NODE_LEN + EPOCH_LEN + COUNTER_LEN;

/// Which node of a CA issued a nonce; another one can't redeem it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeId(pub u32);

/// The nonces of one node, since it started.
pub struct Nonces {
    provider: Arc<dyn Provider>,
    key: Zeroizing<[u8; 32]>,
    prefix: [u8; NODE_LEN + EPOCH_LEN],
    window: Mutex<Window>,
}

/// The newest [`WINDOW`] counters; a set bit is a nonce that is out and wasn't redeemed.
struct Window {
    next: u64,
    out: Vec<u64>,
}

impl Nonces {
    /// None issued yet, under a new epoch and a new key.
    pub fn new(provider: Arc<dyn Provider>, node: NodeId) -> Self {
        let mut prefix = [0; NODE_LEN + EPOCH_LEN];
        let parts = node
            .0
            .to_be_bytes()
            .into_iter()
            .chain(random::bytes::<EPOCH_LEN>());
        prefix
            .iter_mut()
            .zip(parts)
            .for_each(|(to, from)| *to = from);
        let words = usize::try_from(WINDOW / BITS_PER_WORD).unwrap_or(usize::MAX);
        Self {
            provider,
            key: Zeroizing::new(random::bytes()),
            prefix,
            window: Mutex::new(Window {
                next: 0,
                out: vec![0; words],
            }),
        }
    }

    /// A fresh nonce.
    pub fn issue(&self) -> Nonce {
        let counter = self
            .window
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .issue();
        let mut bytes = self.prefix.to_vec();
        bytes.extend(counter.to_be_bytes());
        let tag = self.provider.mac(HashAlgorithm::Sha256, &*self.key, &bytes);
        bytes.extend(tag);
        Nonce::from_bytes(&bytes).unwrap_or_else(|_| unreachable!("60 bytes make a nonce"))
    }

    /// Takes a nonce back: accepted once.
    pub fn redeem(&self, nonce: &Nonce) -> Redeemed {
        match self.counter(nonce) {
            Some(counter) => self
                .window
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .redeem(counter),
            None => Redeemed::Refused,
        }
    }

    /// The counter of a nonce that this node sealed in this epoch.
    fn counter(&self, nonce: &Nonce) -> Option<u64> {
        let bytes = base64url::decode(nonce.as_str()).ok()?;
        let (message, tag) = bytes.split_at_checked(MESSAGE_LEN)?;
        self.provider
            .verify_mac(HashAlgorithm::Sha256, &*self.key, message, tag)
            .ok()?;
        let (prefix, counter) = message.split_last_chunk::<COUNTER_LEN>()?;
        (prefix == self.prefix).then(|| u64::from_be_bytes(*counter))
    }
}

impl Window {
    fn issue(&mut self) -> u64 {
        let counter = self.next;
        self.next = self.next.wrapping_add(1);
        // Takes the place of the counter that was here a window ago.
        let (word, bit) = place(counter);
        if let Some(word) = self.out.get_mut(word) {
            *word |= bit;
        }
        counter
    }

    fn redeem(&mut self, counter: u64) -> Redeemed {
        let age = self.next.wrapping_sub(counter);
        if age == 0 || age > WINDOW {
            return Redeemed::Refused;
        }
        let (word, bit) = place(counter);
        match self.out.get_mut(word) {
            Some(word) if *word & bit != 0 => {
                *word &= !bit;
                Redeemed::Accepted
            }
            _ => Redeemed::Refused,
        }
    }
}

fn place(counter: u64) -> (usize, u64) {
    let slot = counter % WINDOW;
    let word = usize::try_from(slot / BITS_PER_WORD).unwrap_or(usize::MAX);
    (word, 1 << (slot % BITS_PER_WORD))
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nonces").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use acme_crypto::aws_lc::AwsLc;

    use super::*;

    fn node(id: u32) -> Nonces {
        Nonces::new(Arc::new(AwsLc), NodeId(id))
    }

    /// The nonce with one character changed.
    fn bent(nonce: &Nonce, position: usize) -> Option<Nonce> {
        let mut text = nonce.as_str().to_owned().into_bytes();
        text[position] = if text[position] == b'A' { b'B' } else { b'A' };
        Nonce::parse(&String::from_utf8(text).unwrap()).ok()
    }

    #[test]
    fn a_nonce_is_accepted_once_in_any_order() {
        let node = node(1);
        let nonces: Vec<Nonce> = (0..200).map(|_| node.issue()).collect();
        for nonce in nonces.iter().rev() {
            assert_eq!(node.redeem(nonce), Redeemed::Accepted);
            assert_eq!(node.redeem(nonce), Redeemed::Refused);
        }
        assert!(
            nonces
                .iter()
                .all(|nonce| node.redeem(nonce) == Redeemed::Refused)
        );
    }

    #[test]
    fn another_node_and_the_same_one_after_a_restart_refuse_it() {
        let first = node(1);
        let nonce = first.issue();
        let (other, restarted) = (node(2), node(1));
        // They have issued as many themselves.
        let _ = (other.issue(), restarted.issue());
        assert_eq!(other.redeem(&nonce), Redeemed::Refused);
        assert_eq!(restarted.redeem(&nonce), Redeemed::Refused);
        assert_eq!(first.redeem(&nonce), Redeemed::Accepted);
    }

    #[test]
    fn a_nonce_with_any_character_changed_is_refused() {
        let node = node(1);
        let nonces: Vec<Nonce> = (0..300).map(|_| node.issue()).collect();
        for nonce in &nonces[..3] {
            for position in 0..nonce.as_str().len() {
                if let Some(bent) = bent(nonce, position) {
                    assert_eq!(node.redeem(&bent), Redeemed::Refused, "{position}");
                }
            }
        }
        for text in ["A", "AAAA", &"A".repeat(80), &"A".repeat(128)] {
            assert_eq!(node.redeem(&Nonce::parse(text).unwrap()), Redeemed::Refused);
        }
    }

    #[test]
    fn a_flood_takes_no_more_memory_and_pushes_out_the_oldest_only() {
        let mut window = Window {
            next: 0,
            out: vec![0; (WINDOW / BITS_PER_WORD) as usize],
        };
        let size = (window.out.len(), window.out.capacity());
        let first = window.issue();
        let used = window.issue();
        assert_eq!(window.redeem(used), Redeemed::Accepted);
        let last = (0..WINDOW - 1).map(|_| window.issue()).last().unwrap();
        // `first` is one too old, and its place is another's.
        assert_eq!(window.redeem(first), Redeemed::Refused);
        assert_eq!(window.redeem(used), Redeemed::Refused, "still crossed off");
        assert_eq!(window.redeem(last), Redeemed::Accepted);
        for _ in 0..2 * WINDOW {
            window.issue();
        }
        assert_eq!((window.out.len(), window.out.capacity()), size);
        assert_eq!(window.redeem(last), Redeemed::Refused);
        assert_eq!(
            window.redeem(window.next),
            Redeemed::Refused,
            "not issued yet"
        );
        assert_eq!(window.redeem(window.next - 1), Redeemed::Accepted);
        assert_eq!(window.redeem(window.next - WINDOW), Redeemed::Accepted);
    }
}
