//! Run records, KPI verdicts and their comparison.
