//! Kernels that compute each row from one row of each tap.

/// Declares a kernel as an expression over one row: its taps, then its constants.
macro_rules! map {
    ($($(#[$doc:meta])* $name:ident = |$($x:ident),+; $($k:ident),*| $body:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) static $name: $crate::engine::Kernel = $crate::engine::Kernel {
            name: concat!(module_path!(), "::", stringify!($name)),
            outputs: 1,
            state: $crate::engine::stateless,
            across: $crate::engine::Across::AsRows,
            run: {
                // The slices are parameters, so that the compiler knows that none overlaps `out`.
                #[inline(always)]
                fn rows(out: &mut [f64], $($x: &[f64],)+ $($k: f64),*) {
                    let n = out.len();
                    $(let $x = &$x[..n];)+
                    for i in 0..n {
                        $(let $x = $x[i];)+
                        out[i] = $body;
                    }
                }
                $crate::kernel::simd! {
                    fn run(block: &mut $crate::engine::Block<'_, '_>) {
                        #[allow(unused_mut, unused_variables, reason = "a map may have no constant")]
                        let mut consts = block.consts.iter().copied();
                        let mut inputs = block.inputs.iter();
                        rows(
                            block.outputs[0],
                            $({ let $x = inputs.next().expect("one slice per tap"); $x },)+
                            $({ let $k = consts.next().expect("one value per constant"); $k }),*
                        );
                    }
                }
                run
            },
        };
    )+};
}
pub(crate) use map;

