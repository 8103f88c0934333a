//! Bars that are asked for again.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use crate::{Bars, DataError, LoadOptions, load};

/// Loaded bars, kept up to a number of bytes; which go first is S3-FIFO's choice.
///
/// A file that has changed in size or time of change is loaded anew: a hit costs one look at the
/// file's entry in its folder and one in the cache.
///
/// ```
/// use market_data::{DataCache, LoadOptions, SaveOptions, SynthOptions, save, synth};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("day.parquet");
/// save(&path, synth(&SynthOptions::default()).view(), &SaveOptions::default())?;
/// let cache = DataCache::new(1 << 30);
/// let first = cache.load(&path, &LoadOptions::default())?;
/// let again = cache.load(&path, &LoadOptions::default())?;
/// assert!(std::sync::Arc::ptr_eq(&first, &again));
/// assert_eq!((cache.stats().hits, cache.stats().misses), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DataCache {
    cache: Cache<Key<OsString>, Arc<Bars>, Bytes>,
    /// Counted here: the crate's own counters take a load that misses for two misses.
    loads: AtomicU64,
    misses: AtomicU64,
}

/// What a cache has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// Loads answered from memory.
    pub hits: u64,
    /// Loads that read the file.
    pub misses: u64,
    /// Bytes of columns held.
    pub bytes: u64,
}

impl CacheStats {
    /// Hits over all loads, from 0 to 1; `None` before the first.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        let loads = self.hits + self.misses;
        (loads > 0).then(|| self.hits as f64 / loads as f64)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key<P> {
    /// As it was given: a path's own hash and equality go part by part, and slower.
    path: P,
    range: [Option<i64>; 2],
    columns: crate::Columns,
    policy: crate::Policy,
    epoch_unit: Option<crate::EpochUnit>,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Key<&OsStr> {
    fn to_owned(&self) -> Key<OsString> {
        let &Self { path, range, columns, policy, epoch_unit, bytes, modified } = self;
        Key { path: path.to_owned(), range, columns, policy, epoch_unit, bytes, modified }
    }
}

impl Equivalent<Key<OsString>> for Key<&OsStr> {
    fn equivalent(&self, key: &Key<OsString>) -> bool {
        self.path == key.path
            && self.range == key.range
            && (self.columns, self.policy) == (key.columns, key.policy)
            && self.epoch_unit == key.epoch_unit
            && (self.bytes, self.modified) == (key.bytes, key.modified)
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Key<OsString>, Arc<Bars>> for Bytes {
    fn weight(&self, _key: &Key<OsString>, bars: &Arc<Bars>) -> u64 {
        bars.bytes() as u64
    }
}

/// Files that a cache is laid out for; more fit, as far as their bytes do. Below 32 the cache is of
/// one piece, so that a single file may take all of it.
const FILES: usize = 16;

impl DataCache {
    /// An empty cache of at most `bytes` bytes of columns.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let cache = Cache::with_weighter(FILES, bytes, Bytes);
        Self { cache, loads: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// [`load`], or what it gave before. Several threads that ask for one file at once load it once.
    ///
    /// # Errors
    /// As [`load`]'s; an error is not kept.
    pub fn load(&self, path: &Path, options: &LoadOptions) -> Result<Arc<Bars>, DataError> {
        let known = std::fs::metadata(path).map_err(|source| DataError::io(path, source))?;
        let key = Key {
            path: path.as_os_str(),
            range: [options.from, options.to],
            columns: options.columns,
            policy: options.policy,
            epoch_unit: options.epoch_unit,
            bytes: known.len(),
            modified: known.modified().ok(),
        };
        self.loads.fetch_add(1, Relaxed);
        if let Some(bars) = self.cache.get(&key) {
            return Ok(bars);
        }
        self.cache.get_or_insert_with(&key.to_owned(), || {
            self.misses.fetch_add(1, Relaxed);
            load(path, options).map(Arc::new)
        })
    }

    /// Hits, misses and bytes held.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let misses = self.misses.load(Relaxed);
        let hits = self.loads.load(Relaxed).saturating_sub(misses);
        CacheStats { hits, misses, bytes: self.cache.weight() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SaveOptions, SynthOptions, save, synth};

    /// Saves so many bars there, and gives them.
    fn write(path: &Path, bars: usize) -> Bars {
        let bars = synth(&SynthOptions { bars, ..SynthOptions::default() });
        save(path, bars.view(), &SaveOptions::default()).unwrap();
        bars
    }

    #[test]
    fn ranges_are_other_entries() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bars.parquet");
        let bars = write(&path, 1_000);
        let cache = DataCache::new(100_000);
        assert_eq!(cache.stats().hit_rate(), None);
        let all = LoadOptions::default();
        let part = LoadOptions { from: Some(bars.timestamp[990]), ..all };
        assert_eq!(*cache.load(&path, &all).unwrap(), bars);
        assert_eq!(cache.load(&path, &part).unwrap().view(), bars.view().slice(990..1_000));
        assert_eq!(*cache.load(&path, &all).unwrap(), bars);
        assert_eq!(cache.stats(), CacheStats { hits: 1, misses: 2, bytes: 48_480 });
        assert_eq!(cache.stats().hit_rate(), Some(1.0 / 3.0));
    }

    #[test]
    fn changed_files_are_read_again_and_bytes_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bars.parquet");
        let cache = DataCache::new(100_000);
        let all = LoadOptions::default();
        for rows in [1_500, 1_600, 1_700, 1_800] {
            let bars = write(&path, rows);
            assert_eq!(*cache.load(&path, &all).unwrap(), bars, "the file has changed");
            assert!(cache.stats().bytes <= 100_000);
        }
        std::fs::remove_file(&path).unwrap();
        assert!(cache.load(&path, &all).is_err());
    }
}
