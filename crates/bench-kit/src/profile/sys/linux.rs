//! Linux. The kernel's profiling timers fire at most once a tick (250 times a second on most
//! systems), whatever one asks for. So a thread of ours wakes 997 times a second by the
//! high-resolution clock, asks how long each thread has run, and interrupts those that have used up
//! an interval of processor time since their last sample.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::{Registers, Sample, handler};

/// Wake-ups between two looks into the ring.
const DRAIN_EVERY: u32 = 8;

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
        let thread = std::thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || Watch::new(frequency_hz).run(&seen))?;
        Ok(Self { stop, thread })
    }

    /// Samples with their counts, and how many were lost.
    pub(in crate::profile) fn stop(self) -> (Vec<(Sample, u64)>, u64) {
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

/// A thread and the processor time that it has used.
struct Watched {
    id: i32,
    used_ns: u64,
    unsampled_ns: u64,
}

struct Watch {
    interval_ns: u64,
    process: i32,
    this: i32,
    threads: Vec<Watched>,
    process_ns: u64,
    /// Time of threads that we do not know of yet.
    unknown_ns: u64,
    samples: HashMap<(String, Vec<usize>), u64>,
}

impl Watch {
    fn new(frequency_hz: u32) -> Self {
        let mut watch = Self {
            interval_ns: 1_000_000_000 / u64::from(frequency_hz),
            process: std::process::id() as i32,
            this: thread_id() as i32,
            threads: Vec::new(),
            process_ns: clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID).unwrap_or(0),
            unknown_ns: 0,
            samples: HashMap::new(),
        };
        watch.find_threads();
        watch
    }

    fn run(mut self, stop: &AtomicBool) -> HashMap<(String, Vec<usize>), u64> {
        let mut next_ns = clock_ns(libc::CLOCK_MONOTONIC).unwrap_or(0);
        let mut ticks = 0_u32;
        while !stop.load(Ordering::Acquire) {
            next_ns += self.interval_ns;
            sleep_until(next_ns);
            self.tick();
            ticks = ticks.wrapping_add(1);
            if ticks.is_multiple_of(DRAIN_EVERY) {
                self.drain();
            }
        }
        self.drain();
        self.samples
    }

    /// Interrupts whoever has used an interval. Time that no known thread has used means new ones.
    fn tick(&mut self) {
        let mut known_ns = 0;
        self.threads.retain_mut(|thread| {
            let Some(used_ns) = clock_ns(thread_clock(thread.id)) else { return false };
            let since_ns = used_ns.saturating_sub(thread.used_ns);
            thread.used_ns = used_ns;
            known_ns += since_ns;
            thread.unsampled_ns += since_ns;
            if thread.id != self.this && thread.unsampled_ns >= self.interval_ns {
                // What a late wake-up missed is made up for by one sample more, not by a burst.
                thread.unsampled_ns =
                    (thread.unsampled_ns - self.interval_ns).min(self.interval_ns);
                interrupt(self.process, thread.id);
            }
            true
        });
        let process_ns = clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID).unwrap_or(0);
        let since_ns = process_ns.saturating_sub(self.process_ns);
        self.process_ns = process_ns;
        self.unknown_ns += since_ns.saturating_sub(known_ns);
        if self.unknown_ns >= self.interval_ns / 2 {
            self.unknown_ns = 0;
            self.find_threads();
        }
    }

    fn find_threads(&mut self) {
        let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return };
        let ids = tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok());
        for id in ids {
            if self.threads.iter().any(|thread| thread.id == id) {
                continue;
            }
            let used_ns = clock_ns(thread_clock(id)).unwrap_or(0);
            self.threads.push(Watched { id, used_ns, unsampled_ns: 0 });
        }
    }

    /// The first thread's name is the program's: it is called what it is.
    fn drain(&mut self) {
        handler::drain(|thread, name, addresses| {
            let name = if thread == self.process as u64 { "main" } else { name };
            *self.samples.entry((name.to_owned(), addresses.to_vec())).or_default() += 1;
        });
    }
}

/// The clock of one thread's processor time, as the kernel numbers them.
fn thread_clock(id: i32) -> libc::clockid_t {
    (!id << 3) | 6
}

fn clock_ns(clock: libc::clockid_t) -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is valid; a clock that is not there gives an error.
    let got = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (got == 0).then_some(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

fn sleep_until(at_ns: u64) {
    let at = libc::timespec {
        tv_sec: (at_ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (at_ns % 1_000_000_000) as libc::c_long,
    };
    let (clock, flags) = (libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME);
    // SAFETY: the time is valid, and with an absolute one no remainder is written.
    unsafe { libc::clock_nanosleep(clock, flags, &raw const at, std::ptr::null_mut()) };
}

/// A thread that has ended meanwhile gives an error that means nothing to us.
fn interrupt(process: i32, thread: i32) {
    // SAFETY: the call takes three numbers; the process answers the signal (see `handler`).
    unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGPROF) };
}

pub(super) fn thread_id() -> u64 {
    // SAFETY: the call takes nothing and cannot fail.
    (unsafe { libc::syscall(libc::SYS_gettid) }) as u64
}

pub(super) fn thread_name() -> [u8; handler::NAME_BYTES] {
    let mut name = [0; handler::NAME_BYTES];
    // SAFETY: the kernel writes at most 16 bytes.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name
}

pub(super) fn errno() -> i32 {
    // SAFETY: the address is this thread's own.
    unsafe { *libc::__errno_location() }
}

pub(super) fn errno_place() -> *mut i32 {
    // SAFETY: the call cannot fail.
    unsafe { libc::__errno_location() }
}

#[cfg(target_arch = "x86_64")]
pub(super) fn registers(context: &libc::ucontext_t) -> Registers {
    let general = &context.uc_mcontext.gregs;
    Registers {
        program_counter: general[libc::REG_RIP as usize] as usize,
        frame_pointer: general[libc::REG_RBP as usize] as usize,
        stack_pointer: general[libc::REG_RSP as usize] as usize,
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) fn registers(context: &libc::ucontext_t) -> Registers {
    Registers {
        program_counter: context.uc_mcontext.pc as usize,
        frame_pointer: context.uc_mcontext.regs[29] as usize,
        stack_pointer: context.uc_mcontext.sp as usize,
    }
}

/// Fills `words` from `address` on; `false` where not all of it is mapped.
pub(super) fn read(address: usize, words: &mut [usize]) -> bool {
    let bytes = size_of_val(words);
    let here = libc::iovec { iov_base: words.as_mut_ptr().cast(), iov_len: bytes };
    let there = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes };
    // SAFETY: `here` is memory of ours; what is not mapped `there` is an error, not a fault.
    let read = unsafe {
        libc::process_vm_readv(libc::getpid(), &raw const here, 1, &raw const there, 1, 0)
    };
    read == bytes as isize
}

/// The processor's name and the system's.
pub(in crate::profile) fn machine() -> (Option<String>, String) {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    (model.map(|(_, model)| model.to_owned()), format!("Linux {}", kernel.trim_end()))
}
