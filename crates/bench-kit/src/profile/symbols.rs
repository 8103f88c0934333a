//! Names for addresses. Functions that were inlined into others are frames of their own.

use std::collections::HashMap;

use super::names::qualified;

/// A function, as far as the debug information tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) line: u32,
}

/// Remembers what it has found.
#[derive(Default)]
pub(super) struct Symbols(HashMap<usize, Vec<Frame>>);

impl Symbols {
    /// Frames of a sample from the outermost in, without those of the runtime and the harness that
    /// stand under every one. The walk ends at the first address that no code of ours has: what
    /// lies beyond was read through a frame pointer that was none.
    pub(super) fn frames(&mut self, addresses: &[usize]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for (at, address) in addresses.iter().enumerate() {
            // A return address is the instruction after the call.
            let address = if at == 0 { *address } else { address - 1 };
            let found = self.0.entry(address).or_insert_with(|| resolve(address));
            if found.is_empty() {
                if at == 0 {
                    frames.push(module(address));
                    continue;
                }
                break;
            }
            frames.extend(found.iter().cloned());
        }
        frames.reverse();
        let is_under = |frame: &Frame| {
            let name = frame.name.trim_start_matches('<');
            name.starts_with("criterion::") || name.contains("__rust_begin_short_backtrace")
        };
        let base = frames.iter().rposition(is_under).map_or(0, |at| at + 1);
        if base < frames.len() {
            frames.drain(..base);
        }
        frames
    }
}

/// The innermost inlined function first.
#[cfg(unix)]
fn resolve(address: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    // `resolve` takes return addresses.
    backtrace::resolve((address + 1) as *mut _, |symbol| {
        let Some(name) = symbol.name() else { return };
        let file = symbol.filename().map_or_else(String::new, |file| file.display().to_string());
        let line = symbol.lineno().unwrap_or(0);
        frames.push(Frame { name: qualified(&format!("{name:#}"), &file), file, line });
    });
    frames
}

#[cfg(not(unix))]
fn resolve(_address: usize) -> Vec<Frame> {
    Vec::new()
}

/// Code without names: the library that it stands in.
fn module(address: usize) -> Frame {
    let path = super::sys::module(address).unwrap_or_else(|| "unknown".to_owned());
    let name = path.rsplit('/').next().unwrap_or(&path);
    Frame { name: format!("[{name}]"), file: String::new(), line: 0 }
}
