//! The bandwidth that memory has on paper, from the modules' own records (SMBIOS type 17).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::machine::Theoretical;

/// Bandwidth of all channels, where the records can be read.
pub(super) fn theoretical(root: &Path) -> Theoretical {
    let folder = root.join("sys/firmware/dmi/entries");
    let Ok(entries) = fs::read_dir(&folder) else {
        return not_available("the system shows no DMI records (usual in a virtual machine)");
    };
    let mut channels: BTreeMap<String, f64> = BTreeMap::new();
    let mut denied = false;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("17-") {
            continue;
        }
        match fs::read(entry.path().join("raw")) {
            Ok(record) => {
                if let Some(rate) = module_bandwidth(&record) {
                    // Two modules of a channel take turns: the channel has the faster one's speed.
                    let most = channels.entry(channel(&record).unwrap_or(name)).or_default();
                    *most = most.max(rate);
                }
            }
            Err(_) => denied = true,
        }
    }
    let bytes_per_s: f64 = channels.values().sum();
    if bytes_per_s > 0.0 {
        let source = format!("DMI: speed x width of {} channels", channels.len());
        return Theoretical { memory_gb_per_s: Some(bytes_per_s * 1e-9), source };
    }
    not_available(if denied { "DMI records need root" } else { "DMI names no memory speed" })
}

fn not_available(why: &str) -> Theoretical {
    Theoretical { memory_gb_per_s: None, source: format!("not available: {why}") }
}

/// Bytes a second of one module: data width (bits, offset 0x0A) times configured speed (10^6
/// transfers a second, offset 0x20); DSP0134, "Memory Device (Type 17)".
fn module_bandwidth(record: &[u8]) -> Option<f64> {
    let word = |at: usize| Some(u16::from_le_bytes(record.get(at..at + 2)?.try_into().ok()?));
    let (width, size, speed) = (word(0x0A)?, word(0x0C)?, word(0x20)?);
    let present = size != 0 && width != 0xFFFF && speed != 0 && speed != 0xFFFF;
    present.then(|| f64::from(width) / 8.0 * f64::from(speed) * 1e6)
}

/// The channel that a module's locators name, in one of the two ways in which boards do: `P0 CHANNEL A`, or
/// `DIMM_A1` for the first slot of channel A. `None` where they name none: then a module counts as a channel.
fn channel(record: &[u8]) -> Option<String> {
    // The slot's name and the bank's: numbers of strings behind the record, from 1.
    let [slot, bank] = [0x10, 0x11].map(|at| string(record, *record.get(at)?));
    let by_word = [&bank, &slot].into_iter().flatten().find_map(|name| after_the_word(name));
    by_word.or_else(|| before_the_slot(&slot?))
}

fn string(record: &[u8], number: u8) -> Option<String> {
    let strings = record.get(usize::from(*record.get(1)?)..)?;
    let text = strings.split(|&byte| byte == 0).nth(usize::from(number.checked_sub(1)?))?;
    Some(String::from_utf8_lossy(text).to_ascii_lowercase())
}

/// `p0 channel a` of `P0 CHANNEL A DIMM 1`.
fn after_the_word(name: &str) -> Option<String> {
    const WORD: &str = "channel";
    let end = name.find(WORD)? + WORD.len();
    let rest = name[end..].trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let label = rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    (!label.is_empty()).then(|| format!("{} {label}", &name[..end]))
}

/// `dimm_a` of `DIMM_A1`; not `dimm` of `DIMM1`, which names no channel.
fn before_the_slot(name: &str) -> Option<String> {
    let without = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let label = without.rsplit(|c: char| !c.is_ascii_alphabetic()).next()?;
    let label = label.strip_prefix("dimm").unwrap_or(label);
    (without.len() < name.len() && label.len() == 1).then(|| without.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::files::tests::put;
    use super::*;

    /// A module of 64 bits at 4,800 million transfers a second.
    fn record(slot: &str, bank: &str) -> Vec<u8> {
        let mut record = vec![0_u8; 0x28];
        record[1] = 0x28;
        record[0x0A..0x0C].copy_from_slice(&64_u16.to_le_bytes());
        record[0x0C..0x0E].copy_from_slice(&0x7FFF_u16.to_le_bytes());
        record[0x10..0x12].copy_from_slice(&[1, 2]);
        record[0x20..0x22].copy_from_slice(&4800_u16.to_le_bytes());
        record.extend(format!("{slot}\0{bank}\0\0").bytes());
        record
    }

    /// GB/s on paper of modules with these locators.
    fn paper(modules: &[(&str, &str)]) -> Option<f64> {
        let root = tempfile::tempdir().unwrap();
        for (index, (slot, bank)) in modules.iter().enumerate() {
            let path = format!("sys/firmware/dmi/entries/17-{index}/raw");
            put(root.path(), &path, record(slot, bank));
        }
        // Another kind of record.
        put(root.path(), "sys/firmware/dmi/entries/4-0/raw", record("", ""));
        theoretical(root.path()).memory_gb_per_s.map(f64::round)
    }

    #[test]
    fn channels_add_up_and_the_modules_of_one_do_not() {
        let bank = "BANK 0";
        for (one, another) in [
            (("DIMM_A1", bank), ("DIMM_A2", bank)),
            (("DIMMA1", bank), ("DIMMA2", bank)),
            (("DIMM 0", "P0 CHANNEL A"), ("DIMM 1", "P0 CHANNEL A")),
            (("Controller0-ChannelA-DIMM0", bank), ("Controller0-ChannelA-DIMM1", bank)),
        ] {
            assert_eq!(paper(&[one, another]), Some(38.0), "{one:?}");
        }
        for (one, another) in [
            (("DIMM_A1", bank), ("DIMM_B1", bank)),
            (("DIMM 0", "P0 CHANNEL A"), ("DIMM 0", "P1 CHANNEL A")),
            (("CPU1_DIMM_A1", bank), ("CPU2_DIMM_A1", bank)),
            // These name no channel.
            (("DIMM0", bank), ("DIMM1", bank)),
            (("", ""), ("", "")),
        ] {
            assert_eq!(paper(&[one, another]), Some(77.0), "{one:?}");
        }
        assert_eq!(paper(&[]), None);
    }
}
