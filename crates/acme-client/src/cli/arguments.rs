//! The command line.

use std::path::PathBuf;

use acme_client::folder::key_algorithm_from_name;
use acme_crypto::KeyAlgorithm;
use acme_types::{DnsName, Identifier, RevocationReason, Url};
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use super::Complaint;

/// Obtains, renews and revokes certificates from any ACME CA (RFC 8555).
///
/// Progress is told on standard error; paths of what was made go to standard output. A command
/// that was interrupted is finished by running it again.
#[derive(Parser, Debug)]
#[command(name = "acme", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// Where keys, certificates and the state of orders are kept [default:
    /// $XDG_DATA_HOME/acme or ~/.local/share/acme]
    #[arg(long, global = true, env = "ACME_DIR", value_name = "STATE_DIR")]
    dir: Option<PathBuf>,
    /// What to log on standard error, as in `acme_client=debug`; never holds keys or tokens
    #[arg(
        long,
        global = true,
        env = "ACME_LOG",
        value_name = "FILTER",
        default_value = "off"
    )]
    log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Obtain a certificate for one or more names
    Issue(Box<Issue>),
    /// Renew what is due, by the CA's renewal information
    Renew(Renew),
    /// Revoke a certificate
    Revoke(Revoke),
    /// List the certificates that are kept
    List,
}

#[derive(Args, Debug)]
pub(crate) struct Issue {
    /// DNS names (with `*.` for a wildcard) or IP addresses
    #[arg(required = true, value_name = "NAME", value_parser = identifier)]
    pub(crate) names: Vec<Identifier>,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) account: Account,
    #[command(flatten)]
    pub(crate) method: MethodOptions,
    /// The kind of key: ec256, ec384, ed25519, rsa2048, rsa3072, rsa4096
    #[arg(long, value_name = "TYPE", default_value = "ec256", value_parser = key_type)]
    pub(crate) key_type: KeyAlgorithm,
    /// One of the CA's certificate profiles
    #[arg(long, value_name = "P")]
    pub(crate) profile: Option<String>,
    /// Order a new certificate even if there is one that is not due yet
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Server {
    /// The CA's directory URL
    #[arg(long = "server", env = "ACME_SERVER", value_name = "URL", value_parser = url)]
    pub(crate) url: Url,
    /// Trust these roots (PEM) too, for the connection to the CA
    #[arg(long, value_name = "PEM")]
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Account {
    /// Whom the CA can write to; may be given more than once
    #[arg(long, value_name = "ADDRESS", value_parser = email)]
    pub(crate) email: Vec<String>,
    /// Agree to the CA's terms of service
    #[arg(long)]
    pub(crate) agree_tos: bool,
    /// The kind of the account's key, when it is made
    #[arg(long, value_name = "TYPE", default_value = "ec256", value_parser = key_type)]
    pub(crate) account_key_type: KeyAlgorithm,
    /// Key identifier of the external account that the CA knows
    #[arg(long, value_name = "KID", requires = "eab_hmac_key")]
    pub(crate) eab_kid: Option<String>,
    /// The MAC key that belongs to it (base64url); better given in the environment
    #[arg(
        long,
        env = "ACME_EAB_HMAC_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(crate) eab_hmac_key: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct MethodOptions {
    #[command(flatten)]
    pub(crate) how: How,
    /// The port of --standalone; the CA connects to port 80
    #[arg(long, value_name = "N", default_value_t = 80,
        conflicts_with_all = ["webroot", "tls_port", "dns_hook"])]
    pub(crate) http_port: u16,
    /// Wait this long after the program of --dns-hook published a record
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0,
        requires = "dns_hook"
    )]
    pub(crate) dns_wait: u16,
}

