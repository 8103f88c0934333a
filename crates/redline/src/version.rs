//! What `redline --version` says: which program this is, and what it runs on here.

use std::sync::LazyLock;

/// Version, commit, and the instruction set that the hot loops take on this machine, a line each.
pub(crate) fn long() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        format!(
            "{}\n{}\nkernels: {}",
            env!("CARGO_PKG_VERSION"),
            env!("REDLINE_COMMIT"),
            instruction_set()
        )
    });
    &TEXT
}

/// The widest path that the hot loops are compiled for and this machine can run.
fn instruction_set() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! has {
            ($($feature:tt),+) => { $(is_x86_feature_detected!($feature))&&+ };
        }
        if has!("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl") {
            return "AVX-512";
        }
        if has!("avx2", "fma") {
            return "AVX2+FMA";
        }
    }
    if cfg!(target_arch = "aarch64") { "NEON" } else { "portable" }
}
