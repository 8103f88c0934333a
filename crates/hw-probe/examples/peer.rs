//! One figure of the probe, for a comparison side by side with another tool's.
//!
//! ```text
//! peer stream read|write|copy|scale|add|triad none|regular|non_temporal|library THREADS MIB SECONDS
//! peer fma f32|f64 THREADS SECONDS
//! peer gemm f32|f64 THREADS N SECONDS
//! peer product f32|f64 THREADS N FILE
//! peer chase KIB ordinary|huge SECONDS
//! peer save|load DIR FILE_MIB BLOCK_KIB DEPTH SECONDS
//! peer randread DIR FILE_MIB DEPTH SECONDS
//! peer distance
//! peer machine
//! ```
//! Prints one number, GB/s, GFLOPS, ns or MB/s; `stream` also the instruction set, `distance` the ns
//! from the first core to the second, `randread` IOPS and the p99 in microseconds, `machine` what the
//! machine is, as JSON. `product` writes the product that `gemm` times, row after row, little-endian.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use hw_probe::cases::{ChaseCase, FmaCase, StorageCase, StreamArrays};
use hw_probe::gemm::{self, Backend, Element};
use hw_probe::{Kernel, StorageRow, Stores};
use ndarray::Array2;

type Answer = Result<String, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match words.as_slice() {
        ["stream", kernel, stores, threads, mib, seconds] => {
            stream(kernel, stores, threads.parse()?, mib.parse()?, seconds.parse()?)
        }
        ["fma", dtype, threads, seconds] => fma(dtype, threads.parse()?, seconds.parse()?),
        ["gemm", "f32", threads, n, seconds] => {
            product::<f32>(threads.parse()?, n.parse()?, seconds.parse()?)
        }
        ["gemm", "f64", threads, n, seconds] => {
            product::<f64>(threads.parse()?, n.parse()?, seconds.parse()?)
        }
        ["product", "f32", threads, n, file] => {
            written(file, &multiplied(threads.parse()?, n.parse()?, 0.0)?.0, f32::to_le_bytes)
        }
        ["product", "f64", threads, n, file] => {
            written(file, &multiplied(threads.parse()?, n.parse()?, 0.0)?.0, f64::to_le_bytes)
        }
        ["chase", kib, pages, seconds] => chase(kib.parse()?, *pages == "huge", seconds.parse()?),
        ["randread", dir, mib, depth, seconds] => {
            let case = StorageCase::new(Path::new(dir), mib.parse::<u64>()? << 20)?;
            random(&case.random_reads(depth.parse()?, duration(seconds)?)?)
        }
        ["distance"] => {
            Ok(hw_probe::cases::distance().map_or_else(|| "0".to_owned(), |ns| format!("{ns:.0}")))
        }
        ["machine"] => Ok(serde_json::to_string(&hw_probe::machine())?),
        [op @ ("save" | "load"), dir, mib, block_kib, depth, seconds] => {
            let case = StorageCase::new(Path::new(dir), mib.parse::<u64>()? << 20)?;
            let (block, depth) = (block_kib.parse::<usize>()? << 10, depth.parse()?);
            let limit = duration(seconds)?;
            sequential(&match *op {
                "save" => case.save(block, depth, limit)?,
                _ => case.load(block, depth, limit)?,
            })
        }
        _ => Err("see the head of examples/peer.rs".into()),
    };
    println!("{}", answer?);
    Ok(())
}

fn duration(seconds: &str) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::from_secs_f64(seconds.parse()?))
}

/// As many calls as fill the time, by the time of the first.
fn calls(seconds: f64, first: Duration) -> u64 {
    (seconds / first.as_secs_f64()).ceil().max(1.0) as u64
}

