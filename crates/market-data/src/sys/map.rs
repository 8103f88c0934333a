//! A file mapped read-only that may shrink without ending the process.
//!
//! Touching a mapped page that lies past the end of a file raises SIGBUS. A handler, set when the
//! first file is mapped, lays zeroed pages over the rest of that map, and notes it: the read goes on
//! with zeros, and [`Map::is_whole`] then says that what was read is void. A signal that is about no
//! map of ours goes to whoever handled it before, or ends the process as it would have.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// Maps at one time. A handler may not allocate: the table is fixed.
const MAPS_MAX: usize = 256;

struct Slot {
    is_taken: AtomicBool,
    start: AtomicUsize,
    bytes: AtomicUsize,
    has_shrunk: AtomicBool,
}

static SLOTS: [Slot; MAPS_MAX] = [const {
    Slot {
        is_taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        has_shrunk: AtomicBool::new(false),
    }
}; MAPS_MAX];

/// The handler before ours.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// A whole file, read-only.
#[derive(Debug)]
pub(crate) struct Map {
    file: File,
    start: *const u8,
    bytes: usize,
    slot: usize,
}

// SAFETY: the mapping is read-only and belongs to this value, whichever thread holds it.
unsafe impl Send for Map {}
// SAFETY: as above; reading from many threads at once is fine.
unsafe impl Sync for Map {}

impl Map {
    pub(crate) fn new(file: File, bytes: usize) -> io::Result<Self> {
        watch()?;
        let taken =
            |slot: &Slot| slot.is_taken.compare_exchange(false, true, SeqCst, SeqCst).is_ok();
        let slot = SLOTS.iter().position(taken);
        let slot = slot.ok_or_else(|| io::Error::other("256 files are mapped: drop one first"))?;
        use rustix::mm::{MapFlags, ProtFlags, mmap};
        // SAFETY: the system chooses the place, so no memory in use is replaced.
        let mapped =
            unsafe { mmap(null_mut(), bytes, ProtFlags::READ, MapFlags::SHARED, &file, 0) };
        let start = match mapped {
            Ok(start) => start.cast_const().cast(),
            Err(why) => {
                SLOTS[slot].is_taken.store(false, SeqCst);
                return Err(why.into());
            }
        };
        SLOTS[slot].has_shrunk.store(false, SeqCst);
        SLOTS[slot].start.store(start as usize, SeqCst);
        SLOTS[slot].bytes.store(bytes, SeqCst);
        Ok(Self { file, start, bytes, slot })
    }

    pub(crate) fn start(&self) -> *const u8 {
        self.start
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether no byte has been lost since the file was mapped.
    pub(crate) fn is_whole(&self) -> io::Result<bool> {
        let is_long = self.file.metadata()?.len() >= self.bytes as u64;
        Ok(is_long && !SLOTS[self.slot].has_shrunk.load(SeqCst))
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let slot = &SLOTS[self.slot];
        slot.bytes.store(0, SeqCst);
        slot.start.store(0, SeqCst);
        // SAFETY: the range is the mapping of `new`, and nothing borrows from it any more.
        let _ = unsafe { rustix::mm::munmap(self.start.cast_mut().cast(), self.bytes) };
        slot.is_taken.store(false, SeqCst);
    }
}

/// Sets the handler once.
fn watch() -> io::Result<()> {
    static SET: OnceLock<bool> = OnceLock::new();
    let is_set = *SET.get_or_init(|| {
        let mut before = MaybeUninit::zeroed();
        // SAFETY: a zeroed `sigaction` is a valid one, and both pointers are to live values.
        unsafe {
            let mut ours: libc::sigaction = std::mem::zeroed();
            ours.sa_sigaction = on_sigbus as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut ours.sa_mask);
            if libc::sigaction(libc::SIGBUS, std::ptr::null(), before.as_mut_ptr()) != 0 {
                return false;
            }
            let _ = BEFORE.set(before.assume_init());
            libc::sigaction(libc::SIGBUS, &raw const ours, null_mut()) == 0
        }
    });
    if is_set { Ok(()) } else { Err(io::Error::other("no handler of SIGBUS could be set")) }
}

/// Allocates nothing and takes no lock: it may run between any two instructions.
extern "C" fn on_sigbus(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the system hands a valid `info` to a handler that asked for it.
    let at = unsafe { (*info).si_addr() } as usize;
    for slot in &SLOTS {
        let (start, bytes) = (slot.start.load(SeqCst), slot.bytes.load(SeqCst));
        if bytes > 0 && (start..start + bytes).contains(&at) && lay_zeros(at, start + bytes) {
            slot.has_shrunk.store(true, SeqCst);
            return;
        }
    }
    pass_on(signal, info, context);
}

/// Zeroed pages from the page of `at` to `end`.
fn lay_zeros(at: usize, end: usize) -> bool {
    // SAFETY: `sysconf` reads a constant.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let start = at - at % page;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: the range lies within a mapping of ours, read-only before and after.
    let laid = unsafe {
        libc::mmap(start as *mut libc::c_void, end - start, libc::PROT_READ, flags, -1, 0)
    };
    laid != libc::MAP_FAILED
}

/// To the handler before; by default the fault, tried again, ends the process.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let before = BEFORE.get();
    let handler = before.map_or(libc::SIG_DFL, |before| before.sa_sigaction);
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        // SAFETY: restores the default action, which takes no pointer.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    } else if before.is_some_and(|before| before.sa_flags & libc::SA_SIGINFO != 0) {
        type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
        // SAFETY: whoever set `SA_SIGINFO` gave a function of this type.
        let handler: Handler = unsafe { std::mem::transmute(handler) };
        handler(signal, info, context);
    } else {
        // SAFETY: without `SA_SIGINFO` a handler takes the signal alone.
        let handler: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(handler) };
        handler(signal);
    }
}
