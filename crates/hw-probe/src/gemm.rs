//! Matrix products through `ndarray`, as users call them, by every backend compiled in.
//!
//! ```
//! use hw_probe::gemm::{Backend, Element, filled, verify};
//!
//! let (a, b) = (filled::<f64>(64, 1), filled::<f64>(64, 2));
//! let mut c = filled::<f64>(64, 3);
//! f64::product(Backend::ALL[0], 1, a.view(), b.view(), &mut c);
//! assert!(verify(&a, &b, &c));
//! ```

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2};

use crate::Dtype;

// Accelerate's symbols are linked only for those who name the crate (rust-ndarray/ndarray#1197).
#[cfg(target_os = "macos")]
use blas_src as _;
#[cfg(all(not(target_os = "macos"), feature = "openblas"))]
use openblas_src as _;

/// A library that multiplies matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The pure-Rust `gemm` crate.
    #[cfg(not(target_os = "macos"))]
    Gemm,
    /// What `ndarray`'s own `dot` calls with nothing else linked: the `matrixmultiply` crate, on one thread.
    #[cfg(not(any(target_os = "macos", feature = "openblas")))]
    Matrixmultiply,
    /// The BLAS that `ndarray`'s own `dot` calls: Accelerate or OpenBLAS.
    #[cfg(any(target_os = "macos", feature = "openblas"))]
    Blas,
}

impl Backend {
    /// Every backend compiled in, the default first.
    pub const ALL: &[Self] = &[
        #[cfg(not(target_os = "macos"))]
        Self::Gemm,
        #[cfg(not(any(target_os = "macos", feature = "openblas")))]
        Self::Matrixmultiply,
        #[cfg(any(target_os = "macos", feature = "openblas"))]
        Self::Blas,
    ];

    /// The library's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(not(target_os = "macos"))]
            Self::Gemm => "gemm",
            #[cfg(not(any(target_os = "macos", feature = "openblas")))]
            Self::Matrixmultiply => "matrixmultiply",
            #[cfg(target_os = "macos")]
            Self::Blas => "accelerate",
            #[cfg(all(not(target_os = "macos"), feature = "openblas"))]
            Self::Blas => "openblas",
        }
    }

    /// The part of the chip that does the work.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            #[cfg(not(target_os = "macos"))]
            Self::Gemm => "vector units",
            #[cfg(not(any(target_os = "macos", feature = "openblas")))]
            Self::Matrixmultiply => "vector units",
            #[cfg(target_os = "macos")]
            Self::Blas if cfg!(target_arch = "aarch64") => "matrix coprocessor",
            #[cfg(any(target_os = "macos", feature = "openblas"))]
            Self::Blas => "vector units",
        }
    }

    /// On how many threads a product runs for which `asked` are asked for: BLAS libraries take all that there
    /// are.
    #[must_use]
    pub fn threads(self, asked: usize) -> usize {
        match self {
            #[cfg(not(target_os = "macos"))]
            Self::Gemm => asked,
            #[cfg(not(any(target_os = "macos", feature = "openblas")))]
            Self::Matrixmultiply => 1,
            #[cfg(any(target_os = "macos", feature = "openblas"))]
            Self::Blas => {
                let all = std::thread::available_parallelism();
                all.map_or(asked, usize::from)
            }
        }
    }
}

/// An element that backends multiply.
pub trait Element: Copy + 'static {
    /// Which of the types this is.
    const DTYPE: Dtype;
    /// Half the distance from 1 to the next number: the bound of one rounding.
    const UNIT_ROUNDOFF: f64;

    /// A matrix element from a value.
    fn of(value: f64) -> Self;
    /// The element's value, exactly.
    fn value(self) -> f64;
    /// `c = a b` by `backend`, on `threads` threads where it can be told. Shapes: `(m, k)`, `(k, n)`, `(m, n)`.
    ///
    /// # Panics
    /// Where the shapes do not fit.
    fn product(
        backend: Backend,
        threads: usize,
        a: ArrayView2<'_, Self>,
        b: ArrayView2<'_, Self>,
        c: &mut Array2<Self>,
    ) where
        Self: Sized;
}

