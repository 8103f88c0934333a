//! The signal handler: unwinds the interrupted thread by frame pointers into a slot of a ring.
//!
//! A handler may not take a lock, allocate or touch memory that is not there: the ring is static,
//! its slots change hands by one atomic each, and the stack is read by a call that answers "not
//! mapped" where a load would crash. So it needs no trust in frame pointers: code without them (the
//! C library) gives a short stack, never a fault.

use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::Registers;
use super::system;

const SLOTS: usize = 256;
const DEPTH_MAX: usize = 128;
/// Of a thread's name, the closing zero included: what Linux keeps.
pub(super) const NAME_BYTES: usize = 16;
/// No frame is larger, and no stack that we meet.
const STACK_BYTES_MAX: usize = 64 << 20;
const PAGE_BYTES: usize = 4096;
const WORD: usize = size_of::<usize>();

const EMPTY: usize = 0;
const WRITING: usize = 1;
const FULL: usize = 2;

struct Slot {
    state: AtomicUsize,
    content: UnsafeCell<Content>,
}

struct Content {
    thread: u64,
    name: [u8; NAME_BYTES],
    depth: usize,
    addresses: [usize; DEPTH_MAX],
}

// SAFETY: `content` is touched only by whoever moved `state` from EMPTY to WRITING (a handler) or
// found it FULL (the one thread that drains), and each hands it on with release and acquire.
unsafe impl Sync for Slot {}

static RING: [Slot; SLOTS] = [const {
    Slot {
        state: AtomicUsize::new(EMPTY),
        content: UnsafeCell::new(Content {
            thread: 0,
            name: [0; NAME_BYTES],
            depth: 0,
            addresses: [0; DEPTH_MAX],
        }),
    }
}; SLOTS];
static NEXT: AtomicUsize = AtomicUsize::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);
static ACTIVE: AtomicBool = AtomicBool::new(false);

/// Answers SIGPROF from now on.
pub(super) fn install() -> std::io::Result<()> {
    LOST.store(0, Ordering::Relaxed);
    drain(|_, _, _| {});
    // SAFETY: a zeroed sigaction is a valid one; the handler is async-signal-safe (see above).
    let set = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(libc::SIGPROF, &raw const action, null_mut())
    };
    if set != 0 {
        return Err(std::io::Error::last_os_error());
    }
    ACTIVE.store(true, Ordering::Release);
    Ok(())
}

/// Takes no more samples. The handler stays: a signal still on its way would end the process.
pub(super) fn retire() {
    ACTIVE.store(false, Ordering::Release);
}

/// Samples for which no slot was free.
pub(super) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Gives `take` every sample that has arrived: the thread's id, its name and the addresses.
pub(super) fn drain(mut take: impl FnMut(u64, &str, &[usize])) {
    for slot in &RING {
        if slot.state.load(Ordering::Acquire) == FULL {
            // SAFETY: FULL slots are ours alone until we mark them EMPTY.
            let content = unsafe { &*slot.content.get() };
            let name = content.name.split(|byte| *byte == 0).next().unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            take(content.thread, &name, &content.addresses[..content.depth]);
            slot.state.store(EMPTY, Ordering::Release);
        }
    }
}

extern "C" fn on_signal(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    if !ACTIVE.load(Ordering::Acquire) || context.is_null() {
        return;
    }
    let errno = system::errno();
    // SAFETY: the system hands every SA_SIGINFO handler a context of this type.
    let registers = system::registers(unsafe { &*context.cast::<libc::ucontext_t>() });
    let slot = &RING[NEXT.fetch_add(1, Ordering::Relaxed) % SLOTS];
    let taken =
        slot.state.compare_exchange(EMPTY, WRITING, Ordering::Acquire, Ordering::Relaxed).is_ok();
    if taken {
        // SAFETY: we moved it to WRITING, so that nobody else touches it.
        let content = unsafe { &mut *slot.content.get() };
        content.thread = system::thread_id();
        content.name = system::thread_name();
        content.depth = unwind(registers, &mut content.addresses);
        slot.state.store(FULL, Ordering::Release);
    } else {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the address that `errno` names is this thread's for as long as it runs.
    unsafe { *system::errno_place() = errno };
}

/// Addresses from the program counter outwards; how many there are. The chain must climb the stack
/// and stay aligned: it ends where it does not.
fn unwind(from: Registers, addresses: &mut [usize; DEPTH_MAX]) -> usize {
    addresses[0] = from.program_counter;
    let mut depth = 1;
    let mut page = Page { start: 0, words: [0; PAGE_BYTES / WORD] };
    let (mut frame, mut lowest) = (from.frame_pointer, from.stack_pointer);
    while depth < DEPTH_MAX {
        let climbs = frame >= lowest && frame - from.stack_pointer < STACK_BYTES_MAX;
        if !climbs || !frame.is_multiple_of(WORD) {
            break;
        }
        let (Some(outer), Some(back)) = (page.word(frame), page.word(frame + WORD)) else { break };
        if back < PAGE_BYTES {
            break;
        }
        addresses[depth] = back;
        depth += 1;
        lowest = frame + 2 * WORD;
        frame = outer;
    }
    depth
}

/// A copy of one page of the stack.
struct Page {
    start: usize,
    words: [usize; PAGE_BYTES / WORD],
}

impl Page {
    fn word(&mut self, address: usize) -> Option<usize> {
        let start = address & !(PAGE_BYTES - 1);
        if start != self.start {
            self.start = 0;
            if !system::read(start, &mut self.words) {
                return None;
            }
            self.start = start;
        }
        Some(self.words[(address - start) / WORD])
    }
}
