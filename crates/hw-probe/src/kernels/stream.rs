//! The stream kernels: read, write, copy, scale, add, triad, with ordinary or non-temporal stores.
//!
//! Bytes are counted as STREAM counts them (J. McCalpin, <https://www.cs.virginia.edu/stream/>):
//! what the program names, 8 per element for read and write, 16 for copy and scale, 24 for add and
//! triad. An ordinary store to a line that is not in the cache reads it first; that traffic is
//! reported beside the count.

use std::fmt;

use super::simd::{Portable, Simd};

/// Registers in flight per iteration: four cache lines with AVX-512, as likwid-bench has.
const UNROLL: usize = 4;

/// Sums that grow side by side: two loads a cycle and an addition of four cycles need eight.
const SUMS: usize = 8;

/// `sum(a)` in `SUMS` independent accumulators: the adds never wait for one another.
#[inline(always)]
unsafe fn read<V: Simd<Element = f64>>(a: &[f64]) -> f64 {
    let block = SUMS * V::LANES;
    let body = a.len() / block * block;
    // SAFETY: every access lies below `body <= a.len()`; the caller guarantees the CPU.
    unsafe {
        let mut sums = [V::splat(0.0); SUMS];
        let mut at = 0;
        while at < body {
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum = sum.add(V::load(a.as_ptr().add(at + lane * V::LANES)));
            }
            at += block;
        }
        let mut lanes = [0.0; 8];
        let [first, others @ ..] = sums;
        others.into_iter().fold(first, |sum, other| sum.add(other)).store(lanes.as_mut_ptr());
        lanes.iter().sum::<f64>() + a[body..].iter().sum::<f64>()
    }
}

/// `to[i] = f(i)` for vectors and, by `tail`, for what is left.
#[inline(always)]
unsafe fn map<V: Simd<Element = f64>, const NT: bool>(
    to: &mut [f64],
    vector: impl Fn(usize) -> V,
    tail: impl Fn(usize) -> f64,
) {
    let block = UNROLL * V::LANES;
    let body = to.len() / block * block;
    let base = to.as_mut_ptr();
    // A non-temporal store faults unless aligned: such slices are streamed from ordinary stores.
    let streams = NT && base.addr().is_multiple_of(V::LANES * size_of::<f64>());
    let mut at = 0;
    // SAFETY: every access lies below `body <= to.len()`, streams only when aligned (every step is
    // a multiple of the register's width); the caller guarantees the CPU.
    unsafe {
        if streams {
            while at < body {
                for lane in 0..UNROLL {
                    let i = at + lane * V::LANES;
                    vector(i).stream(base.add(i));
                }
                at += block;
            }
            V::fence();
        } else {
            while at < body {
                for lane in 0..UNROLL {
                    let i = at + lane * V::LANES;
                    vector(i).store(base.add(i));
                }
                // Without this the compiler sees a copy and calls the library's `memcpy`, which
                // streams past the caches for large sizes: another kernel, measured as such.
                std::arch::asm!("", options(nostack, preserves_flags));
                at += block;
            }
        }
    }
    for (i, value) in to.iter_mut().enumerate().skip(body) {
        *value = tail(i);
    }
}

#[inline(always)]
unsafe fn write<V: Simd<Element = f64>, const NT: bool>(to: &mut [f64], value: f64) {
    // SAFETY: the caller guarantees the CPU.
    unsafe {
        let register = V::splat(value);
        map::<V, NT>(to, |_| register, |_| value);
    }
}

#[inline(always)]
unsafe fn copy<V: Simd<Element = f64>, const NT: bool>(a: &[f64], to: &mut [f64]) {
    let a = &a[..to.len()];
    // SAFETY: `map` asks for `LANES` elements below `to.len() == a.len()`.
    unsafe { map::<V, NT>(to, |i| V::load(a.as_ptr().add(i)), |i| a[i]) }
}

#[inline(always)]
unsafe fn scale<V: Simd<Element = f64>, const NT: bool>(a: &[f64], to: &mut [f64], s: f64) {
    let a = &a[..to.len()];
    // SAFETY: as in `copy`.
    unsafe {
        let factor = V::splat(s);
        map::<V, NT>(to, |i| V::load(a.as_ptr().add(i)).mul(factor), |i| a[i] * s);
    }
}

