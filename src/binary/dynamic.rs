//! What the dynamic linker is told (System V ABI, "Dynamic Section").

use object::elf;
use object::read::elf::{DynamicTable, ElfFile, FileHeader};

/// The entries that matter here. Those that are not text are left out.
#[derive(Debug, Default)]
pub(super) struct Dynamic {
    /// DT_NEEDED, in order.
    pub(super) needed: Vec<String>,
    /// DT_RUNPATH, or DT_RPATH where there is none, as written.
    pub(super) runpath: Vec<String>,
    /// DT_SONAME.
    pub(super) soname: Option<String>,
    /// DF_1_PIE: a program that can be loaded anywhere.
    pub(super) is_pie: bool,
}

impl Dynamic {
    pub(super) fn read<'data, Elf: FileHeader>(file: &ElfFile<'data, Elf>) -> Dynamic {
        let Ok(table): Result<DynamicTable<'data, Elf>, _> = file.elf_dynamic_table() else {
            return Dynamic::default();
        };
        let strings = |wanted| -> Vec<String> {
            let entries = table.iter().filter(|entry| entry.tag == wanted);
            let texts = entries.filter_map(|entry| table.string(entry).ok());
            texts.filter_map(|text| String::from_utf8(text.to_vec()).ok()).collect()
        };
        let mut runpath = strings(elf::DT_RUNPATH);
        if runpath.is_empty() {
            runpath = strings(elf::DT_RPATH);
        }
        let runpath = runpath.iter().flat_map(|paths| paths.split(':')).map(str::to_owned);
        let is_pie = |entry: object::read::elf::Dynamic| {
            entry.tag == elf::DT_FLAGS_1 && entry.val & elf::DF_1_PIE.0 != 0
        };
        Dynamic {
            needed: strings(elf::DT_NEEDED),
            runpath: runpath.collect(),
            soname: strings(elf::DT_SONAME).pop(),
            is_pie: table.iter().any(is_pie),
        }
    }
}
