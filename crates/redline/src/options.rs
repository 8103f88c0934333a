//! The options that decide how signals become orders, shared by `backtest` and `optimize`.

use backtest::config::{
    Accumulate, Conflict, DirectionConflict, FeeTier, OppositeEntry, SizeType, StopEntryPrice,
    StopExit, StopExitPrice, StopUpdate,
};
use backtest::{Config, Direction, PerBar};
use clap::Args;
use market_data::BarsView;
use serde::Deserialize;

use crate::values::word;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Orders")]
pub(crate) struct OrderOptions {
    /// Cash at the start
    #[arg(long, value_name = "CASH", default_value_t = 100.0)]
    init_cash: f64,
    /// Order size in the unit of --size-type; inf takes all cash
    #[arg(long, value_name = "N", default_value_t = f64::INFINITY)]
    size: f64,
    /// amount (units), value (cash) or percent (a share: 0.5 is half)
    #[arg(long, value_name = "WORD", default_value = "amount", value_parser = word::<SizeType>)]
    size_type: SizeType,
    /// Fees as a share of the order's value (0.001 is 0.1 percent)
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    fees: f64,
    /// Fees by the value traded in the month so far, which replace --fees: FROM=SHARE steps, such as
    /// 0=0.001,100000=0.0008
    #[arg(long, value_name = "FROM=SHARE,...", value_delimiter = ',', value_parser = fee_tier)]
    fee_tiers: Vec<FeeTier>,
    /// Fees per order in cash
    #[arg(long, value_name = "CASH", default_value_t = 0.0)]
    fixed_fees: f64,
    /// Fees per unit of the asset in cash, beside the others
    #[arg(long, value_name = "CASH", default_value_t = 0.0)]
    fees_per_unit: f64,
    /// The least that the fees of an order come to, in cash
    #[arg(long, value_name = "CASH", default_value_t = 0.0)]
    min_fees: f64,
    /// What a position may come to, in multiples of what the account is worth: 2 lends as much again
    #[arg(long, value_name = "TIMES", default_value_t = 1.0)]
    leverage: f64,
    /// Close all where the account is worth less than this share of its position [default: 0 with
    /// --leverage above 1, else never]
    #[arg(long, value_name = "SHARE")]
    maintenance_margin: Option<f64>,
    /// Cost of a short a year, as a share of its value, charged daily (0.03 is 3 percent)
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    borrow_rate: f64,
    /// Interest on lent cash a year, charged daily
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    margin_rate: f64,
    /// Slippage as a share of the price
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    slippage: f64,
    /// Where orders fill: close (of the signal's bar) or next-open
    #[arg(long, value_name = "WORD", default_value = "close", value_parser = word::<FillAt>)]
    fill: FillAt,
    /// Let entries wait at a price better by this share, from the next bar on (exits do not wait)
    #[arg(long, value_name = "SHARE")]
    limit_entry: Option<f64>,
    /// Bars after its signal's in which such an entry may fill [default: any]
    #[arg(long, value_name = "BARS", requires = "limit_entry")]
    limit_bars: Option<f64>,
    /// long-only, short-only or both (exits then open shorts)
    #[arg(long, value_name = "WORD", default_value = "long-only", value_parser = word::<Direction>)]
    direction: Direction,
    /// off, both, add-only or remove-only
    #[arg(long, value_name = "WORD", default_value = "off", value_parser = word::<Accumulate>)]
    accumulate: Accumulate,
    /// Entry and exit of a long in one bar: ignore, entry, exit, adjacent or opposite
    #[arg(long, value_name = "WORD", default_value = "ignore", value_parser = word::<Conflict>)]
    upon_long_conflict: Conflict,
    /// Entry and exit of a short in one bar: ignore, entry, exit, adjacent or opposite
    #[arg(long, value_name = "WORD", default_value = "ignore", value_parser = word::<Conflict>)]
    upon_short_conflict: Conflict,
    /// Long and short entry in one bar: ignore, long, short, adjacent or opposite
    #[arg(
        long,
        value_name = "WORD",
        default_value = "ignore",
        value_parser = word::<DirectionConflict>
    )]
    upon_dir_conflict: DirectionConflict,
    /// Entry against the position: ignore, close, close-reduce, reverse or reverse-reduce
    #[arg(
        long,
        value_name = "WORD",
        default_value = "reverse-reduce",
        value_parser = word::<OppositeEntry>
    )]
    upon_opposite_entry: OppositeEntry,
    /// Stop loss as a share of the entry price (0.02 is 2 percent)
    #[arg(long, value_name = "SHARE")]
    sl_stop: Option<f64>,
    /// The stop loss trails the best price since entry
    #[arg(long, requires = "sl_stop")]
    sl_trail: bool,
    /// Trail only once the price has gone this share in the position's favour
    #[arg(long, value_name = "SHARE", requires = "sl_trail")]
    trail_after: Option<f64>,
    /// Stop no worse than the entry price once it has gone this share in the position's favour
    #[arg(long, value_name = "SHARE")]
    breakeven_after: Option<f64>,
    /// Close a position after this many bars
    #[arg(long, value_name = "BARS")]
    time_stop: Option<f64>,
    /// Take profit as a share of the entry price
    #[arg(long, value_name = "SHARE")]
    tp_stop: Option<f64>,
    /// Base price of stops: close, price or fill-price
    #[arg(long, value_name = "WORD", default_value = "close", value_parser = word::<StopEntryPrice>)]
    stop_entry_price: StopEntryPrice,
    /// Fill price of stops: stop-limit, stop-market, price or close
    #[arg(
        long,
        value_name = "WORD",
        default_value = "stop-limit",
        value_parser = word::<StopExitPrice>
    )]
    stop_exit_price: StopExitPrice,
    /// What a stop does: close, close-reduce, reverse or reverse-reduce
    #[arg(long, value_name = "WORD", default_value = "close", value_parser = word::<StopExit>)]
    upon_stop_exit: StopExit,
    /// What adding to a position does to its stops: keep, override or override-nan
    #[arg(long, value_name = "WORD", default_value = "override", value_parser = word::<StopUpdate>)]
    upon_stop_update: StopUpdate,
    /// Reject orders below this size
    #[arg(long, value_name = "N", default_value_t = 1e-8)]
    min_size: f64,
    /// Cut orders to this size
    #[arg(long, value_name = "N", default_value_t = f64::INFINITY)]
    max_size: f64,
    /// Cut sizes to a multiple of this, such as 1 for whole shares
    #[arg(long, value_name = "N")]
    size_granularity: Option<f64>,
    /// Reject an order that cash covers only in part
    #[arg(long)]
    no_partial: bool,
    /// Let shorts use only cash that no other short has tied up
    #[arg(long)]
    lock_cash: bool,
}

