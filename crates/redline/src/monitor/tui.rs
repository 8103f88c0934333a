//! Charts and alerts on a terminal.

use std::time::Duration;

use std::io::IsTerminal;

use anyhow::{Context, Result, ensure};
use monitor::{Handle, Metric, Sample, State};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style};
use ratatui::widgets::{Block, Row, Sparkline, Table};
use ratatui::{DefaultTerminal, Frame};

use super::report;

const CHARTS: [(Metric, &str, f64, &str); 4] = [
    (Metric::ProcessRss, "process memory", 1e6, "MB"),
    (Metric::ProcessCpu, "process CPU", 1.0, "% of a core"),
    (Metric::SystemCpu, "machine CPU", 1.0, "%"),
    (Metric::MemoryPercent, "machine memory", 1.0, "%"),
];

/// The terminal, taken over until this is dropped; a panic gives it back too.
pub(crate) struct Screen(DefaultTerminal);

/// Proof that there is a terminal.
pub(crate) struct Ready(());

impl Ready {
    pub(crate) fn open(self) -> Result<Screen> {
        ratatui::try_init().map(Screen).context("--tui cannot take over the terminal")
    }
}

impl Screen {
    /// Looks whether there is a terminal, and leaves it as it is.
    pub(crate) fn check() -> Result<Ready> {
        ensure!(std::io::stdout().is_terminal(), "--tui needs a terminal on standard output");
        Ok(Ready(()))
    }

    /// Draws, then waits for a key; whether it was one that ends.
    pub(crate) fn show(&mut self, handle: &Handle, wait: Duration) -> Result<bool> {
        let samples = handle.recent(400);
        let alerts = handle.alerts();
        self.0.draw(|frame| draw(frame, &samples, &alerts))?;
        if !event::poll(wait)? {
            return Ok(false);
        }
        let Event::Key(key) = event::read()? else { return Ok(false) };
        let is_ctrl_c = key.modifiers.contains(KeyModifiers::CONTROL);
        Ok(match key.code {
            KeyCode::Char('q') => true,
            KeyCode::Char('c') => is_ctrl_c,
            _ => false,
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn draw(frame: &mut Frame<'_>, samples: &[Sample], alerts: &[monitor::Alert]) {
    let height = (alerts.len() as u16).saturating_add(2);
    let areas = Layout::vertical([Constraint::Fill(1); CHARTS.len()]).split(
        Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).split(frame.area())[0],
    );
    for ((metric, title, unit, name), area) in CHARTS.iter().zip(areas.iter()) {
        let values: Vec<u64> = samples
            .iter()
            .map(|sample| (sample.get(*metric).unwrap_or(0.0) / unit) as u64)
            .collect();
        let shown =
            &values[values.len().saturating_sub(usize::from(area.width).saturating_sub(2))..];
        let value = samples.last().and_then(|sample| sample.get(*metric));
        let value = value.map_or("not available".to_owned(), |v| format!("{:.1} {name}", v / unit));
        let block = Block::bordered().title(format!(" {title}: {value} "));
        let style = Style::new().fg(Color::Cyan);
        frame.render_widget(Sparkline::default().data(shown).style(style).block(block), *area);
    }
    let rows = alerts.iter().map(|alert| {
        let color = if alert.state == State::Firing { Color::Red } else { Color::Reset };
        let number = |n: Option<f64>| n.map_or("-".to_owned(), report::short);
        let state = report::name(alert.state).to_owned();
        Row::new([alert.rule.clone(), state, number(alert.value), number(alert.threshold)])
            .style(Style::new().fg(color))
    });
    let table = Table::new(rows, [Constraint::Fill(1); 4]).block(
        Block::bordered().title(" alerts: state, value, threshold ").title_bottom(" q quits "),
    );
    let bottom =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).split(frame.area())[1];
    frame.render_widget(table, bottom);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    #[test]
    fn any_size_of_terminal_is_drawn() {
        let mut sampler = monitor::Sampler::new(std::process::id(), Vec::new()).unwrap();
        let samples: Vec<Sample> = (0..3).map(|_| sampler.sample()).collect();
        let mut alerts = monitor::Alerts::new(monitor::built_in_rules().unwrap());
        alerts.judge(&samples[2]);
        let drawn = |width, height| {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw(frame, &samples, alerts.alerts())).unwrap();
            terminal
        };
        for (width, height) in [(0, 0), (1, 1), (2, 3), (20, 5), (500, 2)] {
            drawn(width, height);
        }
        let whole = drawn(100, 30).backend().to_string();
        for text in ["process memory: ", "backtest_slow", "without data", "q quits"] {
            assert!(whole.contains(text), "{text} in {whole}");
        }
    }
}
