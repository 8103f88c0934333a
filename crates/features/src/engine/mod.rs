//! The one machine that every indicator runs on.
//!
//! An indicator is written once, as a small graph of [`Kernel`]s over series ([`graph`]). Equal
//! nodes are one node, so a set of indicators shares its parts without being told. The
//! [`machine`] runs such a graph over a block of rows at a time: a series that later blocks look back
//! on keeps its block and the few rows before it, every other hands its block on after its last reader
//! ([`layout`]), so that the blocks stay in the core's own cache. A kernel's answer for a row never
//! depends on where a block begins, therefore whole columns, cache-sized blocks, row ranges on many
//! threads and one bar at a time all give the same bits.

use crate::kernel::chain::Plane;

mod call;
pub(crate) mod graph;
mod layout;
pub(crate) mod machine;
pub(crate) mod panel;
pub(crate) mod reach;

/// The most taps and outputs that one node may have.
const MAX_TAPS: usize = 8;
const MAX_OUTPUTS: usize = 4;

/// Rows that can be counted in an f64; a state that was stored may say anything.
pub(crate) const MOST_ROWS: usize = 1 << 53;

/// What a kernel sees of one block of rows.
pub(crate) struct Block<'a, 'b> {
    /// Row number of the block's first row, counted from the start of the data.
    pub(crate) row: usize,
    /// The node's constants, in the order in which its builder gave them.
    pub(crate) consts: &'a [f64],
    /// One slice per tap: `depth` rows of history, then the block's rows, all shifted by `lag`.
    pub(crate) inputs: &'a [&'b [f64]],
    /// One slice per output, as long as the block.
    pub(crate) outputs: &'a mut [&'b mut [f64]],
    /// Whether anyone reads each output; what nobody reads need not be computed.
    pub(crate) needed: &'a [bool],
    /// What the node carries from block to block, all zero before the first row.
    pub(crate) state: &'a mut [f64],
    /// Room to work in: [`PLANES`](crate::kernel::chain::PLANES) planes of any content.
    pub(crate) scratch: &'a mut [Plane],
}

/// A computation on blocks of rows.
///
/// The contract: the outputs of a row depend on the rows before it and on nothing else, in
/// particular not on the block's length or phase. A row before the data begins reads as NaN.
pub(crate) struct Kernel {
    /// Tells kernels apart when equal nodes are merged.
    pub(crate) name: &'static str,
    /// Number of outputs.
    pub(crate) outputs: usize,
    /// Number of values that it carries from block to block.
    pub(crate) state: fn(consts: &[f64]) -> usize,
    /// Computes one block.
    pub(crate) run: fn(&mut Block<'_, '_>),
    /// Computes one row of many symbols.
    pub(crate) across: Across,
}

/// How a kernel computes one row of many symbols side by side ([`panel`]).
///
/// There the values of a tap are its `depth + 1` rows, the oldest first, each of one value per symbol; an
/// output is one such row; and what is carried is one value per symbol after the other.
pub(crate) enum Across {
    /// As it computes many rows: each reads its own place in each tap alone.
    AsRows,
    /// By its own loop; false where the symbols must be taken one by one, which are then stateless.
    Symbols(fn(&mut Block<'_, '_>) -> bool),
    /// One by one, each as a block of one row with a state of its own.
    OneByOne,
}

/// The state of a kernel that carries nothing.
pub(crate) fn stateless(_consts: &[f64]) -> usize {
    0
}
