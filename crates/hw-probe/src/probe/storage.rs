//! Files.

use super::Run;
use crate::Section;
use crate::report::StorageRow;
use crate::storage::transfer::Op;
use crate::storage::{self, Scratch};
use crate::watch::Signs;

/// Fewer bytes of columns say nothing.
const LEAST_COLUMNS: usize = 1 << 20;

impl Run<'_> {
    pub(super) fn storage(&mut self) {
        self.steps.step(Section::Storage, 0.2, "storage, laying out the file");
        let scratch = match Scratch::new(&self.plan.storage) {
            Ok(scratch) => scratch,
            Err(why) => return self.report.cannot("storage", why),
        };
        self.direct(&scratch);
        self.steps.step(Section::Storage, 0.1, "storage through the page cache");
        let limit = 2 * self.plan.storage.limit;
        let measure = || storage::buffered(&scratch, limit);
        match self.watch.over("buffered storage", Signs::WithoutOthers, measure) {
            Ok(rows) => self.report.storage.extend(rows),
            Err(error) => self.report.cannot("buffered storage", error),
        }
        self.steps.step(Section::Storage, 0.1, "fsync");
        let row =
            self.watch.over("fsync", Signs::WithoutOthers, || storage::fsync(&scratch, limit));
        self.push_storage("fsync", row.map_err(|error| error.to_string()));
        self.steps.step(Section::Storage, 0.1, "columns as Parquet");
        self.columns(&scratch);
        self.report.rule(
            Section::Storage,
            format!(
                "{} MiB file in {}, already without a name; incompressible bytes, each page \
                 stamped and read back; direct cases {} ms each",
                scratch.bytes() >> 20,
                self.plan.storage.dir.display(),
                self.plan.storage.limit.as_millis()
            ),
        );
    }

    fn columns(&mut self, scratch: &Scratch) {
        const WHAT: &str = "columns as Parquet";
        let bytes = self.plan.column_bytes.min(scratch.bytes() as usize);
        if bytes < LEAST_COLUMNS {
            return self.report.cannot(WHAT, "memory leaves less than 1 MiB of columns");
        }
        let measure = || storage::columns::parquet(scratch, bytes);
        match self.watch.over(WHAT, Signs::WithoutOthers, measure) {
            Ok(rows) => self.report.storage.extend(rows),
            Err(why) => self.report.cannot(WHAT, why),
        }
    }

    fn direct(&mut self, scratch: &Scratch) {
        if let Err(why) = scratch.direct() {
            return self.report.cannot("direct storage", why);
        }
        let plan = self.plan.storage.clone();
        let part = 0.5 / (2 * plan.sequential.len() + plan.random_depths.len()) as f64;
        for &(block, depth) in &plan.sequential {
            for op in [Op::Write, Op::Read] {
                let what = format!("storage {op:?}, {} KiB, depth {depth}", block >> 10);
                self.steps.step(Section::Storage, part, &what);
                let row = self.watch.over(&what, Signs::WithoutOthers, || {
                    storage::sequential(scratch, op, block, depth, plan.limit)
                });
                self.push_storage(&what, row);
            }
        }
        for &depth in &plan.random_depths {
            let what = format!("random reads, depth {depth}");
            self.steps.step(Section::Storage, part, &what);
            let row = self.watch.over(&what, Signs::WithoutOthers, || {
                storage::random_reads(scratch, depth, plan.limit)
            });
            self.push_storage(&what, row);
        }
    }

    fn push_storage(&mut self, what: &str, row: Result<StorageRow, String>) {
        match row {
            Ok(row) => self.report.storage.push(row),
            Err(why) => self.report.cannot(what, why),
        }
    }
}
