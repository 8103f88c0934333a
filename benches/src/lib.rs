//! End-to-end benches of whole KPIs, and the instruction counts of every hot kernel.