macro_rules! element {
    ($float:ty, $dtype:expr) => {
        impl Element for $float {
            const DTYPE: Dtype = $dtype;
            const UNIT_ROUNDOFF: f64 = <$float>::EPSILON as f64 / 2.0;

            fn of(value: f64) -> Self {
                value as $float
            }

            fn value(self) -> f64 {
                f64::from(self)
            }

            fn product(
                backend: Backend,
                threads: usize,
                a: ArrayView2<'_, Self>,
                b: ArrayView2<'_, Self>,
                c: &mut Array2<Self>,
            ) {
                assert_eq!(a.ncols(), b.nrows(), "columns of a and rows of b");
                assert_eq!(c.dim(), (a.nrows(), b.ncols()), "shape of the product");
                match backend {
                    #[cfg(not(target_os = "macos"))]
                    Backend::Gemm => pure_rust(threads, a, b, c, 0.0, 1.0),
                    #[cfg(not(any(target_os = "macos", feature = "openblas")))]
                    Backend::Matrixmultiply => general_mat_mul(1.0, &a, &b, 0.0, c),
                    #[cfg(any(target_os = "macos", feature = "openblas"))]
                    Backend::Blas => {
                        let _ = threads;
                        general_mat_mul(1.0, &a, &b, 0.0, c);
                    }
                }
            }
        }
    };
}
element!(f32, Dtype::F32);
element!(f64, Dtype::F64);

/// `c = zero * c + one * a b` by the `gemm` crate, whatever the strides.
#[cfg(not(target_os = "macos"))]
fn pure_rust<T: Element>(
    threads: usize,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    c: &mut Array2<T>,
    zero: T,
    one: T,
) {
    let (m, k, n) = (a.nrows(), a.ncols(), b.ncols());
    let parallel = match threads {
        0 | 1 => gemm::Parallelism::None,
        threads => gemm::Parallelism::Rayon(threads),
    };
    let (to, to_strides) = (c.as_mut_ptr(), [c.strides()[0], c.strides()[1]]);
    // SAFETY: `product` has checked the shapes; pointers and strides are those of the arrays
    // themselves, `c` is borrowed alone and is not read (`read_dst` is false).
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            to,
            to_strides[1],
            to_strides[0],
            false,
            a.as_ptr(),
            a.strides()[1],
            a.strides()[0],
            b.as_ptr(),
            b.strides()[1],
            b.strides()[0],
            zero,
            one,
            false,
            false,
            false,
            parallel,
        );
    }
}

/// A matrix of values in -1..1 without a pattern, the same for the same `seed`.
#[must_use]
pub fn filled<T: Element>(n: usize, seed: u64) -> Array2<T> {
    let mut state = seed.wrapping_mul(2) + 1;
    Array2::from_shape_simple_fn((n, n), || {
        // Knuth's MMIX generator; its high bits are good.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        T::of((state >> 40) as f64 / f64::from(1 << 23) - 1.0)
    })
}

/// Whether sampled entries of `c` are those of `a b`, within the bound that any order of adding
/// keeps: `n u / (1 - n u) * sum |a| |b|` (N. Higham, *Accuracy and Stability*, section 3.1).
#[must_use]
pub fn verify<T: Element>(a: &Array2<T>, b: &Array2<T>, c: &Array2<T>) -> bool {
    const SAMPLES: usize = 64;
    let (rows, columns) = c.dim();
    let nu = a.ncols() as f64 * T::UNIT_ROUNDOFF;
    let bound = nu / (1.0 - nu);
    (0..SAMPLES.min(rows * columns)).all(|sample| {
        // Odd steps spread over rows and columns alike, the last ones included.
        let (row, column) = (rows - 1 - (sample * 7919) % rows, (sample * 104_729) % columns);
        let terms = a.row(row).into_iter().zip(b.column(column));
        let (exact, size) = terms.fold((0.0, 0.0), |(sum, size), (&x, &y)| {
            // A product of two f64 rounds once more here than the bound of the backend allows for.
            let term = x.value() * y.value();
            (sum + term, size + term.abs())
        });
        (c[(row, column)].value() - exact).abs() <= 2.0 * bound * size
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Element + std::fmt::Debug>() {
        for &backend in Backend::ALL {
            for n in [1, 3, 8, 64, 129] {
                for threads in [1, 2] {
                    let (a, b) = (filled::<T>(n, 1), filled::<T>(n, 2));
                    let mut c = Array2::from_elem((n, n), T::of(f64::NAN));
                    T::product(backend, threads, a.view(), b.view(), &mut c);
                    assert!(verify(&a, &b, &c), "{} {} {n}", backend.name(), T::DTYPE);
                    c.mapv_inplace(|value| T::of(value.value() + 0.01));
                    assert!(!verify(&a, &b, &c), "a wrong product passed");
                }
            }
        }
    }

    #[test]
    fn products_are_right_and_wrong_ones_are_seen() {
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn strides_of_either_order_are_followed() {
        let (a, b) = (filled::<f64>(17, 3), filled::<f64>(17, 4));
        let mut c = Array2::zeros((17, 17));
        f64::product(Backend::ALL[0], 1, b.t(), a.t(), &mut c);
        assert!(verify(&a, &b, &c.t().to_owned()));
    }
}