#[inline(always)]
unsafe fn add<V: Simd<Element = f64>, const NT: bool>(a: &[f64], b: &[f64], to: &mut [f64]) {
    let (a, b) = (&a[..to.len()], &b[..to.len()]);
    // SAFETY: as in `copy`, for both inputs.
    unsafe {
        map::<V, NT>(
            to,
            |i| V::load(a.as_ptr().add(i)).add(V::load(b.as_ptr().add(i))),
            |i| a[i] + b[i],
        );
    }
}

#[inline(always)]
unsafe fn triad<V: Simd<Element = f64>, const NT: bool>(
    a: &[f64],
    b: &[f64],
    to: &mut [f64],
    s: f64,
) {
    let (a, b) = (&a[..to.len()], &b[..to.len()]);
    // SAFETY: as in `copy`, for both inputs. Multiply and add are rounded each, as STREAM's are.
    unsafe {
        let factor = V::splat(s);
        map::<V, NT>(
            to,
            |i| V::load(a.as_ptr().add(i)).add(V::load(b.as_ptr().add(i)).mul(factor)),
            |i| a[i] + s * b[i],
        );
    }
}

type Write = unsafe fn(&mut [f64], f64);
type Copy = unsafe fn(&[f64], &mut [f64]);
type Scale = unsafe fn(&[f64], &mut [f64], f64);
type Add = unsafe fn(&[f64], &[f64], &mut [f64]);
type Triad = unsafe fn(&[f64], &[f64], &mut [f64], f64);

/// One instruction set's kernels; index 1 of a pair is the non-temporal one.
pub(crate) struct StreamKernels {
    /// The instruction set, as reports name it.
    pub(crate) isa: &'static str,
    /// Whether non-temporal stores are real here.
    pub(crate) streams: bool,
    read: unsafe fn(&[f64]) -> f64,
    write: [Write; 2],
    copy: [Copy; 2],
    scale: [Scale; 2],
    add: [Add; 2],
    triad: [Triad; 2],
}

