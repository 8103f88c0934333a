//! One asset's course through its bars: what comes next, and the order that it asks for.

use std::ops::Range;

use market_data::BarsView;

use super::account::{Limits, Request};
use super::book::Book;
use super::decide::{self, Decision};
use super::limit::Resting;
use super::prefetch::prefetch;
use super::stops::{Hit, Stops};
use super::{Fill, Side};
use crate::config::{Accumulate, SizeType, StopEntryPrice, StopExitPrice};
use crate::signals::BarSignals;
use crate::{BacktestError, Config, Signals};

/// What a run carries from bar to bar.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// Bars gone through.
    pub(super) bar: usize,
    pub(super) book: Book,
    stops: Stops,
    resting: Option<Resting>,
}

impl State {
    pub(super) fn new(cash: f64) -> Self {
        Self { bar: 0, book: Book::new(cash), stops: Stops::NONE, resting: None }
    }
}

/// A state on its way through bars.
pub(super) struct Column<'a> {
    bars: &'a BarsView<'a>,
    signals: &'a Signals,
    config: &'a Config<'a>,
    state: &'a mut State,
    /// The next bar with a signal, and the one after it; the number of bars where there is none.
    ahead: [usize; 2],
    has_stops: bool,
    has_limits: bool,
    /// Where they are the same at all bars.
    limits: Option<Limits>,
}

/// Something that happens in a bar of those at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) bar: usize,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// Days of borrowing are paid for.
    Charge,
    Stop(Hit),
    Limit(Hit),
    Signals,
}

impl Event {
    pub(super) fn is_charge(&self) -> bool {
        matches!(self.what, What::Charge)
    }
}

/// An order before the account has seen it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) bar: usize,
    pub(super) decision: Decision,
    pub(super) price: f64,
    slippage: f64,
}

/// The size of an order as the options say it.
struct Asked {
    size: f64,
    size_type: SizeType,
}

impl<'a> Column<'a> {
    pub(super) fn new(
        bars: &'a BarsView<'a>,
        signals: &'a Signals,
        config: &'a Config<'a>,
        state: &'a mut State,
    ) -> Self {
        // These bars may ask for none, and those before have left one.
        let has_stops = config.has_stops() || state.stops.is_armed();
        let has_limits = !config.limit_entry.is_off() || state.resting.is_some();
        let limits = Limits::of_all_bars(config);
        let mut column =
            Self { bars, signals, config, state, ahead: [0; 2], has_stops, has_limits, limits };
        column.ahead = [column.signal(0); 2];
        column.advance();
        column
    }

    pub(super) fn state(&self) -> &State {
        self.state
    }

    pub(super) fn book(&mut self) -> &mut Book {
        &mut self.state.book
    }

    /// What comes first from the bar `from` on. Stops have seen the bars before it.
    #[inline(always)]
    pub(super) fn next(&mut self, from: usize) -> Option<Event> {
        while self.ahead[0] < from {
            self.ahead[0] = self.ahead[1];
            self.advance();
        }
        let bars = self.bars.len();
        let signal = (self.ahead[0] < bars).then_some(self.ahead[0]);
        let end = signal.map_or(bars, |bar| bar + 1);
        let charge = self.state.book.next_charge(self.bars, self.config, from..end);
        // A charge comes before all else in its bar, a stop before a limit, both before signals.
        self.touched(from..charge.unwrap_or(end))
            .or(charge.map(|bar| Event { bar, what: What::Charge }))
            .or(signal.map(|bar| Event { bar, what: What::Signals }))
    }

    /// The first bar from `from` on with a signal, or the number of bars.
    fn signal(&self, from: usize) -> usize {
        let bars = self.bars.len();
        self.signals.next_event(from).map_or(bars, |bar| bar.min(bars))
    }