/// Where orders fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FillAt {
    Close,
    NextOpen,
}

/// A step of fees, `FROM=SHARE`.
fn fee_tier(text: &str) -> Result<FeeTier, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    text.split_once('=')
        .and_then(|(from, fees)| Some(FeeTier { from: number(from)?, fees: number(fees)? }))
        .ok_or_else(|| "expected FROM=SHARE, such as 100000=0.0008".to_owned())
}

impl OrderOptions {
    /// Whether a signal is acted on a bar later.
    pub(crate) fn waits_a_bar(&self) -> bool {
        self.fill == FillAt::NextOpen
    }

    /// Which positions entries and exits may open.
    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    /// The options for `bars`.
    pub(crate) fn config<'a>(&'a self, bars: &BarsView<'a>) -> Config<'a> {
        Config {
            fee_tiers: &self.fee_tiers,
            leverage: self.leverage,
            maintenance_margin: self.maintenance_margin.unwrap_or(f64::NAN),
            borrow_rate: self.borrow_rate,
            margin_rate: self.margin_rate,
            limit_entry: self.limit_entry.unwrap_or(f64::NAN).into(),
            limit_bars: self.limit_bars.unwrap_or(f64::INFINITY),
            price: match self.fill {
                FillAt::Close => f64::INFINITY.into(),
                FillAt::NextOpen => PerBar::Array(bars.open),
            },
            init_cash: self.init_cash,
            size: self.size.into(),
            size_type: self.size_type.into(),
            fees: self.fees.into(),
            fixed_fees: self.fixed_fees.into(),
            fees_per_unit: self.fees_per_unit,
            min_fees: self.min_fees,
            slippage: self.slippage.into(),
            min_size: self.min_size.into(),
            max_size: self.max_size.into(),
            size_granularity: self.size_granularity.unwrap_or(f64::NAN).into(),
            allow_partial: (!self.no_partial).into(),
            lock_cash: self.lock_cash.into(),
            direction: self.direction,
            accumulate: self.accumulate.into(),
            upon_long_conflict: self.upon_long_conflict.into(),
            upon_short_conflict: self.upon_short_conflict.into(),
            upon_dir_conflict: self.upon_dir_conflict.into(),
            upon_opposite_entry: self.upon_opposite_entry.into(),
            sl_stop: self.sl_stop.unwrap_or(f64::NAN).into(),
            sl_trail: self.sl_trail.into(),
            trail_after: self.trail_after.unwrap_or(f64::NAN),
            breakeven_after: self.breakeven_after.unwrap_or(f64::NAN),
            time_stop: self.time_stop.unwrap_or(f64::INFINITY),
            tp_stop: self.tp_stop.unwrap_or(f64::NAN).into(),
            stop_entry_price: self.stop_entry_price.into(),
            stop_exit_price: self.stop_exit_price.into(),
            upon_stop_exit: self.upon_stop_exit.into(),
            upon_stop_update: self.upon_stop_update.into(),
        }
    }
}
