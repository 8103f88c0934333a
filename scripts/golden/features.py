#!/usr/bin/env python3
"""Golden vectors for crates/features, from TA-Lib 0.8.2, pandas 3.1 and a direct NumPy and pandas
statement of Qlib's Alpha158.

    python scripts/golden/features.py crates/features/tests/golden

Column names of talib.csv and pandas.csv: indicator:parameters:output."""

import sys

import numpy as np
import pandas as pd
import talib as t

ROWS = 240
random = np.random.default_rng(5)
close = 100 + np.cumsum(random.normal(0, 0.5, ROWS))
open_ = close + random.normal(0, 0.2, ROWS)
high = np.maximum(open_, close) + random.exponential(0.3, ROWS)
low = np.minimum(open_, close) - random.exponential(0.3, ROWS)
volume = random.lognormal(3, 1, ROWS)
bars = [np.round(x, 9) for x in (open_, high, low, close, volume)]
open_, high, low, close, volume = bars


def save(name, columns):
    frame = pd.DataFrame(columns)
    frame.to_csv(f"{sys.argv[1]}/{name}.csv", index=False, float_format="%.12g", na_rep="NaN")


def from_talib():
    h, l, c, v = high, low, close, volume
    one = {
        "sma:20": t.SMA(c, 20), "ema:12": t.EMA(c, 12), "wma:20": t.WMA(c, 20),
        "wma:7": t.WMA(c, 7), "dema:10": t.DEMA(c, 10), "tema:8": t.TEMA(c, 8),
        "trima:20": t.TRIMA(c, 20), "trima:15": t.TRIMA(c, 15), "kama:30": t.KAMA(c, 30),
        "hma:20": t.HMA(c, 20), "wilder:14": t.RMA(c, 14), "rsi:14": t.RSI(c, 14),
        "ppo:12 26": t.PPO(c, 12, 26, 1), "roc:10": t.ROC(c, 10), "mom:10": t.MOM(c, 10),
        "trix:15": t.TRIX(c, 15), "willr:14": t.WILLR(h, l, c, 14), "cci:20": t.CCI(h, l, c, 20),
        "ultosc:7 14 28": t.ULTOSC(h, l, c, 7, 14, 28), "adx:14": t.ADX(h, l, c, 14),
        "psar:0.02 0.2": t.SAR(h, l, 0.02, 0.2), "mfi:14": t.MFI(h, l, c, v, 14),
        "obv:": t.OBV(c, v), "ad:": t.AD(h, l, c, v), "chaikin:3 10": t.ADOSC(h, l, c, v, 3, 10),
        "cmf:20": t.CMF(h, l, c, v, 20), "true_range:": t.TRANGE(h, l, c),
        "atr:14": t.ATR(h, l, c, 14), "natr:14": t.NATR(h, l, c, 14), "sum:20": t.SUM(c, 20),
        "stddev:20": t.STDDEV(c, 20), "var:20": t.VAR(c, 20), "max:20": t.MAX(c, 20),
        "min:20": t.MIN(c, 20), "correl:20": t.CORREL(h, l, 20), "total:": t.CUMSUM(c),
        "linearreg:20": t.LINEARREG(c, 20), "linearreg_slope:20": t.LINEARREG_SLOPE(c, 20),
        "linearreg_intercept:20": t.LINEARREG_INTERCEPT(c, 20), "tsf:20": t.TSF(c, 20),
        "ratio:5": t.ROCR(c, 5), "vwap:": t.VWAP(h, l, c, v),
    }
    many = {
        "bbands:20 2": t.BBANDS(c, 20, 2, 2), "macd:12 26 9": t.MACD(c, 12, 26, 9),
        "stoch:14 3 3": t.STOCH(h, l, c, 14, 3, 0, 3, 0),
        "stoch_rsi:14 5 3": t.STOCHRSI(c, 14, 5, 3, 0), "aroon:25": t.AROON(h, l, 25),
        "di:14": (t.PLUS_DI(h, l, c, 14), t.MINUS_DI(h, l, c, 14)),
        "donchian:20": t.DONCHIAN(h, l, 20),
    }
    columns = {f"{name}:0": x for name, x in one.items()}
    for name, outputs in many.items():
        columns |= {f"{name}:{k}": x for k, x in enumerate(outputs)}
    return columns


