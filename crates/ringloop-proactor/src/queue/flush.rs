//! From the list of what is staged into the submission queue.

use std::io;

use super::Queue;
use crate::op::{OpTable, Staged};
use crate::ring::{IO_HARDLINK, IO_LINK, Ring, Sqe, ticks};
use crate::stats::ProactorStats;

impl Queue {
    /// Moves what is staged into the submission queue, entering the kernel when it is full.
    ///
    /// What does not fit even then stays staged.
    #[inline]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let mut done = 0;
        let result = self.flush_staged(&mut done);
        if let Some(log) = &mut self.log {
            log.submitted(&mut self.table, &self.staged[..done]);
        }
        if done == self.staged.len() {
            self.staged.clear();
        } else {
            self.staged.drain(..done);
        }
        result?;
        if self.internal.is_empty() {
            return Ok(());
        }
        self.flush_internal()
    }

    /// Moves operations, and says how many of the list are done with.
    #[inline]
    fn flush_staged(&mut self, done: &mut usize) -> io::Result<()> {
        let Self {
            ring: Some(ring),
            table,
            stats,
            staged: all,
            ..
        } = self
        else {
            return Ok(());
        };
        if all.is_empty() {
            return Ok(());
        }
        let now = ticks();
        let mut rest = all.as_slice();
        while let [staged, behind @ ..] = rest {
            let staged = *staged;
            rest = behind;
            let Some(sqe) = table.entry(staged, now) else {
                continue;
            };
            if sqe.flags & (IO_LINK | IO_HARDLINK) == 0 && ring.push(sqe) {
                stats.submissions += 1;
                table.submitted(staged, now);
                continue;
            }
            let sqe = *sqe;
            *done = all.len() - rest.len() - 1;
            match push_unusual(ring, table, stats, &all[*done..], sqe)? {
                0 => return Ok(()),
                count => rest = &all[*done + count..],
            }
        }
        *done = all.len();
        Ok(())
    }

    #[cold]
    fn flush_internal(&mut self) -> io::Result<()> {
        let Some(ring) = &mut self.ring else {
            return Ok(());
        };
        while let Some(sqe) = self.internal.front() {
            if !push(ring, &mut self.stats, sqe)? {
                return Ok(());
            }
            self.internal.pop_front();
        }
        Ok(())
    }
}

/// Queues one entry. `false`: the queue is full, and submitting did not help.
#[inline]
fn push(ring: &mut Ring, stats: &mut ProactorStats, sqe: &Sqe) -> io::Result<bool> {
    if !ring.push(sqe) && !push_after_submit(ring, stats, sqe)? {
        return Ok(false);
    }
    stats.submissions += 1;
    Ok(true)
}

/// Queues what is first in `staged` and has this entry, and with it whatever belongs to it: there is a
/// chain, or no room without submitting. Returns how many operations that were, zero if
/// there is no room at all.
#[cold]
#[inline(never)]
fn push_unusual(
    ring: &mut Ring,
    table: &mut OpTable,
    stats: &mut ProactorStats,
    staged: &[Staged],
    sqe: Sqe,
) -> io::Result<usize> {
    let first = staged[0];
    let is_linked = sqe.flags & (IO_LINK | IO_HARDLINK) != 0;
    if !is_linked {
        let is_queued = push_after_submit(ring, stats, &sqe)?;
        if is_queued {
            stats.submissions += 1;
            table.submitted(first, ticks());
        }
        return Ok(usize::from(is_queued));
    }
    push_chain(ring, table, stats, staged)
}

/// Queues the chain at the start of `staged`, whole. Returns how many operations that were, zero if
/// there is no room.
#[cold]
fn push_chain(
    ring: &mut Ring,
    table: &mut OpTable,
    stats: &mut ProactorStats,
    staged: &[Staged],
) -> io::Result<usize> {
    let mut entries = Vec::new();
    for &staged in staged {
        // All of a chain is dropped or cancelled together as long as it is staged.
        let Some(&sqe) = table.entry(staged, ticks()) else {
            break;
        };
        entries.push(sqe);
        if sqe.flags & (IO_LINK | IO_HARDLINK) == 0 {
            break;
        }
    }
    if !ring.push_chain(&entries) {
        stats.enters += 1;
        stats.full_queues += 1;
        ring.enter(0, None)?;
        if !ring.push_chain(&entries) {
            return Ok(0);
        }
    }
    for &staged in &staged[..entries.len()] {
        table.submitted(staged, ticks());
        stats.submissions += 1;
    }
    Ok(entries.len())
}

/// Makes room in a full queue by submitting what is in it.
#[cold]
fn push_after_submit(ring: &mut Ring, stats: &mut ProactorStats, sqe: &Sqe) -> io::Result<bool> {
    stats.enters += 1;
    stats.full_queues += 1;
    ring.enter(0, None)?;
    Ok(ring.push(sqe))
}
