use super::super::files::tests::put;
use super::*;

/// One processor's caches, as the kernel lists them.
fn put_caches(root: &Path) {
    let folder = "sys/devices/system/cpu/cpu0/cache";
    for (index, level, kind, size, shared) in [
        (0, 1, "Data", "48K", "0-1"),
        (1, 1, "Instruction", "32K", "0-1"),
        (2, 3, "Unified", "4M", "0-3"),
    ] {
        put(root, &format!("{folder}/index{index}/level"), level.to_string());
        put(root, &format!("{folder}/index{index}/type"), kind);
        put(root, &format!("{folder}/index{index}/size"), size);
        put(root, &format!("{folder}/index{index}/shared_cpu_list"), shared);
    }
}

#[test]
fn a_machine_without_sys_and_proc_is_described_all_the_same() {
    let root = tempfile::tempdir().unwrap();
    let machine = describe(root.path(), &[0]);
    assert_eq!(machine.cpu_model, "unknown processor");
    assert!(machine.caches.is_empty() && machine.memory_bytes.is_none());
    assert!(machine.threads >= 1 && machine.cores >= 1);
    assert!(machine.unavailable[0].contains("/sys/devices/system/cpu"), "{machine:?}");
    assert!(machine.theoretical.source.starts_with("not available"));
}

#[test]
fn caches_cores_and_pages_are_read_from_their_files() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    put(root, "proc/cpuinfo", "processor : 0\nmodel name\t: Test CPU 9000\nflags : fpu sse\n");
    put(root, "proc/meminfo", "MemTotal:       1024 kB\n");
    put(root, "sys/devices/system/cpu/online", "0-3\n");
    put(root, "sys/devices/system/node/online", "0-1\n");
    for cpu in 0..4 {
        let folder = format!("sys/devices/system/cpu/cpu{cpu}/topology");
        put(root, &format!("{folder}/physical_package_id"), "0");
        put(root, &format!("{folder}/core_id"), (cpu / 2).to_string());
    }
    put_caches(root);
    fs::create_dir_all(root.join("sys/kernel/mm/hugepages/hugepages-2048kB")).unwrap();
    let machine = describe(root, &[0, 1, 2, 3]);
    assert_eq!(machine.cpu_model, "Test CPU 9000");
    assert_eq!((machine.cores, machine.numa_nodes), (2, Some(2)));
    assert_eq!((machine.caches.len(), machine.caches[2].shared_by), (3, 4));
    assert_eq!(machine.caches[2].cpus, [0, 1, 2, 3]);
    assert_eq!(machine.last_level_cache_bytes(), Some(4 << 20));
    assert_eq!((machine.memory_bytes, machine.hypervisor), (Some(1 << 20), None));
    assert_eq!(machine.huge_page_bytes, [2 << 20]);
}

#[test]
fn the_rule_of_the_clock_is_named() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    assert_eq!(describe(root.path(), &[0]).governor.as_deref(), Some("powersave"));
}

#[test]
fn a_name_that_generations_share_tells_which() {
    let told = |name: &str| {
        let head = "cpu family\t: 26\nmodel\t\t: 2\n";
        cpu_model(&format!("processor\t: 0\n{head}model name\t: {name}\nstepping\t: 1\n"))
    };
    let which = " (family 26 model 2 stepping 1)";
    let emulated = "QEMU Virtual CPU version 2.5+";
    for shared in ["AMD EPYC", "Intel(R) Xeon(R) CPU @ 2.20GHz", emulated] {
        assert_eq!(told(shared), format!("{shared}{which}"));
    }
    for own in ["AMD EPYC 9654 96-Core Processor", "Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz"] {
        assert_eq!(told(own), own);
    }
    assert_eq!(cpu_model("model name\t: Virtual\n"), "Virtual");
}

#[test]
fn virtual_boards_without_a_processor_flag_are_guests() {
    let told = |files: &[(&str, &str)]| {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "proc/cpuinfo", "CPU implementer : 0x41\nCPU part : 0xd40\n");
        files.iter().for_each(|(path, text)| put(root.path(), path, text));
        describe(root.path(), &[0]).hypervisor
    };
    let vendor = "sys/class/dmi/id/sys_vendor";
    let product = "sys/class/dmi/id/product_name";
    let guest = |name: &str| Some(name.to_owned());
    assert_eq!(told(&[]), None);
    assert_eq!(told(&[(vendor, "QEMU\n")]), guest("KVM"));
    assert_eq!(told(&[(vendor, "Amazon EC2"), (product, "c7g.2xlarge")]), guest("KVM"));
    assert_eq!(told(&[(vendor, "Amazon EC2"), (product, "c7g.metal")]), None);
    assert_eq!(told(&[(vendor, "Supermicro")]), None);
    assert_eq!(told(&[("proc/device-tree/compatible", "linux,dummy-virt\0")]), guest("unnamed"));
}
