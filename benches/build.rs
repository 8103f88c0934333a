//! Valgrind before 3.21 reads no symbols from what LLD links, Rust's default on Linux since 1.90:
//! without the names of functions it finds none to count in, and counts 0. GNU ld's output it reads.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|is| is == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-benches=-fuse-ld=bfd");
        println!("cargo:rustc-link-arg-tests=-fuse-ld=bfd");
    }
}
