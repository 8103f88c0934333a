//! Where the time of an evaluation went.

use std::time::Instant;

use crate::{Evaluation, Trial};

/// Time since the last look, booked to what was done in it.
pub(super) struct Clock {
    last: Instant,
    features_ns: u64,
    search_ns: u64,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { last: Instant::now(), features_ns: 0, search_ns: 0 }
    }

    pub(super) fn features_done(&mut self) {
        self.features_ns += self.lap();
    }

    pub(super) fn trials_done(&mut self) {
        self.search_ns += self.lap();
    }

    pub(super) fn evaluation(self, trials: Vec<Trial>) -> Evaluation {
        let Self { features_ns, search_ns, .. } = self;
        Evaluation { trials, features_ns, search_ns }
    }

    fn lap(&mut self) -> u64 {
        let ns = self.last.elapsed().as_nanos() as u64;
        self.last = Instant::now();
        ns
    }
}
