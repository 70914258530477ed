use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use acme_types::{DnsName, Url};
use clap::{Args, Parser, Subcommand};

/// A certificate authority that speaks ACME (RFC 8555).
#[derive(Debug, Parser)]
#[command(name = "acme-ca", version, max_term_width = 100)]
pub(super) struct Flags {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a CA of your own until it is told to stop.
    ///
    /// The first start makes a root and an intermediate in the data folder; every later one goes
    /// on where the last one ended, however that was. Clients must trust DIR/root.pem and are
    /// given the directory URL that is printed.
    Serve(Box<ServeFlags>),
}

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ServeFlags {
    /// Where everything is kept: keys, rows, root.pem. Made if it isn't there.
    #[arg(long, value_name = "DIR", env = "ACME_CA_DATA")]
    pub(super) data: PathBuf,

    /// The CA's name, in the certificates that the first start makes.
    #[arg(long, value_name = "TEXT", default_value = "Private CA")]
    pub(super) name: String,

    /// Where HTTPS listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:14000")]
    pub(super) listen: SocketAddr,

    /// How clients reach it, https. Without it: the address that it listens on.
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(super) url: Option<Url>,

    /// Where CRLs and issuer certificates are published over plain HTTP.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:14001")]
    pub(super) http_listen: SocketAddr,

    /// How everybody reaches that, http; stands in the certificates. Without it: the address.
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(super) publication_url: Option<Url>,

    /// A recursive DNS resolver that validation asks; may be repeated. Without it: those of
    /// /etc/resolv.conf.
    #[arg(long, value_name = "ADDR", value_parser = resolver)]
    pub(super) resolver: Vec<SocketAddr>,

    /// The port on which http-01 looks.
    #[arg(long, value_name = "PORT", default_value_t = 80, value_parser = port())]
    pub(super) http_port: u16,

    /// The port to which an http-01 redirect to https may lead.
    #[arg(long, value_name = "PORT", default_value_t = 443, value_parser = port())]
    pub(super) https_port: u16,

    /// The port on which tls-alpn-01 looks.
    #[arg(long, value_name = "PORT", default_value_t = 443, value_parser = port())]
    pub(super) tls_port: u16,

    /// From how many perspectives validation looks: a primary one and the rest remote.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) perspectives: Option<u16>,

    /// The source address of a perspective; repeated, the first is the primary's.
    #[arg(long, value_name = "IP")]
    pub(super) perspective_source: Vec<IpAddr>,

    /// A CT log to submit to: its URL, a comma, and the file with its public key (PEM or DER).
    /// May be repeated; with two of them certificates carry two SCTs.
    #[arg(long, value_name = "URL,KEYFILE")]
    pub(super) ct_log: Vec<LogFlag>,

    /// A name by which CAA records permit this CA; may be repeated.
    #[arg(long, value_name = "NAME", value_parser = dns_name)]
    pub(super) caa_identity: Vec<DnsName>,

    /// A zone whose names are certified; may be repeated. Without it: any name.
    #[arg(long, value_name = "ZONE", value_parser = dns_name)]
    pub(super) allow_suffix: Vec<DnsName>,

    /// A profile and how long its certificates hold (in hours, h, or days, d); repeated, the
    /// first is the default one.
    #[arg(long, value_name = "NAME=TIME", default_value = "private=90d")]
    pub(super) profile: Vec<ProfileFlag>,

    /// What is logged on standard error: error, warn, info, debug, trace, or a filter such as
    /// acme_ca=debug.
    #[arg(
        long,
        value_name = "FILTER",
        env = "ACME_CA_LOG",
        default_value = "info"
    )]
    pub(super) log: String,
}

const EXAMPLES: &str = "\
Examples:
  A CA for this machine:
    acme-ca serve --data ./ca
    certbot certonly --server https://127.0.0.1:14000/directory ...

  A CA for tests, with challenges on other ports and a DNS server of the tests' own:
    acme-ca serve --data ./ca --resolver 127.0.0.1:5353 --http-port 5002 --tls-port 5001

  A CA for a network, reached by name, for one zone:
    acme-ca serve --data /var/lib/acme-ca --listen [::]:443 --url https://ca.corp.example \\
      --http-listen [::]:80 --publication-url http://ca.corp.example --allow-suffix corp.example

Standard output gets two lines when the CA serves, `root PATH` and `directory URL`; the log goes to
standard error.";

/// `URL,KEYFILE`.
#[derive(Clone, Debug)]
pub(super) struct LogFlag {
    pub(super) url: Url,
    pub(super) key: PathBuf,
}

impl FromStr for LogFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (url, key) = text
            .rsplit_once(',')
            .ok_or("not a URL, a comma and a file")?;
        Ok(Self {
            url: base_url(url)?,
            key: PathBuf::from(key),
        })
    }
}

/// `NAME=TIME`.
#[derive(Clone, Debug)]
pub(super) struct ProfileFlag {
    pub(super) name: String,
    pub(super) validity: Duration,
}

impl FromStr for ProfileFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, time) = text
            .split_once('=')
            .ok_or("not a name, = and a time such as 90d")?;
        let (number, hours) = match time.strip_suffix('d') {
            Some(days) => (days, 24),
            None => (
                time.strip_suffix('h')
                    .ok_or("the time must end in h or d")?,
                1,
            ),
        };
        let number: u32 = number
            .parse()
            .map_err(|_| "the time is not a whole number")?;
        let validity = Duration::from_secs(u64::from(number) * hours * 3_600);
        Ok(Self {
            name: name.to_owned(),
            validity,
        })
    }
}

fn port() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..)
}

/// An absolute URL; a final slash is let go.
fn base_url(text: &str) -> Result<Url, String> {
    Url::parse(text.trim_end_matches('/')).map_err(|error| error.to_string())
}

fn dns_name(text: &str) -> Result<DnsName, String> {
    DnsName::parse(text).map_err(|error| error.to_string())
}

/// An address, with port 53 if none is given.
fn resolver(text: &str) -> Result<SocketAddr, String> {
    const DNS_PORT: u16 = 53;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, DNS_PORT));
    }
    text.parse()
        .map_err(|_| "not an IP address, or one with a port".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn flags_of_two_parts_read_or_say_what_is_wrong() {
        let profile = |text: &str| ProfileFlag::from_str(text).map(|p| p.validity.as_secs());
        assert_eq!(profile("x=90d"), Ok(90 * 86_400));
        assert_eq!(profile("x=160h"), Ok(160 * 3_600));
        assert!(profile("x").unwrap_err().contains("90d"));
        assert!(profile("x=90").unwrap_err().contains("end in h or d"));
        assert!(profile("x=1.5d").unwrap_err().contains("whole"));
        assert!(LogFlag::from_str("http://127.0.0.1:1/log,/a/b.pem").is_ok());
        assert!(LogFlag::from_str("http://127.0.0.1:1/log").is_err());
        assert_eq!(resolver("127.0.0.1").unwrap().port(), 53);
        assert_eq!(resolver("[::1]:5353").unwrap().port(), 5353);
        assert!(resolver("dns.example").is_err());
    }
}
