//! The one place that knows the measuring crates: criterion, pprof, gungraun, dhat.
