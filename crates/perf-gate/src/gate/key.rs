//! Short keys of contents.

/// FNV-1a over `bytes`: a key for folders and seeds, stable across versions and machines. It is no
/// protection against anybody who means to collide.
#[must_use]
pub fn key(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
