use super::*;

fn plan(dir: &Path) -> Plan {
    Plan {
        dir: dir.to_owned(),
        file_bytes: 8 << 20,
        limit: Duration::from_millis(50),
        sequential: Vec::new(),
        random_depths: Vec::new(),
    }
}

#[test]
fn the_file_has_no_name_while_it_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(&plan(dir.path())).unwrap();
    assert_eq!(scratch.bytes(), 8 << 20);
    if cfg!(unix) {
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn every_case_moves_bytes_and_reads_them_back() {
    let dir = tempfile::tempdir().unwrap();
    let plan = plan(dir.path());
    let scratch = Scratch::new(&plan).unwrap();
    let mut rows = buffered(&scratch, plan.limit).unwrap();
    rows.push(fsync(&scratch, plan.limit).unwrap());
    if scratch.direct().is_ok() {
        for (block, depth) in [(PAGE, 1), (PAGE, 8), (LAYOUT_BLOCK, 2)] {
            for op in [Op::Write, Op::Read] {
                rows.push(sequential(&scratch, op, block, depth, plan.limit).unwrap());
            }
        }
        rows.push(random_reads(&scratch, 4, plan.limit).unwrap());
    }
    for row in &rows {
        assert!(row.verified, "{row:?}");
        assert!(row.iops.unwrap() > 0.0 && row.transfers > 0, "{row:?}");
        // What is saved through the cache takes its time after the calls.
        let Some(times) = row.latency_us else {
            assert_eq!((row.op.as_str(), row.path.as_str()), ("save", "buffered"));
            continue;
        };
        assert!(times.p50 <= times.p99 && times.p99 <= times.p999, "{row:?}");
    }
}

#[test]
fn columns_come_back_as_they_went() {
    let dir = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(&plan(dir.path())).unwrap();
    let rows = columns::parquet(&scratch, 1 << 20).unwrap();
    assert!(rows.len() >= 3);
    assert!(rows.iter().all(|row| row.verified && row.mb_per_s.unwrap() > 0.0), "{rows:?}");
}

#[test]
fn a_full_disk_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let full = Plan { file_bytes: 3 << 20, ..plan(dir.path()) };
    let Err(why) = Scratch::new(&full) else { panic!("a file of less than 4 MiB") };
    assert!(why.ends_with("a quarter of the free space is less than 4 MiB"), "{why}");
}

#[test]
fn a_missing_folder_is_named() {
    let Err(why) = Scratch::new(&plan(Path::new("/no/such/folder"))) else {
        panic!("a file in a missing folder")
    };
    assert!(why.starts_with("/no/such/folder: "), "{why}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_where_nothing_may_be_written_is_named() {
    // `/proc` refuses new files even to root.
    let Err(why) = Scratch::new(&plan(Path::new("/proc"))) else { panic!("a file in /proc") };
    assert!(why.starts_with("/proc: "), "{why}");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_file_systems_are_used_through_the_cache_when_they_refuse_direct_transfers() {
    let Ok(scratch) = Scratch::new(&plan(Path::new("/dev/shm"))) else { return };
    let limit = Duration::from_millis(50);
    assert!(buffered(&scratch, limit).unwrap().iter().all(|row| row.verified));
    assert!(fsync(&scratch, limit).unwrap_err().to_string().contains("no disk to wait for"));
    if let Err(why) = scratch.direct() {
        let limit = Duration::from_millis(10);
        assert_eq!(sequential(&scratch, Op::Read, PAGE, 1, limit).unwrap_err(), why);
    }
}
