//! How control of the names is proved.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use acme_client::responder::{DnsHook, HttpListener, Responders, TlsAlpnListener, Webroot};
use acme_types::ChallengeType;
use serde::{Deserialize, Serialize};

use super::Complaint;
use super::arguments::MethodOptions;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    Webroot(PathBuf),
    Standalone { port: u16 },
    Tls { port: u16 },
    DnsHook { program: PathBuf, wait_secs: u16 },
}

impl Method {
    pub(crate) fn from_options(options: &MethodOptions) -> Result<Self, Complaint> {
        let absolute = |path: &PathBuf| {
            std::path::absolute(path)
                .map_err(|error| Complaint::new(format!("{}: {error}", path.display())))
        };
        if let Some(root) = &options.how.webroot {
            return absolute(root).map(Self::Webroot);
        }
        if let Some(port) = options.how.tls_port {
            return Ok(Self::Tls { port });
        }
        if let Some(program) = &options.how.dns_hook {
            // A bare name is sought in PATH, as any command is.
            let bare = program.components().count() == 1 && !program.is_absolute();
            let here = bare && !program.to_string_lossy().contains('/');
            let program = if here {
                program.clone()
            } else {
                absolute(program)?
            };
            return Ok(Self::DnsHook {
                program,
                wait_secs: options.dns_wait,
            });
        }
        Ok(Self::Standalone {
            port: options.http_port,
        })
    }

    pub(crate) fn challenge_type(&self) -> ChallengeType {
        match self {
            Self::Webroot(_) | Self::Standalone { .. } => ChallengeType::HTTP_01,
            Self::Tls { .. } => ChallengeType::TLS_ALPN_01,
            Self::DnsHook { .. } => ChallengeType::DNS_01,
        }
    }

    /// Makes ready whatever can fail before the CA is asked for anything.
    pub(crate) async fn responder(&self) -> Result<Responders, Complaint> {
        let responders = Responders::new();
        match self {
            Self::Webroot(root) => {
                if !root.is_dir() {
                    return Err(Complaint::new(format!(
                        "web root {}: there is no such folder",
                        root.display()
                    ))
                    .with_advice("give the folder that the web server serves on port 80"));
                }
                Ok(responders.with(Webroot::new(root)))
            }
            Self::Standalone { port } => {
                let bound = match HttpListener::bind(everywhere_6(*port)).await {
                    Err(error) if no_ipv6(&error) => HttpListener::bind(everywhere_4(*port)).await,
                    bound => bound,
                };
                bound
                    .map(|one| responders.with(one))
                    .map_err(|error| busy(*port, &error))
            }
            Self::Tls { port } => {
                let bound = match TlsAlpnListener::bind(everywhere_6(*port)).await {
                    Err(error) if no_ipv6(&error) => {
                        TlsAlpnListener::bind(everywhere_4(*port)).await
                    }
                    bound => bound,
                };
                bound
                    .map(|one| responders.with(one))
                    .map_err(|error| busy(*port, &error))
            }
            Self::DnsHook { program, wait_secs } => {
                let settle = Duration::from_secs(u64::from(*wait_secs));
                if program.is_absolute() && !program.is_file() {
                    let message = format!("DNS hook {}: there is no such file", program.display());
                    return Err(Complaint::new(message)
                        .with_advice("give the path of an executable program with --dns-hook"));
                }
                Ok(responders.with(DnsHook::new(program).with_settling(settle)))
            }
        }
    }

    /// What a validation that failed most likely needs.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::Webroot(root) => format!(
                "make sure that http://NAME/.well-known/acme-challenge/ on port 80 of every name \
                 serves {}",
                root.join(".well-known/acme-challenge").display()
            ),
            Self::Standalone { port } => format!(
                "make sure that port 80 of every name leads to port {port} of this machine, \
                 through every firewall"
            ),
            Self::Tls { port } => format!(
                "make sure that port 443 of every name leads to port {port} of this machine, TLS \
                 untouched"
            ),
            Self::DnsHook { program, .. } => format!(
                "make sure that {} publishes the TXT record on every authoritative server before \
                 it ends, or give --dns-wait",
                program.display()
            ),
        }
    }
}

/// All addresses of both families, where the system joins them.
fn everywhere_6(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))
}

fn everywhere_4(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
}

fn no_ipv6(error: &std::io::Error) -> bool {
    !matches!(
        error.kind(),
        std::io::ErrorKind::AddrInUse | std::io::ErrorKind::PermissionDenied
    )
}

fn busy(port: u16, error: &std::io::Error) -> Complaint {
    let advice = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "stop the program that uses it, or prove control in another way (--webroot, --dns-hook)"
        }
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 need a right of their own: run as root, or grant \
             CAP_NET_BIND_SERVICE, or have the port forwarded to a higher one"
        }
        _ => "choose a port that can be listened on",
    };
    Complaint::new(format!("port {port}: can't listen: {error}")).with_advice(advice)
}