/// Compiles every kernel for one register type into a module with a `KERNELS` table.
macro_rules! kernels_for {
    ($module:ident, $isa:literal, $register:ty $(, $feature:literal)?) => {
        mod $module {
            use super::*;

            $(#[target_feature(enable = $feature)])?
            unsafe fn read_all(a: &[f64]) -> f64 {
                // SAFETY: the caller guarantees the CPU, here and below.
                unsafe { read::<$register>(a) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn write_all<const NT: bool>(to: &mut [f64], value: f64) {
                // SAFETY: as above.
                unsafe { write::<$register, NT>(to, value) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn copy_all<const NT: bool>(a: &[f64], to: &mut [f64]) {
                // SAFETY: as above.
                unsafe { copy::<$register, NT>(a, to) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn scale_all<const NT: bool>(a: &[f64], to: &mut [f64], s: f64) {
                // SAFETY: as above.
                unsafe { scale::<$register, NT>(a, to, s) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn add_all<const NT: bool>(a: &[f64], b: &[f64], to: &mut [f64]) {
                // SAFETY: as above.
                unsafe { add::<$register, NT>(a, b, to) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn triad_all<const NT: bool>(a: &[f64], b: &[f64], to: &mut [f64], s: f64) {
                // SAFETY: as above.
                unsafe { triad::<$register, NT>(a, b, to, s) }
            }

            pub(super) static KERNELS: StreamKernels = StreamKernels {
                isa: $isa,
                streams: <$register as Simd>::STREAMS,
                read: read_all,
                write: [write_all::<false>, write_all::<true>],
                copy: [copy_all::<false>, copy_all::<true>],
                scale: [scale_all::<false>, scale_all::<true>],
                add: [add_all::<false>, add_all::<true>],
                triad: [triad_all::<false>, triad_all::<true>],
            };
        }
    };
}

kernels_for!(portable, "portable", Portable);
#[cfg(target_arch = "x86_64")]
kernels_for!(sse2, "sse2", std::arch::x86_64::__m128d);
#[cfg(target_arch = "x86_64")]
kernels_for!(avx, "avx", std::arch::x86_64::__m256d, "avx");
#[cfg(target_arch = "x86_64")]
kernels_for!(avx512, "avx512", std::arch::x86_64::__m512d, "avx512f");
#[cfg(target_arch = "aarch64")]
kernels_for!(neon, "neon", std::arch::aarch64::float64x2_t, "neon");

impl fmt::Debug for StreamKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.isa)
    }
}

impl StreamKernels {
    /// The widest kernels of this CPU.
    pub(crate) fn widest() -> &'static Self {
        Self::supported()[0]
    }

    /// Those that may be the fastest on this CPU, widest first: all but the portable ones, where there are others.
    pub(crate) fn candidates() -> Vec<&'static Self> {
        let mut found = Self::supported();
        if found.len() > 1 {
            found.pop();
        }
        found
    }

    /// Every kernel set that this CPU can run, widest first; the portable one is always there.
    fn supported() -> Vec<&'static Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                found.push(&avx512::KERNELS);
            }
            if is_x86_feature_detected!("avx") {
                found.push(&avx::KERNELS);
            }
            found.push(&sse2::KERNELS);
        }
        #[cfg(target_arch = "aarch64")]
        found.push(&neon::KERNELS);
        found.push(&portable::KERNELS);
        found
    }

    // SAFETY of every call below: `supported` hands out a table only on a CPU that has its
    // instruction set, and the fields are private.

    /// The sum of `a`.
    pub(crate) fn read(&self, a: &[f64]) -> f64 {
        // SAFETY: see above.
        unsafe { (self.read)(a) }
    }

    /// `to[i] = value`.
    pub(crate) fn write(&self, nt: bool, to: &mut [f64], value: f64) {
        // SAFETY: see above.
        unsafe { self.write[usize::from(nt)](to, value) }
    }

    /// `to[i] = a[i]`. Panics, as those below, when an input is shorter than `to`.
    pub(crate) fn copy(&self, nt: bool, a: &[f64], to: &mut [f64]) {
        // SAFETY: see above.
        unsafe { self.copy[usize::from(nt)](a, to) }
    }

    /// `to[i] = s * a[i]`.
    pub(crate) fn scale(&self, nt: bool, a: &[f64], to: &mut [f64], s: f64) {
        // SAFETY: see above.
        unsafe { self.scale[usize::from(nt)](a, to, s) }
    }

    /// `to[i] = a[i] + b[i]`.
    pub(crate) fn add(&self, nt: bool, a: &[f64], b: &[f64], to: &mut [f64]) {
        // SAFETY: see above.
        unsafe { self.add[usize::from(nt)](a, b, to) }
    }

    /// `to[i] = a[i] + s * b[i]`.
    pub(crate) fn triad(&self, nt: bool, a: &[f64], b: &[f64], to: &mut [f64], s: f64) {
        // SAFETY: see above.
        unsafe { self.triad[usize::from(nt)](a, b, to, s) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whole numbers, so that a sum is exact in any order.
    fn whole(values: &[i16]) -> Vec<f64> {
        values.iter().map(|&value| f64::from(value)).collect()
    }

    proptest! {
        /// Every instruction set equals the plain loop to the bit, at every length and alignment.
        #[test]
        fn streams_equal_plain_loops(
            pairs in prop::collection::vec((any::<i16>(), any::<i16>()), 0..400),
            offset in 0_usize..9,
            s in -4.0_f64..4.0,
        ) {
            let (left, right): (Vec<i16>, Vec<i16>) = pairs.into_iter().unzip();
            let (a, b) = (whole(&left), whole(&right));
            let (a, b) = (&a[offset.min(a.len())..], &b[offset.min(b.len())..]);
            let sums: Vec<f64> = a.iter().zip(b).map(|(x, y)| x + y).collect();
            let triads: Vec<f64> = a.iter().zip(b).map(|(x, y)| x + s * y).collect();
            let scaled: Vec<f64> = a.iter().map(|x| x * s).collect();
            for kernels in StreamKernels::supported() {
                prop_assert_eq!(kernels.read(a), a.iter().sum::<f64>());
                for nt in [false, true] {
                    let mut room = vec![f64::NAN; a.len() + offset];
                    let to = &mut room[offset..];
                    kernels.write(nt, to, s);
                    prop_assert!(to.iter().all(|&value| value == s));
                    kernels.copy(nt, a, to);
                    prop_assert_eq!(&*to, a);
                    kernels.scale(nt, a, to, s);
                    prop_assert_eq!(&*to, &scaled[..]);
                    kernels.add(nt, a, b, to);
                    prop_assert_eq!(&*to, &sums[..]);
                    kernels.triad(nt, a, b, to, s);
                    prop_assert_eq!(&*to, &triads[..]);
                }
            }
        }
    }
}
