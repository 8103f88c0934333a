//! macOS. Its profiling timer keeps the rate that it is asked for, and interrupts whoever runs.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Registers, Sample, handler};

/// Well before the ring is full.
const DRAIN_EVERY: Duration = Duration::from_millis(10);

/// Interrupts running threads until it is stopped.
pub(in crate::profile) struct Clock {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<HashMap<(String, Vec<usize>), u64>>,
}

impl Clock {
    pub(in crate::profile) fn start(frequency_hz: u32) -> io::Result<Self> {
        handler::install()?;
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let main = thread_id();
        let thread = std::thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || collect(&seen, main))?;
        set_timer(1_000_000 / frequency_hz)?;
        Ok(Self { stop, thread })
    }

    /// Samples with their counts, and how many were lost.
    pub(in crate::profile) fn stop(self) -> (Vec<(Sample, u64)>, u64) {
        let _ = set_timer(0);
        self.stop.store(true, Ordering::Release);
        let samples = self.thread.join().unwrap_or_default();
        handler::retire();
        let samples = samples
            .into_iter()
            .map(|((thread, addresses), count)| (Sample { thread, addresses }, count))
            .collect();
        (samples, handler::lost())
    }
}

/// The thread that began is called main: it is, in the programs that we profile.
fn collect(stop: &AtomicBool, main: u64) -> HashMap<(String, Vec<usize>), u64> {
    let mut samples = HashMap::new();
    let mut drain = || {
        handler::drain(|thread, name, addresses| {
            let name = if thread == main { "main" } else { name };
            *samples.entry((name.to_owned(), addresses.to_vec())).or_default() += 1;
        });
    };
    while !stop.load(Ordering::Acquire) {
        std::thread::sleep(DRAIN_EVERY);
        drain();
    }
    drain();
    samples
}

fn set_timer(interval_us: u32) -> io::Result<()> {
    let interval = libc::timeval { tv_sec: 0, tv_usec: interval_us as libc::suseconds_t };
    let timer = libc::itimerval { it_interval: interval, it_value: interval };
    // SAFETY: the timer is valid and the old one is not asked for.
    let set = unsafe { libc::setitimer(libc::ITIMER_PROF, &raw const timer, std::ptr::null_mut()) };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub(super) fn thread_id() -> u64 {
    // SAFETY: the call takes nothing and cannot fail.
    (unsafe { libc::pthread_self() }) as u64
}

pub(super) fn thread_name() -> [u8; handler::NAME_BYTES] {
    let mut name = [0_u8; handler::NAME_BYTES];
    // SAFETY: at most so many bytes are written.
    unsafe { libc::pthread_getname_np(libc::pthread_self(), name.as_mut_ptr().cast(), name.len()) };
    name
}

pub(super) fn errno() -> i32 {
    // SAFETY: the address is this thread's own.
    unsafe { *libc::__error() }
}

pub(super) fn errno_place() -> *mut i32 {
    // SAFETY: the call cannot fail.
    unsafe { libc::__error() }
}

pub(super) fn registers(context: &libc::ucontext_t) -> Registers {
    if context.uc_mcontext.is_null() {
        return Registers { program_counter: 0, frame_pointer: 0, stack_pointer: 0 };
    }
    // SAFETY: not null, and the system's own for as long as the handler runs.
    let state = unsafe { &(*context.uc_mcontext).__ss };
    #[cfg(target_arch = "x86_64")]
    let (pc, fp, sp) = (state.__rip, state.__rbp, state.__rsp);
    #[cfg(target_arch = "aarch64")]
    let (pc, fp, sp) = (state.__pc, state.__fp, state.__sp);
    Registers {
        program_counter: pc as usize,
        frame_pointer: fp as usize,
        stack_pointer: sp as usize,
    }
}

unsafe extern "C" {
    static mach_task_self_: u32;
    fn mach_vm_read_overwrite(task: u32, from: u64, bytes: u64, to: u64, read: *mut u64) -> i32;
}

/// Fills `words` from `address` on; `false` where not all of it is mapped.
pub(super) fn read(address: usize, words: &mut [usize]) -> bool {
    let bytes = size_of_val(words) as u64;
    let mut read = 0;
    // SAFETY: the target is memory of ours; what is not mapped is an error, not a fault.
    let answer = unsafe {
        let to = words.as_mut_ptr() as u64;
        mach_vm_read_overwrite(mach_task_self_, address as u64, bytes, to, &raw mut read)
    };
    answer == 0 && read == bytes
}

/// The processor's name and the system's.
pub(in crate::profile) fn machine() -> (Option<String>, String) {
    let mut sysctl = std::process::Command::new("sysctl");
    let output = sysctl.args(["-n", "machdep.cpu.brand_string"]);
    let model = output.output().ok().and_then(|output| String::from_utf8(output.stdout).ok());
    (model.map(|model| model.trim().to_owned()), "macOS".to_owned())
}
