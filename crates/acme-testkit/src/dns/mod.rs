//! A real authoritative DNS server on loopback, UDP and TCP on one port.
//!
//! It is authoritative for the whole name space (a test names whatever it likes) and can be asked
//! as if it were a resolver: aliases are followed inside it. What it says is set at run time, for
//! everyone or for one source address; how it fails as well. Every query is remembered.
//!
//! RFC 1034 §4.3.2 (lookup), RFC 1035 §4 (messages), RFC 2308 (negative answers), RFC 4592
//! (wildcards), RFC 6891 (EDNS), RFC 8020 (nothing exists below NXDOMAIN). No DNSSEC, no zone
//! transfer, no update.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use acme_testkit::dns::{Dns, Fault, Record, RecordType};
//! let dns = Dns::start().await?;
//! dns.add("example.com", Record::A([127, 0, 0, 1].into()));
//! dns.add("_acme-challenge.example.com", Record::txt("gfj9Xq...Rg85nM"));
//! dns.add("example.com", Record::caa("issue", "ca.example"));
//! // The perspective at 127.0.0.3 is lied to; the one at 127.0.0.4 gets no CAA answer.
//! dns.seen_from([127, 0, 0, 3].into()).add("example.com", Record::A([127, 6, 6, 6].into()));
//! dns.seen_from([127, 0, 0, 4].into())
//!     .fault("example.com", Some(RecordType::CAA), Fault::ServFail);
//! println!("ask {}", dns.address());
//! assert_eq!(dns.count("example.com", RecordType::A), 0);
//! # std::io::Result::Ok(()) }).unwrap();
//! ```

mod record;
mod reply;
mod server;
mod zone;

pub use record::{Record, RecordType};
pub use zone::Fault;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::background::Background;
use record::normal;
use zone::World;

/// The most queries that are remembered; later ones are answered and only counted by
/// [`Dns::forgotten`].
pub const QUERIES_MAX: usize = 1_000_000;

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// One datagram.
    Udp,
    /// A stream with length prefixes (RFC 7766).
    Tcp,
}

/// A query as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Who asked.
    pub source: SocketAddr,
    /// How.
    pub transport: Transport,
    /// The name, lower-case, without the last dot.
    pub name: String,
    /// What about it.
    pub record_type: RecordType,
}

/// The server. It stops when this is dropped.
#[derive(Debug)]
pub struct Dns {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _udp: Background,
    _tcp: Background,
}

#[derive(Debug, Default)]
struct Shared {
    world: World,
    queries: Vec<Query>,
    forgotten: u64,
}

impl Dns {
    /// Starts on 127.0.0.1 and a free port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Dns> {
        Dns::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts on this address; port 0 takes one that is free for both UDP and TCP.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start_at(address: SocketAddr) -> io::Result<Dns> {
        let (udp, tcp) = server::bind(address).await?;
        let address = udp.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared::default()));
        Ok(Dns {
            address,
            _udp: Background::spawn(server::udp(udp, shared.clone())),
            _tcp: Background::spawn(server::tcp(tcp, shared.clone())),
            shared,
        })
    }

    /// Where to ask, by UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the name the top of a zone: it gets SOA and NS records, and negative answers below
    /// it carry its SOA. Without any, all names are in the root's zone.
    pub fn add_zone(&self, apex: &str) {
        lock(&self.shared).world.zones.insert(normal(apex));
    }

    /// What one source address sees. Names that are set there replace those that everyone sees,
    /// as a whole.
    pub fn seen_from(&self, source: IpAddr) -> View<'_> {
        View {
            dns: self,
            source: Some(source),
        }
    }

    fn everyone(&self) -> View<'_> {
        View {
            dns: self,
            source: None,
        }
    }

    /// Adds a record. The name may start with `*.` (RFC 4592); capitals and a last dot don't
    /// matter. A name that DNS can't carry is never found.
    pub fn add(&self, name: &str, record: Record) {
        self.everyone().add(name, record);
    }

    /// Removes this record, and says whether it was there.
    pub fn remove(&self, name: &str, record: &Record) -> bool {
        self.everyone().remove(name, record)
    }

    /// Removes all records of one type of this name.
    pub fn remove_all(&self, name: &str, record_type: RecordType) {
        self.everyone().remove_all(name, record_type);
    }

    /// From now on questions about the name, or only those for one type, fail in this way.
    pub fn fault(&self, name: &str, record_type: Option<RecordType>, fault: Fault) {
        self.everyone().fault(name, record_type, fault);
    }

    /// The same, for this many questions.
    pub fn fault_times(
        &self,
        name: &str,
        record_type: Option<RecordType>,
        fault: Fault,
        times: u32,
    ) {
        self.everyone().fault_times(name, record_type, fault, times);
    }

    /// Ends all faults of the name, for everyone.
    pub fn heal(&self, name: &str) {
        self.everyone().heal(name);
    }

    /// All queries since the start or the last [`Dns::forget_queries`], in the order they came.
    pub fn queries(&self) -> Vec<Query> {
        lock(&self.shared).queries.clone()
    }

    /// How many queries asked this.
    pub fn count(&self, name: &str, record_type: RecordType) -> usize {
        let name = normal(name);
        let asks = |query: &&Query| query.name == name && query.record_type == record_type;
        lock(&self.shared).queries.iter().filter(asks).count()
    }

    /// The addresses that asked about the name, whatever they asked.
    pub fn sources(&self, name: &str) -> BTreeSet<IpAddr> {
        let name = normal(name);
        let shared = lock(&self.shared);
        let of_name = shared.queries.iter().filter(|query| query.name == name);
        of_name.map(|query| query.source.ip()).collect()
    }

    /// Starts to remember anew.
    pub fn forget_queries(&self) {
        let mut shared = lock(&self.shared);
        shared.queries.clear();
        shared.forgotten = 0;
    }

    /// How many queries came when [`QUERIES_MAX`] were remembered already.
    pub fn forgotten(&self) -> u64 {
        lock(&self.shared).forgotten
    }
}

/// What one source address sees (see [`Dns::seen_from`]).
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    dns: &'a Dns,
    source: Option<IpAddr>,
}

impl View<'_> {
    fn edit<T>(&self, edit: impl FnOnce(&mut zone::Records) -> T) -> T {
        edit(lock(&self.dns.shared).world.records_for(self.source))
    }

    /// As [`Dns::add`].
    pub fn add(&self, name: &str, record: Record) {
        self.edit(|records| records.add(name, record));
    }

    /// As [`Dns::remove`].
    pub fn remove(&self, name: &str, record: &Record) -> bool {
        self.edit(|records| records.remove(name, record))
    }

    /// As [`Dns::remove_all`].
    pub fn remove_all(&self, name: &str, record_type: RecordType) {
        self.edit(|records| records.remove_all(name, record_type));
    }

    /// As [`Dns::fault`].
    pub fn fault(&self, name: &str, record_type: Option<RecordType>, fault: Fault) {
        self.edit(|records| records.fault(name, record_type, fault, None));
    }

    /// As [`Dns::fault_times`].
    pub fn fault_times(
        &self,
        name: &str,
        record_type: Option<RecordType>,
        fault: Fault,
        times: u32,
    ) {
        self.edit(|records| records.fault(name, record_type, fault, Some(times)));
    }

    /// As [`Dns::heal`].
    pub fn heal(&self, name: &str) {
        self.edit(|records| records.heal(name));
    }
}

/// A panic elsewhere in a test must not hide behind a poisoned lock.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
