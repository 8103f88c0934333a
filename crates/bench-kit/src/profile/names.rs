//! Names of functions, short and whole.
//!
//! Debug information of lines alone, as release builds have it, calls an inlined function by its
//! last name, with its type parameters: `push_mut<house::Fill, alloc::alloc::Global>`. The file
//! that it is in tells the path: `alloc::vec::push_mut`.

/// `name` with the path of its module, which `file` tells where the name does not, and without the
/// function's own type parameters.
pub(super) fn qualified(name: &str, file: &str) -> String {
    let name = without_parameters(name);
    let version = without_extensions(&name);
    let version = version.map(|(function, widest)| format!("{function} [{widest}]"));
    let name = version.unwrap_or(name);
    if name.starts_with('<') || name.contains("::") {
        return name;
    }
    match module(file) {
        Some(module) => format!("{module}::{name}"),
        None => name,
    }
}

/// The function, and the widest vectors, of a name that `multiversion` made of every extension that
/// it compiled the function for: `sum_avx_avx2_fma_version`.
fn without_extensions(name: &str) -> Option<(&str, &'static str)> {
    let extensions = name.strip_suffix("_version")?;
    let widest = ["avx512f", "avx2", "neon"].into_iter().find(|&of| extensions.contains(of))?;
    // Extensions come in the order of the alphabet; of ours these come first.
    let at =
        ["_avx", "_bmi1", "_fma", "_neon"].iter().filter_map(|first| name.find(first)).min()?;
    Some((&name[..at], widest))
}

/// Without what stands in `<>` after a function: after a plain name, and after `::`, where it is
/// neither `<impl ...>` nor the `<Type as Trait>` that a name begins with.
fn without_parameters(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('<') {
        let (before, inner) = rest.split_at(at);
        let end = closing(inner);
        let is_function = before.ends_with("::") && !inner.starts_with("<impl ");
        let is_plain = !before.is_empty() && short.is_empty() && !before.contains("::");
        short += before.strip_suffix("::").filter(|_| is_function).unwrap_or(before);
        if !(is_function || is_plain) {
            short += &inner[..end];
        }
        rest = &inner[end..];
    }
    short + rest
}

/// Where the bracket that `text` begins with is closed; an arrow's is none.
fn closing(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
        before = letter;
    }
    text.len()
}

/// `house::engine::cash` for `.../house/src/engine/cash.rs`; a bench or test is a crate itself.
fn module(file: &str) -> Option<String> {
    let parts: Vec<&str> = file.split(['/', '\\']).collect();
    let targets = ["src", "benches", "tests", "examples"];
    let at = parts.iter().rposition(|part| targets.contains(part))?;
    let krate = (parts[at] == "src").then(|| at.checked_sub(1).map(|at| parts[at]));
    let krate = krate.flatten().map(|name| without_version(name).replace('-', "_"));
    let (last, folders) = parts[at + 1..].split_last()?;
    let last = last.strip_suffix(".rs")?;
    let is_root = ["lib", "main", "mod"].contains(&last);
    let last = (!is_root).then(|| last.to_owned());
    let folders = folders.iter().map(|&folder| folder.to_owned());
    Some(krate.into_iter().chain(folders).chain(last).collect::<Vec<_>>().join("::"))
}

/// `rayon-core` for `rayon-core-1.12.1`.
fn without_version(folder: &str) -> &str {
    match folder.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|first: char| first.is_ascii_digit()) => name,
        _ => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_tells_the_path_that_an_inlined_function_lacks() {
        let of = |name: &str, file: &str| qualified(name, file);
        let library = "/rustc/0123/library/alloc/src/vec/mod.rs";
        let push = "push_mut<backtest::engine::Fill, alloc::alloc::Global>";
        assert_eq!(of(push, library), "alloc::vec::push_mut");
        let file = "/home/house/crates/market-data/src/codec/page.rs";
        assert_eq!(of("decode", file), "market_data::codec::page::decode");
        assert_eq!(
            of("{closure#0}<fn(f64) -> f64>", file),
            "market_data::codec::page::{closure#0}"
        );
        let registry = "/home/registry/src/index-1949/rayon-core-1.12.1/src/lib.rs";
        assert_eq!(of("join<A, B>", registry), "rayon_core::join");
        assert_eq!(of("main", "crates/features/benches/features.rs"), "features::main");
        assert_eq!(of("main", ""), "main");
    }

    #[test]
    fn a_version_for_a_processor_says_how_wide_it_is() {
        let of = |name: &str| qualified(name, "crates/features/src/kernel/chain.rs");
        let name = "run_avx_avx2_avx512bw_avx512f_avx512vl_gfni_version";
        assert_eq!(of(name), "features::kernel::chain::run [avx512f]");
        assert_eq!(of("a::sum_avx2_bmi1_fma_version"), "a::sum [avx2]");
        assert_eq!(of("sum_neon_version"), "features::kernel::chain::sum [neon]");
        assert_eq!(of("a::read_version"), "a::read_version");
    }

    #[test]
    fn paths_stay_and_lose_only_what_a_function_is_instantiated_with() {
        let same = [
            "<house::Row as core::cmp::Ord>::cmp",
            "alloc::vec::Vec<T,A>::push",
            "core::ops::function::impls::<impl core::ops::FnOnce<A> for &mut F>::call_once",
        ];
        for name in same {
            assert_eq!(qualified(name, "x/src/y.rs"), name);
        }
        let fold = "<core::slice::Iter<f64> as core::iter::Iterator>::fold::<f64, fn(f64) -> f64>";
        assert_eq!(qualified(fold, ""), "<core::slice::Iter<f64> as core::iter::Iterator>::fold");
        assert_eq!(qualified("house::sum::<f64>::{closure#0}", ""), "house::sum::{closure#0}");
    }
}
