//! Connecting to the first of several addresses that answers: happy eyeballs, RFC 8305.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ringloop_task::future::race_staggered;

use super::connect_error::ConnectError;
use crate::cancel::is_cancelled;

/// Attempts to connect, the next one when the one before has failed or has taken `stagger`, and
/// gives the first that succeeds. The others are given up, and are over when this is.
pub(super) async fn first_to_answer<T, F>(
    addresses: Vec<SocketAddr>,
    stagger: Duration,
    mut attempt: impl FnMut(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    if let [address] = *addresses {
        return attempt(address).await;
    }
    let addresses = interleaved(addresses);
    let attempts = addresses.iter().map(|&address| attempt(address));
    match race_staggered(attempts, stagger).await {
        Ok(first) => Ok(first.value),
        Err(mut errors) => match errors.iter().position(is_cancelled) {
            Some(at) => Err(errors.swap_remove(at)),
            None => Err(ConnectError::error(
                addresses.into_iter().zip(errors).collect(),
            )),
        },
    }
}

/// The families take turns, beginning with that of the first address, and keep their order.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let begins_with_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let count = addresses.len();
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == begins_with_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = Vec::with_capacity(count);
    while mixed.len() < count {
        mixed.extend(first.next());
        mixed.extend(second.next());
    }
    mixed
}

/// How long an attempt has for itself. RFC 8305 recommends it.
pub(super) const STAGGER: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests;
