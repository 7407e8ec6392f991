//! Where a Paseo daemon listens.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// A connection, of whichever kind.
pub(crate) trait Channel: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Channel for T {}

/// Where a daemon is reached. Read from what a person writes: `localhost:6767`, `tcp://host:6767`,
/// `tcp://host:6767?ssl=true`, `unix:///run/paseo.sock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAddress {
    /// A host and a port.
    Tcp {
        /// The host's name or address.
        host: String,
        /// Its port.
        port: u16,
        /// Encrypted; only the `paseo` program can do that.
        tls: bool,
    },
    /// A socket in the file system.
    Unix {
        /// Its path.
        path: PathBuf,
    },
}

impl HostAddress {
    /// Whether this crate can open a socket to it itself.
    pub(crate) fn has_socket(&self) -> bool {
        !matches!(self, HostAddress::Tcp { tls: true, .. })
    }

    /// The address in the form that the `paseo` program takes, with the password if there is one.
    pub(crate) fn for_program(&self, password: Option<&str>) -> String {
        match self {
            HostAddress::Tcp { host, port, tls } => {
                let host = bracketed(host);
                match (password, tls) {
                    (None, false) => format!("{host}:{port}"),
                    (None, true) => format!("tcp://{host}:{port}?ssl=true"),
                    (Some(password), false) => format!("tcp://{host}:{port}?password={password}"),
                    (Some(password), true) => {
                        format!("tcp://{host}:{port}?password={password}&ssl=true")
                    }
                }
            }
            HostAddress::Unix { path } => format!("unix://{}", path.display()),
        }
    }

    /// Opens a connection to it.
    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Channel>> {
        Ok(match self {
            HostAddress::Tcp { host, port, .. } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            HostAddress::Unix { path } => Box::new(UnixStream::connect(path).await?),
        })
    }

    /// What an HTTP request to it names as the host.
    pub(crate) fn http_host(&self) -> String {
        match self {
            HostAddress::Tcp { host, port, .. } => format!("{}:{port}", bracketed(host)),
            HostAddress::Unix { .. } => "localhost".into(),
        }
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.for_program(None))
    }
}

/// Why an address was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It holds a password, which would end in a settings file.
    #[error(
        "a host's address must not hold a password; name the variable or the keyring entry that holds it"
    )]
    Password,
    /// It has no form that is known.
    #[error(
        "`{address}` is no host's address; write `host:port`, `tcp://host:port` or `unix:///path`"
    )]
    Form {
        /// What was written.
        address: String,
    },
}

impl FromStr for HostAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.contains("password=") || text.contains('@') {
            return Err(AddressError::Password);
        }
        let wrong = || AddressError::Form {
            address: text.to_owned(),
        };
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') {
                Ok(HostAddress::Unix { path: path.into() })
            } else {
                Err(wrong())
            };
        }
        let rest = text.strip_prefix("tcp://").unwrap_or(text);
        let (place, tls) = match rest.split_once('?') {
            None => (rest, false),
            Some((place, "ssl=true")) => (place, true),
            Some((place, "ssl=false" | "")) => (place, false),
            Some(_) => return Err(wrong()),
        };
        let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let clean = !host.is_empty()
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%'));
        if clean && port > 0 {
            Ok(HostAddress::Tcp {
                host: host.into(),
                port,
                tls,
            })
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form_that_the_program_takes() {
        for (written, meant) in [
            ("localhost:6767", "localhost:6767"),
            (" 127.0.0.1:6767 ", "127.0.0.1:6767"),
            ("tcp://host.example:1", "host.example:1"),
            ("tcp://host:1?ssl=true", "tcp://host:1?ssl=true"),
            ("[::1]:6767", "[::1]:6767"),
            ("unix:///run/p.sock", "unix:///run/p.sock"),
        ] {
            assert_eq!(written.parse::<HostAddress>().unwrap().to_string(), meant);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_forms_that_are() {
        for wrong in [
            "",
            "host",
            "6767",
            ":1",
            "http://h:1/x",
            "h:0",
            "h:99999",
            "/run/p.sock",
            "unix://p",
            "a b:1",
        ] {
            let error = wrong.parse::<HostAddress>().unwrap_err();
            assert!(
                error.to_string().contains("tcp://host:port"),
                "{wrong}: {error}"
            );
        }
        assert_eq!(
            "tcp://h:1?password=x".parse::<HostAddress>(),
            Err(AddressError::Password)
        );
        assert_eq!(
            "tcp://me:x@h:1".parse::<HostAddress>(),
            Err(AddressError::Password)
        );
    }
}
