//! Running totals, by groups of eight rows as in [`super::recur`]: a group's own sums do not wait for the
//! total before it.

use crate::engine::{Across, Block, Kernel};
use crate::kernel::lanes::LANES;
use crate::kernel::simd;

/// Running total from the first row that is not NaN. State: started, total before the current
/// group, total of the group.
pub(crate) static TOTAL: Kernel = Kernel {
    name: "total",
    outputs: 1,
    state: |_| 3,
    run: total,
    across: Across::Symbols(total_across),
};

simd! {
    fn total(block: &mut Block<'_, '_>) {
        let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
        let [started, mut before, mut group] = [block.state[0], block.state[1], block.state[2]];
        let skipped = if started > 0.0 { 0 } else { x.iter().take_while(|v| v.is_nan()).count() };
        out[..skipped].fill(f64::NAN);
        let mut i = skipped;
        while i < x.len() {
            if (block.row + i).is_multiple_of(LANES) {
                i += total_groups(&x[i..], &mut out[i..], &mut before);
            }
            let end = (i + LANES - (block.row + i) % LANES).min(x.len());
            for i in i..end {
                group += x[i];
                out[i] = before + group;
                if (block.row + i + 1).is_multiple_of(LANES) {
                    (before, group) = (out[i], 0.0);
                }
            }
            i = end;
        }
        let started = if skipped < x.len() { 1.0 } else { started };
        block.state.copy_from_slice(&[started, before, group]);
    }
}

simd! {
    fn total_across(block: &mut Block<'_, '_>) -> bool {
        let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
        let symbols = x.len();
        let ends = (block.row + 1).is_multiple_of(LANES);
        let (started, rest) = block.state.split_at_mut(symbols);
        let (before, group) = rest.split_at_mut(symbols);
        for s in 0..symbols {
            let skipped = started[s] == 0.0 && x[s].is_nan();
            started[s] = if skipped { 0.0 } else { 1.0 };
            let sum = if skipped { 0.0 } else { group[s] + x[s] };
            let total = before[s] + sum;
            out[s] = if skipped { f64::NAN } else { total };
            before[s] = if ends { total } else { before[s] };
            group[s] = if ends { 0.0 } else { sum };
        }
        true
    }
}

#[inline(always)]
fn total_groups(x: &[f64], out: &mut [f64], before: &mut f64) -> usize {
    let (x, _) = x.as_chunks::<LANES>();
    let (out, _) = out.as_chunks_mut::<LANES>();
    let mut carry = *before;
    for (x, out) in x.iter().zip(out.iter_mut()) {
        let mut sums = [0.0; LANES];
        let mut group = 0.0;
        for k in 0..LANES {
            group += x[k];
            sums[k] = group;
        }
        for k in 0..LANES {
            out[k] = carry + sums[k];
        }
        carry += group;
    }
    *before = carry;
    x.len() * LANES
}
