//! A ring that keeps a fixed number of transfers of one size in flight.

use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use io_uring::{EnterFlags, IoUring, opcode, types};

use crate::storage::transfer::{Job, Op};

/// Runs the job; each transfer's time from submission to completion goes to `latencies`.
///
/// # Errors
/// Where the kernel has no ring for us (old, or forbidden in a container), before any transfer;
/// or the first error of the ring or of a transfer, after those in flight have ended.
pub(crate) fn run(job: &mut Job<'_>) -> io::Result<Duration> {
    let mut ring = ring(job.depth.next_power_of_two() as u32)?;
    let begin = Instant::now();
    let mut flight =
        Flight { started: vec![begin; job.depth], idle: (0..job.depth).collect(), error: None };
    let mut next = 0;
    loop {
        while flight.error.is_none() && next < job.offsets.len() && begin.elapsed() < job.limit {
            let Some(slot) = flight.idle.pop() else { break };
            flight.started[slot] = Instant::now();
            push(&mut ring, job, &mut flight, slot, next);
            next += 1;
            // Each at once: the device works on the first while the next is made. Handed over together, 32
            // random reads left a virtual disk idle meanwhile: 70 thousand a second and not 85.
            if !hand_over(&ring, &mut flight) {
                break;
            }
        }
        // What the ring has not taken from us is not in flight.
        let untaken = ring.submission().len();
        let taken = job.depth - flight.idle.len() - untaken;
        if taken == 0 && (untaken == 0 || flight.error.is_some()) {
            break;
        }
        wait(&ring, &mut flight, taken);
        reap(&mut ring, job, &mut flight);
    }
    match flight.error {
        Some(error) => Err(error),
        None => Ok(begin.elapsed()),
    }
}

/// A ring of one thread that handles completions when it asks for them: the kernel does not interrupt
/// it for each. Kernels before 6.1 know no such rings and give a plain one.
fn ring(entries: u32) -> io::Result<IoUring> {
    let quiet = IoUring::builder()
        .setup_coop_taskrun()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .build(entries);
    quiet.or_else(|_| IoUring::new(entries))
}

/// Which parts of the buffer are the kernel's at the moment: all slots that are not idle.
struct Flight {
    started: Vec<Instant>,
    idle: Vec<usize>,
    error: Option<io::Error>,
}

fn push(ring: &mut IoUring, job: &mut Job<'_>, flight: &mut Flight, slot: usize, index: usize) {
    let offset = job.offsets[index];
    job.prepare(slot, offset);
    let file = types::Fd(job.file.as_raw_fd());
    let buffer = job.buffer(slot);
    let (at, length) = (buffer.as_mut_ptr(), buffer.len() as u32);
    let entry = match job.op {
        Op::Read => opcode::Read::new(file, at, length).offset(offset).build(),
        Op::Write => opcode::Write::new(file, at, length).offset(offset).build(),
    };
    let entry = entry.user_data((index << 16 | slot) as u64);
    // SAFETY: the file and the slot's part of the buffer outlive the transfer, since `run` returns
    // only when no slot is in flight; nothing else touches a slot between its submission and its
    // completion.
    if unsafe { ring.submission().push(&entry) }.is_err() {
        flight.idle.push(slot);
        flight.error.get_or_insert_with(|| io::Error::other("the submission ring is full"));
    }
}

/// Gives the kernel what is pushed; whether it takes more.
fn hand_over(ring: &IoUring, flight: &mut Flight) -> bool {
    match ring.submit() {
        Ok(_) => true,
        Err(error) => {
            if !is_for_now(&error) {
                flight.error.get_or_insert(error);
            }
            false
        }
    }
}

/// Waits for a completion, with `taken` transfers in flight; what is still pushed goes along. An error is
/// kept and not returned: transfers in flight write into our buffers, and must end before those go.
fn wait(ring: &IoUring, flight: &mut Flight, taken: usize) {
    // After an error nothing more is begun.
    let mut waited = if flight.error.is_none() { ring.submit_and_wait(1) } else { wait_only(ring) };
    if taken > 0 && waited.as_ref().is_err_and(is_for_now) {
        waited = wait_only(ring);
    }
    if let Err(error) = waited
        && error.kind() != io::ErrorKind::Interrupted
    {
        flight.error.get_or_insert(error);
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn wait_only(ring: &IoUring) -> io::Result<usize> {
    // SAFETY: submits nothing, and gives no argument.
    unsafe { ring.submitter().enter::<()>(0, 1, EnterFlags::GETEVENTS.bits(), None) }
}

/// Whether the kernel may take a transfer later that it has not taken now, for want of memory or by a signal.
fn is_for_now(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, ResourceBusy, WouldBlock};
    matches!(error.kind(), Interrupted | ResourceBusy | WouldBlock)
}

fn reap(ring: &mut IoUring, job: &mut Job<'_>, flight: &mut Flight) {
    for done in ring.completion() {
        let tag = done.user_data() as usize;
        let (slot, index) = (tag & 0xFFFF, tag >> 16);
        let result = match done.result() {
            code if code < 0 => Err(io::Error::from_raw_os_error(-code)),
            moved if moved as usize != job.block => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => job.finish(slot, job.offsets[index], flight.started[slot].elapsed()),
        };
        flight.idle.push(slot);
        if let Err(error) = result {
            flight.error.get_or_insert(error);
        }
    }
}

/// Whether the kernel grants this process a ring.
pub(crate) fn probe() -> io::Result<()> {
    IoUring::new(2).map(drop)
}
