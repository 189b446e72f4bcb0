//! What goes wrong in a simulation, and how often.

/// Probabilities of faults, each in thousandths of the occasions on which it could happen.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::sim::Faults;
///
/// let mut faults = Faults::wild();
/// faults.reset = 0;
/// assert!(faults.short > 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// A transfer moves fewer bytes than it could.
    pub short: u16,
    /// A request begins late: it reads the memory it sends from then, not when it is submitted.
    pub delay: u16,
    /// A completion comes later than the result.
    pub late: u16,
    /// Requests that could go on together do so in any order.
    pub reorder: u16,
    /// `io_uring_enter(2)` fails with `EINTR`, `EAGAIN`, `EBUSY` or `ENOMEM` and takes nothing.
    pub enter: u16,
    /// `io_uring_enter(2)` takes some of the entries and does not wait.
    pub partial: u16,
    /// A wait ends early without a completion, as if by a signal.
    pub interrupt: u16,
    /// A cancel misses its target, which ends by itself soon after, perhaps with success.
    pub cancel_race: u16,
    /// A cancelled worker lets a raw `ERESTARTSYS` through.
    pub restart: u16,
    /// A completion goes by way of the overflow list although there is room for it.
    pub overflow: u16,
    /// A group of provided buffers is found empty although it is not.
    pub no_buffers: u16,
    /// There is no descriptor to be had: `EMFILE` or `ENFILE`.
    pub no_descriptors: u16,
    /// A write to a file finds the disk full.
    pub no_space: u16,
    /// A connection is reset.
    pub reset: u16,
    /// A connection goes away before it is accepted: `ECONNABORTED`.
    pub abort: u16,
    /// A multishot request ends after a completion for no reason.
    pub end_early: u16,
    /// The destination of a request in flight is overwritten with garbage, all of it, each time
    /// the simulation goes on.
    pub scribble: u16,
    /// A read of a file cannot be cancelled and writes late, as one with `O_DIRECT` does.
    pub uncancellable: u16,
}

impl Faults {
    /// Returns faults that never happen: the simulation is as kind as a kernel can be.
    #[must_use]
    pub fn none() -> Self {
        Self {
            short: 0,
            delay: 0,
            late: 0,
            reorder: 0,
            enter: 0,
            partial: 0,
            interrupt: 0,
            cancel_race: 0,
            restart: 0,
            overflow: 0,
            no_buffers: 0,
            no_descriptors: 0,
            no_space: 0,
            reset: 0,
            abort: 0,
            end_early: 0,
            scribble: 0,
            uncancellable: 0,
        }
    }

    /// Returns faults of every kind, so frequent that a short program meets most of them.
    #[must_use]
    pub fn wild() -> Self {
        Self {
            short: 300,
            delay: 200,
            late: 200,
            reorder: 300,
            enter: 50,
            partial: 50,
            interrupt: 50,
            cancel_race: 300,
            restart: 200,
            overflow: 50,
            no_buffers: 50,
            no_descriptors: 20,
            no_space: 20,
            reset: 5,
            abort: 20,
            end_early: 100,
            scribble: 300,
            uncancellable: 200,
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::none()
    }
}
