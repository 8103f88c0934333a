"""Whether two sides gave the same answer. A script asks before it times them, and stops with the
first place where they differ: a ratio of two different answers says nothing."""

import sys

import numpy as np

# Relative: what two sound ways of computing the same in f64 keep on every input of these scripts (the
# farthest apart, the slope of a regression, comes to 0.8e-9), and no wrong formula does.
TOLERANCE = 1e-9


def refuse(what, ours, theirs, peer, us="redline"):
    """Ends the script."""
    sys.exit(f"{what}: {us} has {ours}, {peer} {theirs}: not the same answer, so no ratio is given")


def close(what, ours, theirs, peer, *, near_zero=0.0, tolerance=TOLERANCE, label=None):
    """The largest difference of two columns of numbers, of which none may exceed `tolerance`.

    A difference is relative to the larger magnitude of both values, or to `near_zero` where both
    are smaller. NaN agrees with nothing. `label` names a place by its number; without, it is a row."""
    ours, theirs = (np.atleast_1d(np.asarray(side, dtype=float)) for side in (ours, theirs))
    if ours.shape != theirs.shape or not ours.size:
        refuse(f"{what}, how many", ours.size, theirs.size, peer)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.maximum(np.maximum(np.abs(ours), np.abs(theirs)), near_zero)
        difference = np.where(ours == theirs, 0.0, np.abs(ours - theirs) / scale)
    wrong = np.flatnonzero(~(difference <= tolerance))
    if wrong.size:
        first = int(wrong[0])
        if ours.size > 1:
            what = f"{what}, {label(first) if label else f'row {first}'}"
        refuse(what, repr(float(ours[first])), repr(float(theirs[first])), peer)
    return float(difference.max())


def identical(what, ours, theirs, peer, us="redline"):
    """Two columns of eight-byte values, bit for bit."""
    ours, theirs = (np.ascontiguousarray(side) for side in (ours, theirs))
    if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
        refuse(f"{what}, type and length", f"{ours.dtype} {ours.shape}", f"{theirs.dtype} {theirs.shape}", peer, us)
    wrong = np.flatnonzero(ours.view(np.uint64) != theirs.view(np.uint64))
    if wrong.size:
        row = wrong[0]
        refuse(f"{what}, row {row}", repr(ours[row].item()), repr(theirs[row].item()), peer, us)