map! {
    ADD = |a, b;| a + b;
    SUB = |a, b;| a - b;
    MUL = |a, b;| a * b;
    /// `a / b`, and 0 where `b` is 0.
    RATIO_OR_0 = |a, b;| if b == 0.0 { 0.0 } else { a / b };
    DIV = |a, b;| a / b;
    ABS = |a;| a.abs();
    SQRT = |a;| a.sqrt();
    /// `100 * a`.
    PERCENT = |a;| a * 100.0;
    /// `a * scale + offset`.
    AFFINE = |a; scale, offset| a * scale + offset;
    /// `a * p + b * q`.
    MIX = |a, b; p, q| a * p + b * q;
    /// The larger of two; NaN where either is.
    MAX = |a, b;| { let m = if a > b { a } else { b }; if a.is_nan() { a } else { m } };
    /// The smaller of two; NaN where either is.
    MIN = |a, b;| { let m = if a < b { a } else { b }; if a.is_nan() { a } else { m } };
    /// `a` where it is above 0, else 0; NaN stays.
    POSITIVE = |a;| if a <= 0.0 { 0.0 } else { a };
    /// `-a` where `a` is below 0, else 0; NaN stays.
    NEGATIVE = |a;| if a >= 0.0 { 0.0 } else { -a };
    /// `100 * a / b - 100`, and 0 where `b` is 0.
    RATE = |a, b;| if b == 0.0 { 0.0 } else { (a / b - 1.0) * 100.0 };
    /// `scale * a / (a + b)`, and 0 where the sum is 0.
    SHARE = |a, b; scale| { let s = a + b; if s == 0.0 { 0.0 } else { scale * (a / s) } };
    /// As [`SHARE`], and 0 where the sum is below 1, as TA-Lib's money flow has it.
    MONEY_SHARE = |a, b;| { let s = a + b; if s < 1.0 { 0.0 } else { 100.0 * (a / s) } };
    /// Where `x` lies between `low` and `high`, times `scale`, plus `offset`; `offset` when flat.
    WITHIN = |x, low, high; scale, offset| {
        let d = high - low;
        if d == 0.0 { offset } else { scale * ((x - low) / d) + offset }
    };
    /// Williams %R from the close, the lowest low and the highest high; 0 when flat.
    WILLIAMS = |x, low, high;| {
        let d = high - low;
        if d == 0.0 { 0.0 } else { -100.0 * ((high - x) / d) }
    };
    /// Largest of the bar's range and its two reaches from the previous close.
    TRUE_RANGE = |high, low, last;| {
        let r = high - low;
        let u = (high - last).abs();
        let d = (low - last).abs();
        let m = if u > d { u } else { d };
        if r > m { r } else { m }
    };
    /// Upward directional movement: how far the high rose, where that exceeds the low's fall.
    MOVE_UP = |high, low, high0, low0;| {
        let (up, down) = (high - high0, low0 - low);
        if up > 0.0 && up > down { up } else { (up + down) * 0.0 }
    };
    /// Downward directional movement: how far the low fell, where that exceeds the high's rise.
    MOVE_DOWN = |high, low, high0, low0;| {
        let (up, down) = (high - high0, low0 - low);
        if down > 0.0 && down > up { down } else { (up + down) * 0.0 }
    };
    /// `100 * |a - b| / (a + b)`, and 0 where the sum is 0.
    IMBALANCE = |a, b;| {
        let s = a + b;
        if s == 0.0 { 0.0 } else { 100.0 * (a - b).abs() / s }
    };
    /// The mean of high, low and close.
    TYPICAL = |high, low, close;| (high + low + close) / 3.0;
    /// `volume` with the sign of the change from `b` to `a`; `volume` where there is no `b` yet.
    SIGNED = |a, b, volume;| {
        if b.is_nan() || a > b { volume } else if a < b { -volume } else { (a - b) * 0.0 }
    };
    /// `flow` where `a` is above `b`, else 0; NaN where any is.
    WHERE_ABOVE = |a, b, flow;| if a > b { flow } else { (a - b) * 0.0 + flow * 0.0 };
    /// Deviation from the mean in mean deviations, over 0.015; 0 where either is 0.
    CCI = |x, mean, deviation;| {
        let d = x - mean;
        if d == 0.0 || deviation == 0.0 { d * 0.0 } else { d / (0.015 * deviation) }
    };
    /// Correlation from the two centred squares and the centred product; 0 where one is flat.
    CORRELATION = |xx, yy, xy;| {
        let s = xx * yy;
        if s <= 0.0 { 0.0 } else { xy / s.sqrt() }
    };
    /// `(window - 1 - age) / (window - 1)` in percent.
    AROON = |age; scale| (1.0 - age * scale) * 100.0;
    /// `ln(a / b)`.
    LOG_RATIO = |a, b;| (a / b).ln();
    /// `a * scale`, squared.
    SQUARE = |a; scale| { let v = a * scale; v * v };
    /// How far the close lies towards the high, from -1 to 1, times the volume; 0 when flat.
    FLOW = |high, low, close, volume;| {
        let range = high - low;
        if range > 0.0 { ((close - low) - (high - close)) / range * volume } else { range * 0.0 }
    };
    /// Efficiency ratio from the net and the total movement; 1 where nothing has moved.
    EFFICIENCY = |net, total;| {
        if total <= net || total == 0.0 { 1.0 + net * 0.0 } else { (net / total).abs() }
    };
    /// Sum of squares around the regression line, from those around the mean and the trend.
    AROUND_LINE = |squares, trend; time| {
        let s = squares - trend * trend * time;
        if s < 0.0 { 0.0 } else { s }
    };
    /// Share of the squares that the line explains; 0 where there are none.
    EXPLAINED = |squares, trend; time| {
        if squares == 0.0 { 0.0 } else { trend * trend * time / squares }
    };
    /// Garman and Klass's variance of one bar from `ln(high / low)` and `ln(close / open)`.
    GARMAN_KLASS = |range, body; weight| 0.5 * range * range - weight * body * body;
    /// Rogers and Satchell's variance of one bar.
    ROGERS_SATCHELL = |high, low, open, close;| {
        (high / close).ln() * (high / open).ln() + (low / close).ln() * (low / open).ln()
    };
    /// Sample skewness from the second and third central moment.
    SKEW = |second, third; scale| scale * third / (second * second.sqrt());
    /// Sample excess kurtosis from the second and fourth central moment.
    KURTOSIS = |second, fourth; scale, offset| scale * fourth / (second * second) - offset;
}
