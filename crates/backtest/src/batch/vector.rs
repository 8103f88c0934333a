//! A number and a yes or no for each trial of a batch.
//!
//! Each operation is a loop over eight places of a value, which the compiler turns into one or two
//! instructions on the machine at hand.

use std::array::from_fn;
use std::ops::{Add, AddAssign, BitAnd, BitOr, Div, Mul, Not, Sub};

/// Trials of a batch.
pub const LANES: usize = 8;

/// A number per trial.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Reals(pub(super) [f64; LANES]);

/// A yes (all bits) or no (no bit) per trial.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Mask([u64; LANES]);

impl Reals {
    pub(super) const ZERO: Self = Self::all(0.0);

    /// The same number everywhere.
    #[inline(always)]
    pub(super) const fn all(value: f64) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    pub(super) fn of(value: impl FnMut(usize) -> f64) -> Self {
        Self(from_fn(value))
    }

    #[inline(always)]
    fn zip(self, other: Self, op: impl Fn(f64, f64) -> f64) -> Self {
        Self(from_fn(|l| op(self.0[l], other.0[l])))
    }

    #[inline(always)]
    fn compare(self, other: Self, op: impl Fn(f64, f64) -> bool) -> Mask {
        Mask(from_fn(|l| 0_u64.wrapping_sub(u64::from(op(self.0[l], other.0[l])))))
    }

    #[inline(always)]
    pub(super) fn above(self, other: Self) -> Mask {
        self.compare(other, |a, b| a > b)
    }

    #[inline(always)]
    pub(super) fn at_least(self, other: Self) -> Mask {
        self.compare(other, |a, b| a >= b)
    }

    #[inline(always)]
    pub(super) fn below(self, other: Self) -> Mask {
        self.compare(other, |a, b| a < b)
    }

    /// The larger; `other` where either is NaN.
    #[inline(always)]
    pub(super) fn higher(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    /// The smaller; `other` where either is NaN.
    #[inline(always)]
    pub(super) fn lower(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
}

impl Mask {
    pub(super) const NONE: Self = Self([0; LANES]);

    #[inline(always)]
    pub(super) fn of(mut is_set: impl FnMut(usize) -> bool) -> Self {
        Self(from_fn(|l| 0_u64.wrapping_sub(u64::from(is_set(l)))))
    }

    #[inline(always)]
    pub(super) fn get(self, l: usize) -> bool {
        self.0[l] != 0
    }

    pub(super) fn set(&mut self, l: usize, is_set: bool) {
        self.0[l] = 0_u64.wrapping_sub(u64::from(is_set));
    }

    #[inline(always)]
    pub(super) fn any(self) -> bool {
        self.0.iter().fold(0, |any, bits| any | bits) != 0
    }

    /// `yes` where set, else `no`.
    #[inline(always)]
    pub(super) fn select(self, yes: Reals, no: Reals) -> Reals {
        Reals(from_fn(|l| if self.0[l] != 0 { yes.0[l] } else { no.0[l] }))
    }

    /// `value` where set, else 0.
    #[inline(always)]
    pub(super) fn keep(self, value: Reals) -> Reals {
        self.select(value, Reals::ZERO)
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

impl BitAnd for Mask {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(from_fn(|l| self.0[l] & other.0[l]))
    }
}

impl BitOr for Mask {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(from_fn(|l| self.0[l] | other.0[l]))
    }
}

impl Not for Mask {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(self.0.map(|bits| !bits))
    }
}
