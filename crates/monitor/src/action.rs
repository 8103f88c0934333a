//! What alerts set off, on a thread of its own: a dead webhook never stalls sampling.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::alerts::Alert;
use crate::rules::Action;
use crate::{MonitorError, Rule};

/// Alerts that may wait for a slow action; those beyond are counted and let go.
const WAITING: usize = 64;
const TIMEOUT: Duration = Duration::from_secs(5);
const RETRIES: u32 = 2;
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Hands alerts to the thread that acts on them.
#[derive(Debug)]
pub(crate) struct Actions {
    queue: Option<SyncSender<(Action, String)>>,
    failed: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Actions {
    /// Starts the thread. It ends by itself once its owner is gone and the queue is empty.
    pub(crate) fn start() -> Result<Self, MonitorError> {
        let (queue, waiting) = sync_channel(WAITING);
        let failed = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&failed);
        let thread = std::thread::Builder::new()
            .name("monitor-actions".to_owned())
            .spawn(move || act(&waiting, &count))
            .map_err(MonitorError::Thread)?;
        Ok(Self { queue: Some(queue), failed, thread })
    }

    /// Takes no more, and waits until the queue is empty, `longest` at most: an alert of the last
    /// moment is worth a word, a dead webhook is not worth the wait. What is still under way then
    /// counts as failed.
    pub(crate) fn finish(&mut self, longest: Duration) {
        self.queue = None;
        let end = Instant::now() + longest;
        while !self.thread.is_finished() {
            if Instant::now() >= end {
                self.failed.fetch_add(1, Ordering::Relaxed);
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Queues what `rule` says for `alert`, and never waits.
    pub(crate) fn send(&self, rule: &Rule, alert: &Alert) {
        let action = &rule.action;
        if action.command.is_empty() && action.webhook.is_none() {
            return;
        }
        let Ok(json) = serde_json::to_string(alert) else { return };
        let queued =
            self.queue.as_ref().is_some_and(|queue| queue.try_send((action.clone(), json)).is_ok());
        if !queued {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Actions that failed to the last try, or found the queue full.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

fn act(waiting: &Receiver<(Action, String)>, failed: &AtomicU64) {
    for (action, json) in waiting {
        let timeout = action.timeout.unwrap_or(TIMEOUT);
        let mut is_done = true;
        if let Some((program, arguments)) = action.command.split_first() {
            is_done &= run(program, arguments, &json, timeout).is_some();
        }
        if let Some(url) = &action.webhook {
            is_done &= post(url, &json, timeout, action.retries.unwrap_or(RETRIES));
        }
        if !is_done {
            failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Runs a program with `json` on its input; `None` unless it ended well in time.
fn run(program: &str, arguments: &[String], json: &str, timeout: Duration) -> Option<()> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    // An alert is shorter than a pipe's buffer: this cannot block. A program that does not read
    // its input is no failure.
    let _ = child.stdin.take()?.write_all(json.as_bytes());
    wait(&mut child, timeout)
}

fn wait(child: &mut Child, timeout: Duration) -> Option<()> {
    let end = Instant::now() + timeout;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().ok()? {
            return status.success().then_some(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().ok()?;
    child.wait().ok()?;
    None
}

fn post(url: &str, json: &str, timeout: Duration, retries: u32) -> bool {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(timeout)).build().into();
    (0..=retries).any(|attempt| {
        if let Some(doublings) = attempt.checked_sub(1) {
            std::thread::sleep(FIRST_WAIT * 2_u32.pow(doublings.min(8)));
        }
        agent.post(url).header("Content-Type", "application/json").send(json).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_the_alert_and_a_slow_one_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alert.json");
        let script = format!("cat > {}", path.display());
        assert!(run("sh", &["-c".into(), script], "{}", TIMEOUT).is_some());
        assert_eq!(std::fs::read_to_string(path).unwrap(), "{}");
        let started = Instant::now();
        assert!(run("sleep", &["60".into()], "{}", Duration::from_millis(50)).is_none());
        assert!(started.elapsed() < Duration::from_secs(5));
        assert!(run("no-such-program", &[], "{}", TIMEOUT).is_none());
    }

    #[test]
    fn a_webhook_is_tried_again_and_a_dead_one_given_up() {
        use std::io::Read;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            // The first caller is turned away; the second is answered.
            drop(listener.accept().unwrap());
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let mut text = String::new();
            while !text.contains("{\"a\":1}") {
                let read = stream.read(&mut request).unwrap();
                text.push_str(&String::from_utf8_lossy(&request[..read]));
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            text
        });
        assert!(post(&url, "{\"a\":1}", TIMEOUT, 2));
        assert!(server.join().unwrap().starts_with("POST / "));
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let started = Instant::now();
        assert!(!post(&url, "{}", Duration::from_millis(100), 1));
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}
