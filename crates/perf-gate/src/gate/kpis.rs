//! KPIs of two suite records of one machine.

use super::document::{Row, RowVerdict};
use crate::{Better, Kpi, RunRecord, Status};

/// A row per KPI of the head: regressed where it is critical and the base's is not known to be, or
/// where its share of the probe's ceiling fell by more than `ceiling_loss_percent` of the base's.
/// KPIs that were critical before stay a note: this change did not make them so.
#[must_use]
pub fn judge_kpis(
    base: Option<&RunRecord>,
    head: &RunRecord,
    ceiling_loss_percent: f64,
) -> Vec<Row> {
    let row = |kpi: &Kpi| {
        let other = base.and_then(|base| base.kpis.iter().find(|other| other.name == kpi.name));
        judge(other, kpi, ceiling_loss_percent)
    };
    head.kpis.iter().map(row).collect()
}

fn judge(base: Option<&Kpi>, head: &Kpi, ceiling_loss_percent: f64) -> Row {
    let change = |base: f64, head: f64| (head / base - 1.0) * 100.0;
    let shares = base.and_then(|base| base.of_ceiling).zip(head.of_ceiling);
    let loss = shares.map(|(base, head)| -change(base, head));
    let (verdict, note) = match head.status {
        Status::NotAvailable => (RowVerdict::NotAvailable, head.why.clone()),
        Status::Critical if base.is_some_and(|base| base.status == Status::Critical) => {
            (RowVerdict::Same, Some("critical, as before".to_owned()))
        }
        Status::Critical => (RowVerdict::Regressed, Some(beyond(head))),
        _ if loss.is_some_and(|loss| loss > ceiling_loss_percent) => {
            (RowVerdict::Regressed, shares.map(|(base, head)| lost(base, head)))
        }
        _ => (RowVerdict::Same, None),
    };
    let base_value = base.and_then(|base| base.value);
    Row {
        base: base_value,
        head: head.value,
        change_percent: base_value.zip(head.value).map(|(base, head)| change(base, head)),
        note,
        ..Row::bare(&head.name, &head.unit, verdict)
    }
}

fn beyond(kpi: &Kpi) -> String {
    let sign = if kpi.better == Better::Lower { ">" } else { "<" };
    format!("critical is {sign} {} {}", crate::digits(kpi.critical.unwrap_or(f64::NAN)), kpi.unit)
}

fn lost(base: f64, head: f64) -> String {
    format!("share of the machine's ceiling: {:.0} % -> {:.0} %", base * 100.0, head * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kpi(status: Status, of_ceiling: Option<f64>) -> Kpi {
        Kpi {
            name: "gemm".to_owned(),
            title: "GEMM".to_owned(),
            value: Some(100.0),
            unit: "GFLOPS".to_owned(),
            better: Better::Higher,
            target: None,
            critical: Some(50.0),
            status,
            of_ceiling,
            why: None,
            samples: vec![100.0],
        }
    }

    fn verdict(base: Option<Kpi>, head: Kpi) -> (RowVerdict, Option<String>) {
        let row = judge(base.as_ref(), &head, 15.0);
        (row.verdict, row.note)
    }

    #[test]
    fn newly_critical_or_far_below_the_ceiling_is_worse() {
        use Status::{Critical, NotAvailable, Ok, Warn};
        assert_eq!(verdict(None, kpi(Ok, None)), (RowVerdict::Same, None));
        assert_eq!(verdict(Some(kpi(Ok, None)), kpi(Warn, None)).0, RowVerdict::Same);
        let (is, note) = verdict(Some(kpi(Ok, None)), kpi(Critical, None));
        assert_eq!(
            (is, note.as_deref()),
            (RowVerdict::Regressed, Some("critical is < 50.0 GFLOPS"))
        );
        assert_eq!(verdict(None, kpi(Critical, None)).0, RowVerdict::Regressed);
        let known = verdict(Some(kpi(Critical, None)), kpi(Critical, None));
        assert_eq!(known, (RowVerdict::Same, Some("critical, as before".to_owned())));
        let shares = |base, head| verdict(Some(kpi(Ok, Some(base))), kpi(Ok, Some(head))).0;
        assert_eq!(shares(0.9, 0.85), RowVerdict::Same);
        assert_eq!(shares(0.9, 0.7), RowVerdict::Regressed);
        assert_eq!(verdict(None, kpi(NotAvailable, None)).0, RowVerdict::NotAvailable);
    }
}
