//! One file per verb.

pub(crate) mod backtest;
pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod export;
pub(crate) mod features;
pub(crate) mod gate;
pub(crate) mod history;
pub(crate) mod optimize;
pub(crate) mod probe;
pub(crate) mod report;
pub(crate) mod shell;
pub(crate) mod suite;