fn stream(kernel: &str, stores: &str, threads: usize, mib: usize, seconds: f64) -> Answer {
    let kernel = match kernel {
        "read" => Kernel::Read,
        "write" => Kernel::Write,
        "copy" => Kernel::Copy,
        "scale" => Kernel::Scale,
        "add" => Kernel::Add,
        "triad" => Kernel::Triad,
        _ => return Err(format!("unknown kernel `{kernel}`").into()),
    };
    let stores = match stores {
        "none" => Stores::None,
        "regular" => Stores::Regular,
        "non_temporal" => Stores::NonTemporal,
        "library" => Stores::Library,
        _ => return Err(format!("unknown stores `{stores}`").into()),
    };
    let arrays = StreamArrays::new(&[kernel], threads, mib << 20)?;
    let case = arrays.case(kernel, stores);
    let calls = calls(seconds, case.run(1));
    let rate = (case.bytes() * calls) as f64 * 1e-9 / case.run(calls).as_secs_f64();
    if !case.verify() {
        return Err("wrong values".into());
    }
    Ok(format!("{rate:.3} {}", case.isa()))
}

fn fma(dtype: &str, threads: usize, seconds: f64) -> Answer {
    let case = match dtype {
        "f64" => FmaCase::f64(threads),
        "f32" => FmaCase::f32(threads),
        _ => return Err(format!("unknown type `{dtype}`").into()),
    };
    let case = case.ok_or("this processor has no fused multiply-add")?;
    let calls = calls(seconds, case.run(10) / 10);
    let rate = (case.flops() * calls) as f64 * 1e-9 / case.run(calls).as_secs_f64();
    if !case.verify() {
        return Err("wrong values".into());
    }
    Ok(format!("{rate:.3}"))
}

fn product<T: Element>(threads: usize, n: usize, seconds: f64) -> Answer {
    let (_, mut times) = multiplied::<T>(threads, n, seconds)?;
    times.sort_by(f64::total_cmp);
    Ok(format!("{:.3}", 2e-9 * (n as f64).powi(3) / times[times.len() / 2]))
}

fn written<T: Element, const BYTES: usize>(
    file: &str,
    matrix: &Array2<T>,
    bytes: fn(T) -> [u8; BYTES],
) -> Answer {
    std::fs::write(file, matrix.iter().flat_map(|&value| bytes(value)).collect::<Vec<u8>>())?;
    Ok(format!("{}", matrix.len()))
}

/// The product of the matrices of seeds 1 and 2, and the seconds of each of three calls or more.
fn multiplied<T: Element>(
    threads: usize,
    n: usize,
    seconds: f64,
) -> Result<(Array2<T>, Vec<f64>), Box<dyn Error>> {
    let backend = *Backend::ALL.first().ok_or("no backend")?;
    let (a, b) = (gemm::filled::<T>(n, 1), gemm::filled::<T>(n, 2));
    let mut c = gemm::filled::<T>(n, 3);
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < 3 || begin.elapsed().as_secs_f64() < seconds {
        let start = Instant::now();
        T::product(backend, threads, a.view(), b.view(), &mut c);
        times.push(start.elapsed().as_secs_f64());
    }
    if !gemm::verify(&a, &b, &c) {
        return Err("wrong values".into());
    }
    Ok((c, times))
}

fn chase(kib: usize, huge: bool, seconds: f64) -> Answer {
    const LOADS: u64 = 100_000;
    let mut case = ChaseCase::new(kib << 10, huge)?;
    case.run(LOADS);
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || begin.elapsed().as_secs_f64() < seconds {
        times.push(case.run(LOADS).as_nanos() as f64 / LOADS as f64);
    }
    times.sort_by(f64::total_cmp);
    Ok(format!("{:.3}", times[times.len() / 2]))
}

fn sequential(row: &StorageRow) -> Answer {
    if !row.verified {
        return Err("wrong bytes".into());
    }
    Ok(format!("{:.1}", row.mb_per_s.ok_or("no rate")?))
}

fn random(row: &StorageRow) -> Answer {
    let times = row.latency_us.ok_or("no times")?;
    Ok(format!("{:.0} {:.1}", row.iops.ok_or("no rate")?, times.p99))
}