    /// Looks for the signal after the next, and fetches its price: orders lie too far apart for the
    /// processor to see it coming, and the price was most of an order's time.
    fn advance(&mut self) {
        self.ahead[1] = self.signal(self.ahead[0] + 1);
        prefetch(self.bars.close, self.ahead[1]);
    }

    /// The bar from which on to look for what comes after `event`.
    #[inline(always)]
    pub(super) fn after(event: &Event) -> usize {
        if event.is_charge() { event.bar } else { event.bar + 1 }
    }

    #[inline(always)]
    fn touched(&mut self, span: Range<usize>) -> Option<Event> {
        let State { bar: offset, book, stops, resting } = &mut *self.state;
        let limit = resting.and_then(|resting| resting.scan(self.bars, span.clone(), *offset));
        if book.account.position != 0.0 && stops.is_armed() {
            let span = span.start..limit.map_or(span.end, |hit| hit.bar + 1);
            let stop = stops.scan(self.bars, span, *offset, book.account.position);
            if let Some(hit) = stop {
                return Some(Event { bar: hit.bar, what: What::Stop(hit) });
            }
        }
        limit.map(|hit| Event { bar: hit.bar, what: What::Limit(hit) })
    }

    /// Does what `event` asks for.
    #[inline(always)]
    pub(super) fn act(
        &mut self,
        event: &Event,
        fills: &mut Vec<Fill>,
    ) -> Result<(), BacktestError> {
        if let Some(fill) = self.charge(event) {
            fills.push(fill);
        } else if let Some(planned) = self.plan(event)? {
            fills.extend(self.fill(&planned));
        }
        Ok(())
    }

    /// Pays for days of borrowing, where that is what `event` is.
    pub(super) fn charge(&mut self, event: &Event) -> Option<Fill> {
        if !event.is_charge() {
            return None;
        }
        let State { bar: offset, book, stops, .. } = &mut *self.state;
        let fill = book.charge(self.bars, self.config, event.bar, *offset);
        stops.watch(&book.account, self.config);
        Some(fill)
    }

    /// The order that `event` asks for, if any.
    #[inline(always)]
    pub(super) fn plan(&mut self, event: &Event) -> Result<Option<Planned>, BacktestError> {
        match event.what {
            What::Charge => Ok(None),
            What::Stop(hit) => self.at_stop(hit),
            What::Limit(hit) => self.at_limit(hit),
            What::Signals => self.at_signals(event.bar),
        }
    }

    fn at_stop(&mut self, hit: Hit) -> Result<Option<Planned>, BacktestError> {
        self.state.resting = None;
        let (bar, config) = (hit.bar, self.config);
        let position = self.state.book.account.position;
        let slippage = config.slippage.at(bar);
        if hit.is_call {
            let decision = Decision::close(position);
            return Ok(Some(Planned { bar, decision, price: hit.price, slippage }));
        }
        let (mode, accumulate) = (config.upon_stop_exit.at(bar), config.accumulate.at(bar));
        let (signals, accumulate) = decide::of_stop(position, mode, accumulate);
        let (price, slippage) = match config.stop_exit_price.at(bar) {
            StopExitPrice::StopLimit => (hit.price, 0.0),
            StopExitPrice::StopMarket => (hit.price, slippage),
            StopExitPrice::Price => (self.order_price(bar), slippage),
            StopExitPrice::Close => (self.bars.close[bar], slippage),
        };
        let decision = self.decide(signals, accumulate, &self.asked(bar), self.order_price(bar))?;
        Ok(decision.map(|decision| Planned { bar, decision, price, slippage }))
    }

    fn at_limit(&mut self, hit: Hit) -> Result<Option<Planned>, BacktestError> {
        let Some(resting) = self.state.resting.take() else { return Ok(None) };
        let asked = Asked { size: resting.size, size_type: resting.size_type };
        let decision = self.decide(resting.signals(), resting.accumulate, &asked, hit.price)?;
        let Hit { bar, price, .. } = hit;
        Ok(decision.map(|decision| Planned { bar, decision, price, slippage: 0.0 }))
    }

