//! Whole windows in one kernel: the steps of [`super::tree`] over a chunk that stays in the
//! near caches, the first level but for pairs.
//!
//! The same merges in the same order as the node by node form, therefore the same bits; but the
//! windows between one row and the whole window never leave the chunk's scratch, and those of up to
//! seven rows never the registers. The rows that a chunk shares with the one before are computed again,
//! `window - 1` of them per [`CHUNK`] rows, so that windows above [`WIDEST`] are left to the nodes.

use std::marker::PhantomData;

use self::extreme::{Age, Extreme, Highest, Lowest, Newest, Oldest};
use self::moments::{Moments, Pairs};
use self::sums::{Mean, Numbers, Sum, WeightedSums};
use self::windows::Windows;
use super::lanes::{self, Lanes, Work};
use super::tree::Step;
use crate::engine::{Across, Block, Kernel, stateless};

mod extreme;
mod moments;
mod sums;
mod windows;

/// The widest window that is computed in one kernel.
pub(crate) const WIDEST: usize = 192;

/// Rows computed at a time.
const CHUNK: usize = 512;

/// One plane of scratch: a chunk with its history.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(crate) struct Plane([f64; CHUNK + WIDEST]);

impl Plane {
    pub(crate) const EMPTY: Self = Self([0.0; CHUNK + WIDEST]);
}

impl std::ops::Deref for Plane {
    type Target = [f64];
    fn deref(&self) -> &[f64] {
        &self.0
    }
}

impl std::ops::DerefMut for Plane {
    fn deref_mut(&mut self) -> &mut [f64] {
        &mut self.0
    }
}

/// The most that is known of a window.
const FIELDS: usize = 5;

/// The most planes that a kernel works on: each step reads one half and writes the other.
pub(crate) const PLANES: usize = 2 * FIELDS;

/// A chunk: its input rows, history first, and its output rows; what a kernel does not have is empty.
struct Chunk<'c> {
    inputs: [&'c [f64]; 2],
    outputs: [&'c mut [f64]; 3],
    /// Whether anyone reads each output.
    needed: &'c [bool],
    scratch: &'c mut [Plane],
}

impl Chunk<'_> {
    /// Rows of the window.
    #[inline(always)]
    fn window(&self) -> usize {
        self.inputs[0].len() - self.outputs[0].len() + 1
    }
}

/// A statistic by steps.
trait Chain {
    /// Fills the outputs of a chunk of [`Lanes::ROWS`] rows at least. To be inlined.
    fn chunk<L: Lanes>(chunk: Chunk<'_>);
}

/// A block, chunk by chunk.
struct Chunks<'w, 'a, 'b, C> {
    block: &'w mut Block<'a, 'b>,
    chain: PhantomData<C>,
}

impl<C: Chain> Work for Chunks<'_, '_, '_, C> {
    type Result = ();

    #[inline(always)]
    fn on<L: Lanes>(self) {
        let Block { inputs, outputs, needed, scratch, .. } = self.block;
        let rows = outputs[0].len();
        let depth = inputs[0].len() - rows;
        for from in (0..rows).step_by(CHUNK) {
            let to = rows.min(from + CHUNK);
            let mut own = Chunk { inputs: [&[]; 2], outputs: Default::default(), needed, scratch };
            for (own, input) in own.inputs.iter_mut().zip(*inputs) {
                *own = &input[from..to + depth];
            }
            for (own, output) in own.outputs.iter_mut().zip(&mut **outputs) {
                *own = &mut output[from..to];
            }
            if to - from < L::ROWS { C::chunk::<f64>(own) } else { C::chunk::<L>(own) }
        }
    }
}

/// Runs a chain on the processor's widest registers.
fn run<C: Chain>(block: &mut Block<'_, '_>) {
    lanes::run(Chunks::<C> { block, chain: PhantomData });
}

/// The kernel of a chain.
macro_rules! kernel {
    ($($(#[$doc:meta])* $name:ident: $chain:ty, $outputs:literal;)+) => {$(
        $(#[$doc])*
        pub(crate) static $name: Kernel = Kernel {
            name: concat!(module_path!(), "::", stringify!($name)),
            outputs: $outputs,
            state: stateless,
            run: run::<$chain>,
            // A graph for symbols side by side has the steps as nodes.
            across: Across::OneByOne,
        };
    )+};
}

kernel! {
    /// Rolling sum.
    SUM: Windows<Numbers<Sum>>, 1;
    /// Rolling mean.
    MEAN: Windows<Numbers<Mean>>, 1;
    /// Rolling maximum.
    MAX: Extreme<Highest>, 1;
    /// Rolling minimum.
    MIN: Extreme<Lowest>, 1;
    /// Sum weighted by 1 to `window`, the newest row the heaviest.
    WEIGHTED: Windows<WeightedSums>, 1;
    /// Centred squares and products with time of one series.
    MOMENTS: Moments, 2;
    /// Centred squares of two series and their centred products.
    PAIR: Windows<Pairs>, 3;
    /// Rows since the newest of the window's largest rows.
    MAX_AGE_NEWEST: Age<Highest, Newest>, 1;
    /// Rows since the newest of the window's smallest rows.
    MIN_AGE_NEWEST: Age<Lowest, Newest>, 1;
    /// Rows since the oldest of the window's largest rows.
    MAX_AGE_OLDEST: Age<Highest, Oldest>, 1;
    /// Rows since the oldest of the window's smallest rows.
    MIN_AGE_OLDEST: Age<Lowest, Oldest>, 1;
}

/// Of the newer and the older part of each window.
type Both<'p> = [&'p [f64]; 2];

/// Where the newer and the older parts of `len` windows lie in the windows of before.
#[inline(always)]
fn parts(of: &[f64], step: Step, len: usize) -> Both<'_> {
    [&of[step.lag()..][..len], &of[..len]]
}