def from_pandas():
    c = pd.Series(close)
    r = c.rolling(20)
    returns = np.log(c / c.shift(1))
    hl, co = np.log(pd.Series(high) / low), np.log(c / open_)
    jump = np.log(pd.Series(open_) / c.shift(1))
    rs = np.log(high / c) * np.log(high / open_) + np.log(low / c) * np.log(low / open_)
    k = 0.34 / (1.34 + 21 / 19)
    yang_zhang = jump.rolling(20).var() + k * co.rolling(20).var() + (1 - k) * rs.rolling(20).mean()
    return {
        "skew:20:0": r.skew(), "kurtosis:20:0": r.kurt(), "median:20:0": r.median(),
        "quantile:20 0.3:0": r.quantile(0.3), "rank:20:0": r.rank(pct=True),
        "covar:20:0": pd.Series(high).rolling(20).cov(pd.Series(low)),
        "ema_first:12:0": c.ewm(span=12, adjust=False).mean(),
        "ema_adjusted:12:0": c.ewm(span=12, adjust=True).mean(),
        "log_return:1:0": returns, "vol_close:20 1:0": returns.rolling(20).std(),
        "vol_parkinson:20 1:0": np.sqrt((hl**2).rolling(20).mean() / (4 * np.log(2))),
        "vol_garman_klass:20 1:0": np.sqrt(
            (0.5 * hl**2 - (2 * np.log(2) - 1) * co**2).rolling(20).mean()),
        "vol_yang_zhang:20 1:0": np.sqrt(yang_zhang),
    }


def alpha158():
    o, h, l, c, v = (pd.Series(x[:100]) for x in bars)
    eps = 1e-12
    hi, lo = np.maximum(o, c), np.minimum(o, c)
    f = {
        "KMID": (c - o) / o, "KLEN": (h - l) / o, "KMID2": (c - o) / (h - l + eps),
        "KUP": (h - hi) / o, "KUP2": (h - hi) / (h - l + eps), "KLOW": (lo - l) / o,
        "KLOW2": (lo - l) / (h - l + eps), "KSFT": (2 * c - h - l) / o,
        "KSFT2": (2 * c - h - l) / (h - l + eps), "OPEN0": o / c, "HIGH0": h / c, "LOW0": l / c,
        "VWAP0": (h + l + c) / 3 / c,
    }
    ref, vref = c.shift(1), v.shift(1)
    up, down = np.maximum(c - ref, 0), np.maximum(ref - c, 0)
    vup, vdown = np.maximum(v - vref, 0), np.maximum(vref - v, 0)
    move = (c / ref - 1).abs() * v

    def line(y):
        """Slope, R-squared and residual of the last row."""
        n = len(y)
        if n < 2:
            return np.nan, np.nan, np.nan
        x = np.arange(1, n + 1)
        b, a = np.polyfit(x, y, 1)
        return b, np.corrcoef(x, y)[0, 1] ** 2, y[-1] - (a + b * n)

    def corr(a, b, d):
        r = a.rolling(d, min_periods=1).corr(b)
        flat = lambda s: np.isclose(s.rolling(d, min_periods=1).std(), 0, atol=2e-5)
        return r.mask(flat(a) | flat(b))

    for d in (5, 10, 20, 30, 60):
        roll = lambda s: s.rolling(d, min_periods=1)
        of = lambda k: roll(c).apply(lambda y: line(y)[k], raw=True)
        high_at = roll(h).apply(lambda y: y.argmax() + 1, raw=True)
        low_at = roll(l).apply(lambda y: y.argmin() + 1, raw=True)
        moved, vmoved = roll((c - ref).abs()).sum() + eps, roll((v - vref).abs()).sum() + eps
        rise, fall = roll((c > ref).astype(float)).mean(), roll((c < ref).astype(float)).mean()
        f |= {
            f"ROC{d}": c.shift(d) / c, f"MA{d}": roll(c).mean() / c, f"STD{d}": roll(c).std() / c,
            f"BETA{d}": of(0) / c,
            f"RSQR{d}": of(1).mask(np.isclose(roll(c).std(), 0, atol=2e-5)),
            f"RESI{d}": of(2) / c, f"MAX{d}": roll(h).max() / c, f"MIN{d}": roll(l).min() / c,
            f"QTLU{d}": roll(c).quantile(0.8) / c, f"QTLD{d}": roll(c).quantile(0.2) / c,
            f"RANK{d}": roll(c).rank(pct=True),
            f"RSV{d}": (c - roll(l).min()) / (roll(h).max() - roll(l).min() + eps),
            f"IMAX{d}": high_at / d, f"IMIN{d}": low_at / d, f"IMXD{d}": (high_at - low_at) / d,
            f"CORR{d}": corr(c, np.log(v + 1), d),
            f"CORD{d}": corr(c / ref, np.log(v / vref + 1), d),
            f"CNTP{d}": rise, f"CNTN{d}": fall, f"CNTD{d}": rise - fall,
            f"SUMP{d}": roll(up).sum() / moved, f"SUMN{d}": roll(down).sum() / moved,
            f"SUMD{d}": (roll(up).sum() - roll(down).sum()) / moved,
            f"VMA{d}": roll(v).mean() / (v + eps), f"VSTD{d}": roll(v).std() / (v + eps),
            f"WVMA{d}": roll(move).std() / (roll(move).mean() + eps),
            f"VSUMP{d}": roll(vup).sum() / vmoved, f"VSUMN{d}": roll(vdown).sum() / vmoved,
            f"VSUMD{d}": (roll(vup).sum() - roll(vdown).sum()) / vmoved,
        }
    return f


save("bars", dict(zip(("open", "high", "low", "close", "volume"), bars)))
save("talib", from_talib())
save("pandas", from_pandas())
save("alpha158", alpha158())
