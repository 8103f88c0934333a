//! What differs between systems: registers of an interrupted thread, reading a stack that may not
//! be there, and the clock that interrupts.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[path = "linux.rs"]
mod system;
#[cfg(all(target_os = "macos", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[path = "macos.rs"]
mod system;
#[cfg(not(all(
    any(target_os = "linux", target_os = "macos"),
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
#[path = "fallback.rs"]
mod system;

#[cfg(all(
    any(target_os = "linux", target_os = "macos"),
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod handler;

pub(super) use system::{Clock, machine};

/// One sample: who ran, and where: program counter first, then return addresses outwards.
pub(super) struct Sample {
    /// Its name.
    pub(super) thread: String,
    pub(super) addresses: Vec<usize>,
}

/// Registers that an unwinder needs.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "no register is read where nothing can be sampled")]
struct Registers {
    program_counter: usize,
    frame_pointer: usize,
    stack_pointer: usize,
}

/// The file of the library or program whose code is at `address`.
#[cfg(unix)]
pub(super) fn module(address: usize) -> Option<String> {
    // SAFETY: a zeroed answer is a valid one; the name, where given, ends in a zero and stays.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        let found = libc::dladdr(address as *const _, &raw mut info) != 0;
        let named = found && !info.dli_fname.is_null();
        named.then(|| std::ffi::CStr::from_ptr(info.dli_fname).to_string_lossy().into_owned())
    }
}

#[cfg(not(unix))]
pub(super) fn module(_address: usize) -> Option<String> {
    None
}
