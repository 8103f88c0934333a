//! The newest figures over HTTP: `/metrics`, `/health`, `/data` and a page at `/`.
//!
//! Few connections, short requests, a deadline on each: slow ones cost a thread for two seconds and
//! beyond [`CONNECTIONS`] are turned away. Nothing here waits for the sampler or makes it wait.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::continuous::Handle;
use crate::metric::Kind;
use crate::{Alert, Metric, MonitorError, Sample, State};

/// Requests that are answered at once.
const CONNECTIONS: usize = 32;
/// Longest from connection to the end of the request, and of the answer.
const DEADLINE: Duration = Duration::from_secs(2);
const LONGEST_REQUEST: usize = 8 * 1024;
/// Samples on the page's charts.
const CHARTED: usize = 300;
const PAGE: &str = include_str!("page.html");

/// A server on its own thread, until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Site {
    handle: Handle,
    token: Option<String>,
    live: AtomicUsize,
}

impl Server {
    /// Listens on `address`. Beyond this machine only with a `token`, which then every request must
    /// bring: `Authorization: Bearer TOKEN`, or `?token=TOKEN`.
    ///
    /// # Errors
    /// [`MonitorError::Token`] without one where it is needed, [`MonitorError::Listen`] when the
    /// address is in use or not ours.
    pub fn start(
        address: SocketAddr,
        token: Option<String>,
        handle: Handle,
    ) -> Result<Self, MonitorError> {
        if !address.ip().is_loopback() && token.as_ref().is_none_or(String::is_empty) {
            return Err(MonitorError::Token(address));
        }
        let listen = |source| MonitorError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let site = Arc::new(Site { handle, token, live: AtomicUsize::new(0) });
        let thread = std::thread::Builder::new()
            .name("monitor-http".to_owned())
            .spawn(move || accept(&listener, &site, &over))
            .map_err(MonitorError::Thread)?;
        Ok(Self { address, is_over, thread: Some(thread) })
    }

    /// Where it listens; tells the port when 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        // Wakes `accept`; an address of all interfaces answers on loopback.
        let mut own = self.address;
        if own.ip().is_unspecified() {
            own.set_ip(if own.is_ipv4() {
                IpAddr::from([127, 0, 0, 1])
            } else {
                IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])
            });
        }
        let is_awake = TcpStream::connect_timeout(&own, DEADLINE).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| is_awake) {
            // The thread's own panic has been reported by then.
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, site: &Arc<Site>, is_over: &AtomicBool) {
    for stream in listener.incoming() {
        if is_over.load(Ordering::Acquire) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of file descriptors: give the others time to end.
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        if site.live.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS {
            site.live.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let here = Arc::clone(site);
        let thread = std::thread::Builder::new().name("monitor-request".to_owned());
        let spawned = thread.spawn(move || {
            // Who went away in the middle is no concern of ours.
            let _ = here.serve(stream);
            here.live.fetch_sub(1, Ordering::AcqRel);
        });
        if spawned.is_err() {
            site.live.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

struct Answer {
    status: &'static str,
    kind: &'static str,
    body: String,
}

fn text(status: &'static str, body: &str) -> Answer {
    Answer { status, kind: "text/plain; charset=utf-8", body: body.to_owned() }
}

impl Site {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let Some(request) = read(&mut stream)? else { return Ok(()) };
        let Answer { status, kind, body } = self.answer(&request);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())
    }

    fn answer(&self, request: &str) -> Answer {
        let mut words = request.lines().next().unwrap_or("").split(' ');
        let (method, target) = (words.next(), words.next().unwrap_or(""));
        if method != Some("GET") {
            return text("405 Method Not Allowed", "only GET is answered\n");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if !self.is_allowed(request, query) {
            return text("401 Unauthorized", "a token, or a loopback host name, is required\n");
        }
        match path {
            "/metrics" => self.metrics(),
            "/health" => self.health(),
            "/data" => self.data(),
            "/" => {
                Answer { status: "200 OK", kind: "text/html; charset=utf-8", body: PAGE.to_owned() }
            }
            _ => text("404 Not Found", "there is /, /metrics, /health and /data\n"),
        }
    }

    /// With a token, by the token. Without, by the host name: a web page elsewhere whose name was
    /// made to point here must not read it.
    fn is_allowed(&self, request: &str, query: &str) -> bool {
        let header = |name: &str| {
            request.lines().skip(1).find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let Some(token) = &self.token else {
            return header("host").is_none_or(is_loopback_name);
        };
        let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let asked = query.split('&').find_map(|pair| pair.strip_prefix("token="));
        bearer.or(asked).is_some_and(|given| is_same(given.as_bytes(), token.as_bytes()))
    }

    fn metrics(&self) -> Answer {
        let body = match self.handle.latest() {
            Some(sample) => prometheus(&sample, &self.handle.alerts()) + &self.of_itself(),
            None => String::new(),
        };
        Answer { status: "200 OK", kind: "text/plain; version=0.0.4; charset=utf-8", body }
    }

    /// The monitor's own counters.
    fn of_itself(&self) -> String {
        let summary = self.handle.summary();
        let mut out = String::new();
        for (name, help, value) in [
            ("samples", "Samples taken.", summary.samples),
            ("missed_ticks", "Ticks that came too late to be taken.", summary.missed_ticks),
            ("failed_actions", "Alert actions that failed.", summary.failed_actions),
            ("lost_log_lines", "Log lines not written.", summary.lost_log_lines),
        ] {
            let name = format!("redline_monitor_{name}_total");
            // Writing to a string cannot fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}");
        }
        out
    }

    fn health(&self) -> Answer {
        match (self.handle.latest(), self.handle.log_trouble()) {
            (None, _) => text("503 Service Unavailable", "no sample yet\n"),
            (_, Some(why)) => text("503 Service Unavailable", &format!("log: {why}\n")),
            _ => text("200 OK", "ok\n"),
        }
    }

    fn data(&self) -> Answer {
        #[derive(Serialize)]
        struct Data {
            samples: Vec<Sample>,
            alerts: Vec<Alert>,
        }
        let data = Data { samples: self.handle.recent(CHARTED), alerts: self.handle.alerts() };
        let body = serde_json::to_string(&data).unwrap_or_default();
        Answer { status: "200 OK", kind: "application/json", body }
    }
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Takes the same time wherever the first difference is.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// A request's head; `None` when it is too long or does not end in time.
fn read(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let end = Instant::now() + DEADLINE;
    let mut bytes = Vec::new();
    let mut part = [0; 1024];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || bytes.len() > LONGEST_REQUEST {
            return Ok(None);
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut part)? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The Prometheus text format, version 0.0.4: metrics without a value are left out.
#[must_use]
pub fn prometheus(sample: &Sample, alerts: &[Alert]) -> String {
    let mut out = String::new();
    for metric in Metric::ALL {
        let Some(value) = sample.get(*metric) else { continue };
        let info = metric.info();
        let kind = if info.kind == Kind::Counter { "counter" } else { "gauge" };
        let name = info.exported;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}\n{name} {value}", info.help);
    }
    if !alerts.is_empty() {
        out.push_str("# HELP redline_alert_firing Whether the alert fires.\n");
        out.push_str("# TYPE redline_alert_firing gauge\n");
    }
    for alert in alerts {
        let rule = alert.rule.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let firing = u8::from(alert.state == State::Firing);
        let _ = writeln!(out, "redline_alert_firing{{rule=\"{rule}\"}} {firing}");
    }
    out
}
