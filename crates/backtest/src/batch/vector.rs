//! A number and a yes or no for each trial of a batch.
//!
//! [`Vector`] is what the accounts are written in; [`Reals`] is its plain form and its definition.
//! On a machine with AVX-512 one register holds all eight (`avx512.rs`), to the same bits.

use std::ops::{Add, AddAssign, BitAnd, BitOr, Div, Mul, Not, Sub};

use super::tile::Row;

/// Trials of a batch.
pub const LANES: usize = 8;

/// A bar of a tile per trial.
pub(super) type Bars = [u32; LANES];

/// `[op(0), op(1), ...]`. A plain loop: `std::array::from_fn` is not always inlined, and then runs
/// without the instructions that its caller was compiled for.
macro_rules! each {
    (|$l:ident| $op:expr, $zero:expr) => {{
        let mut out = [$zero; $crate::batch::LANES];
        let mut $l = 0;
        while $l < $crate::batch::LANES {
            out[$l] = $op;
            $l += 1;
        }
        out
    }};
}
pub(super) use each;

/// A number per trial.
pub(super) trait Vector:
    Copy
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
{
    /// The same number everywhere.
    fn all(value: f64) -> Self;
    /// The number of each bar, counted on from `first`.
    fn bars(first: usize, bars: &Bars) -> Self;
    /// `table[at[l]]`, where places past the end of the table, a power of two, wrap around.
    fn look_up<const N: usize>(table: &[f64; N], at: &Bars) -> Self;
    /// The rows, turned: each of their numbers for all trials.
    fn turn(rows: [&Row; LANES]) -> Rows<Self>;
    /// The number at place `l`.
    fn get(self, l: usize) -> f64;
    /// Sets the number at place `l`.
    fn set(&mut self, l: usize, value: f64);
    fn above(self, other: Self) -> Bits;
    fn at_least(self, other: Self) -> Bits;
    fn below(self, other: Self) -> Bits;
    /// The larger; `other` where either is NaN.
    fn higher(self, other: Self) -> Self;
    /// The smaller; `other` where either is NaN.
    fn lower(self, other: Self) -> Self;
    /// `yes` where set, else `no`.
    fn select(mask: Bits, yes: Self, no: Self) -> Self;
    /// `value` where set, else 0.
    fn keep(mask: Bits, value: Self) -> Self;
}

/// A [`Row`] per trial, turned: a place per trial for each of its numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<V> {
    pub(super) last: V,
    pub(super) sum: V,
    pub(super) gains: V,
    pub(super) losses: V,
    pub(super) squares: V,
    pub(super) downside_squares: V,
}

/// The plain form.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Reals([f64; LANES]);

/// A yes or no per trial: bit `l` is place `l`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits(pub(super) u8);

impl Reals {
    #[inline(always)]
    fn zip(self, other: Self, op: impl Fn(f64, f64) -> f64) -> Self {
        Self(each!(|l| op(self.0[l], other.0[l]), 0.0))
    }

    #[inline(always)]
    fn compare(self, other: Self, op: impl Fn(f64, f64) -> bool) -> Bits {
        Bits((0..LANES).fold(0, |bits, l| bits | u8::from(op(self.0[l], other.0[l])) << l))
    }
}

impl Vector for Reals {
    #[inline(always)]
    fn all(value: f64) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn bars(first: usize, bars: &Bars) -> Self {
        Self(each!(|l| (first + bars[l] as usize) as f64, 0.0))
    }

    #[inline(always)]
    fn look_up<const N: usize>(table: &[f64; N], at: &Bars) -> Self {
        const { assert!(N.is_power_of_two()) };
        Self(each!(|l| table[at[l] as usize & (N - 1)], 0.0))
    }

    #[inline(always)]
    fn turn(rows: [&Row; LANES]) -> Rows<Self> {
        Rows {
            last: Self(each!(|l| rows[l].last, 0.0)),
            sum: Self(each!(|l| rows[l].sum, 0.0)),
            gains: Self(each!(|l| rows[l].gains, 0.0)),
            losses: Self(each!(|l| rows[l].losses, 0.0)),
            squares: Self(each!(|l| rows[l].squares, 0.0)),
            downside_squares: Self(each!(|l| rows[l].downside_squares, 0.0)),
        }
    }

    #[inline(always)]
    fn get(self, l: usize) -> f64 {
        self.0[l]
    }

    #[inline(always)]
    fn set(&mut self, l: usize, value: f64) {
        self.0[l] = value;
    }

    #[inline(always)]
    fn above(self, other: Self) -> Bits {
        self.compare(other, |a, b| a > b)
    }

    #[inline(always)]
    fn at_least(self, other: Self) -> Bits {
        self.compare(other, |a, b| a >= b)
    }

    #[inline(always)]
    fn below(self, other: Self) -> Bits {
        self.compare(other, |a, b| a < b)
    }

    #[inline(always)]
    fn higher(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn lower(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn select(mask: Bits, yes: Self, no: Self) -> Self {
        Self(each!(|l| if mask.get(l) { yes.0[l] } else { no.0[l] }, 0.0))
    }

    #[inline(always)]
    fn keep(mask: Bits, value: Self) -> Self {
        Self::select(mask, value, Self::all(0.0))
    }
}

impl Bits {
    pub(super) const NONE: Self = Self(0);

    /// The places at which `a > b`.
    #[inline(always)]
    pub(super) fn above(a: &Bars, b: &Bars) -> Self {
        Self((0..LANES).fold(0, |bits, l| bits | u8::from(a[l] > b[l]) << l))
    }

    #[inline(always)]
    pub(super) fn get(self, l: usize) -> bool {
        self.0 >> l & 1 == 1
    }

    pub(super) fn set(&mut self, l: usize, is_set: bool) {
        self.0 = self.0 & !(1 << l) | u8::from(is_set) << l;
    }

    #[inline(always)]
    pub(super) fn any(self) -> bool {
        self.0 != 0
    }
}

macro_rules! operators {
    ($($name:ident $method:ident $op:tt;)*) => {$(
        impl $name for Reals {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $op b)
            }
        }
    )*};
}

operators! {
    Add add +;
    Sub sub -;
    Mul mul *;
    Div div /;
}

impl AddAssign for Reals {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl BitAnd for Bits {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Bits {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Bits {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(!self.0)
    }
}
