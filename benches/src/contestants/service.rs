//! What servers do for their clients.

use std::fmt;
use std::str::FromStr;

/// What a server does for its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Service {
    /// Sends back what arrives on each connection; its buffer has so many bytes.
    Echo(u32),
    /// Takes what arrives on each connection, and closes it at its end.
    Sink,
    /// Sends so many bytes on each connection, and closes it.
    Source(u64),
    /// Sends back datagrams, until an empty one arrives. There are no connections.
    Datagrams,
}

impl Service {
    /// Returns what one says of somebody who cannot do it, after "cannot".
    pub fn about(self) -> &'static str {
        match self {
            Self::Echo(_) => "echo on connections",
            Self::Sink => "receive in bulk",
            Self::Source(_) => "send in bulk",
            Self::Datagrams => "echo datagrams",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo(len) => write!(f, "echo:{len}"),
            Self::Sink => write!(f, "sink:0"),
            Self::Source(bytes) => write!(f, "source:{bytes}"),
            Self::Datagrams => write!(f, "datagrams:0"),
        }
    }
}

impl FromStr for Service {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("no service {text}");
        let (kind, number) = text.split_once(':').ok_or_else(unknown)?;
        let number: u64 = number.parse().map_err(|_| unknown())?;
        match kind {
            "echo" => Ok(Self::Echo(u32::try_from(number).map_err(|_| unknown())?)),
            "sink" => Ok(Self::Sink),
            "source" => Ok(Self::Source(number)),
            "datagrams" => Ok(Self::Datagrams),
            _ => Err(unknown()),
        }
    }
}