/// How control of the names is proved: one of these.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct How {
    /// http-01 by files in DIR/.well-known/acme-challenge, which a web server serves on port 80
    #[arg(long, value_name = "DIR")]
    pub(crate) webroot: Option<PathBuf>,
    /// http-01 by a web server of our own
    #[arg(long)]
    pub(crate) standalone: bool,
    /// tls-alpn-01 by a TLS server of our own on this port; the CA connects to port 443
    #[arg(long, value_name = "N")]
    pub(crate) tls_port: Option<u16>,
    /// dns-01 by a program: `CMD present NAME VALUE`, `CMD retract NAME VALUE`, without a shell
    #[arg(long, value_name = "CMD")]
    pub(crate) dns_hook: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Renew {
    /// Only the certificate of this name, as `acme list` shows it
    #[arg(value_name = "NAME", conflicts_with = "all")]
    pub(crate) name: Option<String>,
    /// All certificates (also without it, if no name is given)
    #[arg(long)]
    pub(crate) all: bool,
    /// Even if it is not due yet, or an attempt failed a short while ago
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Revoke {
    /// The certificate of this name, as `acme list` shows it
    #[arg(value_name = "NAME", required_unless_present = "certificate")]
    pub(crate) name: Option<String>,
    /// The certificate in this file (PEM)
    #[arg(long, value_name = "FILE", conflicts_with = "name", requires = "url")]
    pub(crate) certificate: Option<PathBuf>,
    /// Why: unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation,
    /// privilegeWithdrawn, or the number of RFC 5280
    #[arg(long, value_name = "R", value_parser = reason)]
    pub(crate) reason: Option<RevocationReason>,
    /// Sign with the certificate's own key in this file (PEM, PKCS#8) instead of the account's
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The CA's directory URL; a NAME's is known
    #[arg(long = "server", id = "url", value_name = "URL", value_parser = url)]
    pub(crate) server: Option<Url>,
    /// Trust these roots (PEM) too, for the connection to the CA
    #[arg(long, value_name = "PEM")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// An account that is there already: nothing is said about it.
impl Default for Account {
    fn default() -> Self {
        Self {
            email: Vec::new(),
            agree_tos: false,
            account_key_type: KeyAlgorithm::EcP256,
            eab_kid: None,
            eab_hmac_key: None,
        }
    }
}

impl Arguments {
    pub(crate) fn log_filter(&self) -> EnvFilter {
        EnvFilter::builder().parse_lossy(&self.log)
    }

    pub(crate) fn state_dir(&self) -> Result<PathBuf, Complaint> {
        let chosen = self.dir.clone().or_else(|| {
            let data = std::env::var_os("XDG_DATA_HOME").filter(|path| !path.is_empty());
            let home = std::env::var_os("HOME").filter(|path| !path.is_empty());
            let data = data.map(PathBuf::from);
            let data = data.or_else(|| home.map(|home| PathBuf::from(home).join(".local/share")));
            data.map(|data| data.join("acme"))
        });
        let chosen = chosen.ok_or_else(|| {
            Complaint::new("no state folder: neither --dir nor HOME is set")
                .with_advice("say where to keep keys and certificates, with --dir")
        })?;
        std::path::absolute(&chosen)
            .map_err(|error| Complaint::new(format!("{}: {error}", chosen.display())))
    }
}

pub(crate) fn identifier(text: &str) -> Result<Identifier, String> {
    if let Ok(address) = text.parse() {
        return Ok(Identifier::ip(address));
    }
    DnsName::from_unicode(text)
        .map(Identifier::Dns)
        .map_err(|error| error.to_string())
}

fn key_type(text: &str) -> Result<KeyAlgorithm, String> {
    key_algorithm_from_name(text).ok_or_else(|| "no such kind of key".to_owned())
}

fn url(text: &str) -> Result<Url, String> {
    Url::parse(text).map_err(|error| error.to_string())
}

/// RFC 8555 §7.3: contacts are URLs. What the CA makes of an address is its own affair.
fn email(text: &str) -> Result<String, String> {
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, ',' | '?' | '<' | '>' | '"');
    match address.split_once('@') {
        Some((user, host))
            if !user.is_empty() && !host.is_empty() && address.chars().all(plain) =>
        {
            Ok(format!("mailto:{address}"))
        }
        _ => Err("not one e-mail address".to_owned()),
    }
}

/// RFC 5280 §5.3.1, by name or number.
fn reason(text: &str) -> Result<RevocationReason, String> {
    let by_number = text.parse().ok().and_then(RevocationReason::from_code);
    let by_name = || {
        let plain = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
        let named = |known: &&RevocationReason| plain(&format!("{known:?}")) == plain(text);
        RevocationReason::ALL.iter().find(named).copied()
    };
    by_number
        .or_else(by_name)
        .ok_or_else(|| "no such reason".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    fn accepted(line: &str) -> bool {
        Arguments::try_parse_from(line.split_whitespace()).is_ok()
    }

    #[test]
    fn one_way_of_proving_control_is_chosen() {
        let issue = "acme issue example.com --server https://ca.example/d";
        assert!(!accepted(issue));
        for how in [
            "--webroot /srv",
            "--standalone",
            "--tls-port 443",
            "--dns-hook ./hook",
        ] {
            assert!(accepted(&format!("{issue} {how}")), "{how}");
            assert!(accepted("acme renew") && accepted("acme renew --all --force"));
        }
        assert!(accepted(&format!("{issue} --standalone --http-port 8080")));
        assert!(!accepted(&format!("{issue} --standalone --tls-port 443")));
        assert!(!accepted(&format!("{issue} --webroot /srv --http-port 80")));
        assert!(!accepted("acme revoke"));
        assert!(!accepted("acme revoke --certificate x.pem"));
        assert!(accepted(
            "acme revoke --certificate x.pem --server https://ca.example/d"
        ));
        assert!(accepted("acme revoke example.com --reason keyCompromise"));
    }

    #[test]
    fn values_are_checked_before_anything_is_done() {
        assert!(
            identifier("bücher.example").is_ok_and(|it| it.to_string() == "xn--bcher-kva.example")
        );
        assert!(identifier("2001:db8::1").is_ok() && identifier("*.example.com").is_ok());
        assert!(identifier("a b").is_err() && identifier("../x").is_err());
        assert_eq!(
            email("a@example.com").as_deref(),
            Ok("mailto:a@example.com")
        );
        assert!(email("a@b,c@d").is_err() && email("nobody").is_err());
        assert_eq!(
            reason("key-compromise"),
            Ok(RevocationReason::KeyCompromise)
        );
        assert_eq!(reason("1"), Ok(RevocationReason::KeyCompromise));
        assert!(reason("7").is_err() && reason("boredom").is_err());
    }
}
