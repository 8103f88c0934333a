//! Ceilings kept on disk, one file for each machine.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::{Ceilings, ProbeError, ProbeReport, machine};

/// Ceilings and when they were measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CachedCeilings {
    /// `redline.ceilings/1`.
    pub schema: String,
    /// Seconds since 1970, UTC.
    pub measured_at_unix_s: u64,
    /// The ceilings.
    pub ceilings: Ceilings,
}

const SCHEMA: &str = "redline.ceilings/1";

impl CachedCeilings {
    /// How long ago they were measured; zero where the clock has been set back since.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_secs(now_unix_s().saturating_sub(self.measured_at_unix_s))
    }
}

/// A folder of ceilings, one file for each fingerprint.
#[derive(Debug, Clone)]
pub struct CeilingsCache {
    dir: PathBuf,
}

impl CeilingsCache {
    /// A cache in `dir`, which is made when something is stored.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The user's own cache folder, as the system names it; `None` where there is none.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let home = || {
            let below = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
            from("HOME").map(|home| home.join(below))
        };
        let dir = from("XDG_CACHE_HOME").or_else(home).or_else(|| from("LOCALAPPDATA"))?;
        Some(Self::at(dir.join("redline")))
    }

    fn file(&self, fingerprint: &str) -> PathBuf {
        self.dir.join(format!("ceilings-{fingerprint}.json"))
    }

    /// The ceilings of this machine, if they were stored within `max_age`.
    ///
    /// # Errors
    /// A file that exists and cannot be read or understood.
    pub fn load(&self, max_age: Duration) -> Result<Option<CachedCeilings>, ProbeError> {
        self.load_for(&machine().fingerprint, max_age)
    }

    /// The ceilings of the machine with `fingerprint`, if they were stored within `max_age`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_for(
        &self,
        fingerprint: &str,
        max_age: Duration,
    ) -> Result<Option<CachedCeilings>, ProbeError> {
        let path = self.file(fingerprint);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ProbeError::file(path, error)),
        };
        let cached: CachedCeilings =
            serde_json::from_str(&text).map_err(|source| ProbeError::Document { path, source })?;
        let ours = cached.schema == SCHEMA && cached.ceilings.fingerprint == fingerprint;
        Ok((ours && cached.age() <= max_age).then_some(cached))
    }

    /// Stores a report's ceilings under its machine's fingerprint; the path written. The file is
    /// replaced whole or not at all.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub fn store(&self, report: &ProbeReport) -> Result<PathBuf, ProbeError> {
        let ceilings = report.ceilings();
        let path = self.file(&ceilings.fingerprint);
        let cached = CachedCeilings {
            schema: SCHEMA.to_owned(),
            measured_at_unix_s: now_unix_s(),
            ceilings,
        };
        let text = serde_json::to_string_pretty(&cached)
            .map_err(|source| ProbeError::Document { path: path.clone(), source })?;
        fs::create_dir_all(&self.dir).map_err(|error| ProbeError::file(&self.dir, error))?;
        write_whole(&path, text.as_bytes())?;
        Ok(path)
    }
}

fn now_unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Writes to a temporary name in the same folder, then renames.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ProbeError> {
    let told = |error| ProbeError::file(path, error);
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(dir.unwrap_or(Path::new("."))).map_err(told)?;
    file.write_all(bytes).map_err(told)?;
    file.persist(path).map_err(|error| told(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn ceilings_come_back_for_the_same_machine_only() {
        let dir = tempfile::tempdir().unwrap();
        let cache = CeilingsCache::at(dir.path().join("made/when/needed"));
        assert!(cache.load(DAY).unwrap().is_none());
        let report = ProbeReport::empty(machine());
        let path = cache.store(&report).unwrap();
        let found = cache.load(DAY).unwrap().unwrap();
        assert_eq!(found.ceilings, report.ceilings());
        assert!(found.age() < DAY);
        assert!(cache.load_for("another", DAY).unwrap().is_none());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn old_and_broken_files_are_no_ceilings() {
        let dir = tempfile::tempdir().unwrap();
        let cache = CeilingsCache::at(dir.path());
        let path = cache.store(&ProbeReport::empty(machine())).unwrap();
        let mut cached = cache.load(DAY).unwrap().unwrap();
        cached.measured_at_unix_s -= 3 * 86_400;
        fs::write(&path, serde_json::to_string(&cached).unwrap()).unwrap();
        assert!(cache.load(DAY).unwrap().is_none());
        fs::write(&path, "{").unwrap();
        let error = cache.load(DAY).unwrap_err().to_string();
        assert!(error.contains("ceilings-") && error.contains("line 1"), "{error}");
    }
}
