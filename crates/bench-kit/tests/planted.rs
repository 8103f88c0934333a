//! What is known to take half of the time must be seen to take half of it: in the folded stacks, in
//! the picture, in the summary's table, and in the pprof file as another's decoder reads it.

#![cfg(any(target_os = "linux", target_os = "macos"))]

use std::hint::black_box;

use bench_kit::profile::{About, Kind, Sampler, Stacks, files};
use pprof::protos::{Message, Profile};

/// A chain of divisions takes what its length says. A leaf, as hot functions are.
macro_rules! planted {
    ($name:ident, $by:expr) => {
        #[inline(never)]
        fn $name(length: u32) -> f64 {
            let mut value = 1e9;
            for _ in 0..length {
                value = black_box(value) / $by;
            }
            value
        }
    };
}
planted!(planted_hot, 1.000_1);
planted!(planted_warm, 1.000_2);
planted!(planted_cool, 1.000_3);

/// A second or two of processor time, however busy the machine is: samples are taken of that alone.
const ROUNDS: u32 = 4_000;

/// Half of it hot, the rest shared by two others.
fn work() {
    for _ in 0..ROUNDS {
        black_box(planted_hot(20_000));
        black_box(planted_warm(10_000));
        black_box(planted_cool(10_000));
    }
}

#[test]
fn a_function_of_half_the_time_has_half_of_every_output_and_threads_keep_their_names() {
    let sampler = Sampler::start().unwrap();
    assert!(Sampler::start().is_err(), "two samplers in one process");
    let second = std::thread::Builder::new().name("planted-2".to_owned());
    let second = second.spawn(work).unwrap();
    work();
    second.join().unwrap();
    let samples = sampler.stop();
    let folder = tempfile::tempdir().unwrap();
    let summary = samples.write(folder.path(), &About::new("planted", Kind::Cpu)).unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let text = |name: &str| String::from_utf8(read(name)).unwrap();

    assert!(summary.total > 500, "{} samples", summary.total);
    assert_eq!(samples.lost(), 0);
    let stacks = Stacks::parse(&text(files::STACKS)).unwrap();
    assert_half("stacks", share_of_hot(&stacks));
    let threads: Vec<&str> = stacks.iter().filter_map(|(s, _)| s.split(';').next()).collect();
    assert!(threads.contains(&"planted-2"), "{threads:?}");

    let top = &summary.top_self[0];
    assert!(top.frame.ends_with("::planted_hot"), "{top:?}");
    assert_half("the table", top.percent);
    assert!(text(files::STACKS).contains("::planted_hot;"), "inlined functions are frames too");
    assert_half("the picture", share_in_svg(&text(files::SVG)));
    let profile = Profile::decode(read(files::PPROF).as_slice()).unwrap();
    assert_half("the pprof file", share_in_pprof(&profile));
    assert_eq!(profile.sample.iter().map(|s| s.value[0] as u64).sum::<u64>(), summary.total);
}

#[track_caller]
fn assert_half(place: &str, percent: f64) {
    assert!((45.0..=55.0).contains(&percent), "{place}: {percent:.1} percent");
}

fn share_of_hot(stacks: &Stacks) -> f64 {
    let hot = stacks.iter().filter(|(stack, _)| stack.contains("::planted_hot"));
    100.0 * hot.map(|(_, count)| count).sum::<u64>() as f64 / stacks.total() as f64
}

/// `<title>planted::planted_hot (1,001 samples, 50.10%)</title>`, once per thread.
fn share_in_svg(svg: &str) -> f64 {
    let titles = svg.split("<title>").filter(|title| title.starts_with("planted::planted_hot "));
    let percent = |title: &str| {
        let (before, _) = title.split_once("%)").unwrap();
        before.rsplit_once(", ").unwrap().1.parse::<f64>().unwrap()
    };
    titles.map(percent).sum()
}

fn share_in_pprof(profile: &Profile) -> f64 {
    let name = |function: u64| {
        let function = profile.function.iter().find(|f| f.id == function).unwrap();
        profile.string_table[function.name as usize].as_str()
    };
    let is_hot = |place: &u64| {
        let place = profile.location.iter().find(|location| location.id == *place).unwrap();
        place.line.iter().any(|line| name(line.function_id).ends_with("::planted_hot"))
    };
    let hot = profile.sample.iter().filter(|sample| sample.location_id.iter().any(is_hot));
    let hot: i64 = hot.map(|sample| sample.value[0]).sum();
    100.0 * hot as f64 / profile.sample.iter().map(|sample| sample.value[0]).sum::<i64>() as f64
}