    #[inline(always)]
    fn at_signals(&mut self, bar: usize) -> Result<Option<Planned>, BacktestError> {
        let position = self.state.book.account.position;
        let (signals, accumulate) =
            decide::resolve(self.signals.at(bar), position, self.config, bar);
        let signals = if self.has_limits { self.rest(bar, signals, accumulate)? } else { signals };
        let price = self.order_price(bar);
        let decision = self.decide(signals, accumulate, &self.asked(bar), price)?;
        let slippage = self.config.slippage.at(bar);
        Ok(decision.map(|decision| Planned { bar, decision, price, slippage }))
    }

    /// Lets entries wait where the bar says so, and gives the signals that do not wait.
    fn rest(
        &mut self,
        bar: usize,
        mut signals: BarSignals,
        accumulate: Accumulate,
    ) -> Result<BarSignals, BacktestError> {
        let share = self.config.limit_entry.at(bar);
        self.state.resting = self.state.resting.filter(|r| !r.is_cancelled_by(signals));
        if share.is_nan() {
            return Ok(signals);
        }
        let BarSignals { long_entry, short_entry, .. } = signals;
        let entries = BarSignals { long_entry, short_entry, ..BarSignals::default() };
        (signals.long_entry, signals.short_entry) = (false, false);
        let asked = self.asked(bar);
        let price = self.order_price(bar);
        if let Some(decision) = self.decide(entries, accumulate, &asked, price)? {
            let is_long = decision.side == Side::Buy;
            let last_bar = self.config.limit_bars + (self.state.bar + bar) as f64;
            self.state.resting = Some(Resting {
                is_long,
                price: price * if is_long { 1.0 - share } else { 1.0 + share },
                size: asked.size,
                size_type: asked.size_type,
                accumulate,
                // Saturates at never.
                last_bar: (last_bar as usize).min(usize::MAX - 1),
            });
        }
        Ok(signals)
    }

    #[inline(always)]
    fn decide(
        &self,
        signals: BarSignals,
        accumulate: Accumulate,
        asked: &Asked,
        value_price: f64,
    ) -> Result<Option<Decision>, BacktestError> {
        let position = self.state.book.account.position;
        decide::decide(signals, position, accumulate, asked.size, asked.size_type, value_price)
    }

    #[inline(always)]
    fn asked(&self, bar: usize) -> Asked {
        Asked { size: self.config.size.at(bar), size_type: self.config.size_type.at(bar) }
    }

    #[inline(always)]
    pub(super) fn order_price(&self, bar: usize) -> f64 {
        let price = self.config.price.at(bar);
        if price == f64::INFINITY { self.bars.close[bar] } else { price }
    }

    /// Fills `planned`, where the account accepts it.
    #[inline(always)]
    pub(super) fn fill(&mut self, planned: &Planned) -> Option<Fill> {
        let Planned { bar, decision, price, slippage } = *planned;
        let config = self.config;
        let State { bar: offset, book, stops, .. } = &mut *self.state;
        let fees = book.fees(self.bars, config, bar);
        let limits = self.limits.unwrap_or_else(|| Limits::at(config, bar));
        let limits = Limits { fees, slippage, ..limits };
        let request = Request::new(bar, &decision, price, &limits);
        let before = book.account.position;
        let mut order = book.execute(self.bars, config, &request)?;
        order.bar += *offset;
        if self.has_stops {
            let base = match config.stop_entry_price.at(bar) {
                StopEntryPrice::Price => price,
                StopEntryPrice::FillPrice => order.price,
                StopEntryPrice::Close => self.bars.close[bar],
            };
            stops.after_fill(before, &book.account, base, [bar, *offset], config);
        }
        Some(Fill { order, account: book.account })
    }

    /// Leaves the bars behind.
    pub(super) fn finish(self) {
        self.state.book.pass(self.bars);
        self.state.bar += self.bars.len();
    }
}
