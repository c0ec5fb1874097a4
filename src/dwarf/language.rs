//! The source language of a unit (DWARF 5 §3.1.1, DW_AT_language).

use gimli::{DwLang, constants as dw};

/// The languages whose rules differ for us; the others are read like C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// C, any standard.
    C,
    /// C++, any standard.
    Cxx,
    /// Rust.
    Rust,
    /// Go.
    Go,
    /// Assembly.
    Assembly,
    /// Any other.
    Other,
}

impl Language {
    pub(crate) fn of(code: DwLang) -> Language {
        match code {
            dw::DW_LANG_C
            | dw::DW_LANG_C89
            | dw::DW_LANG_C99
            | dw::DW_LANG_C11
            | dw::DW_LANG_C17 => Language::C,
            dw::DW_LANG_C_plus_plus
            | dw::DW_LANG_C_plus_plus_03
            | dw::DW_LANG_C_plus_plus_11
            | dw::DW_LANG_C_plus_plus_14
            | dw::DW_LANG_C_plus_plus_17
            | dw::DW_LANG_C_plus_plus_20 => Language::Cxx,
            dw::DW_LANG_Rust => Language::Rust,
            dw::DW_LANG_Go => Language::Go,
            dw::DW_LANG_Mips_Assembler => Language::Assembly,
            _ => Language::Other,
        }
    }

    /// Its stable name in answers and in `--language`.
    pub fn name(self) -> &'static str {
        match self {
            Language::C => "c",
            Language::Cxx => "c++",
            Language::Rust => "rust",
            Language::Go => "go",
            Language::Assembly => "assembly",
            Language::Other => "other",
        }
    }

    /// The language of that name.
    pub fn named(name: &str) -> Option<Language> {
        use Language::{Assembly, C, Cxx, Go, Other, Rust};
        [C, Cxx, Rust, Go, Assembly, Other].into_iter().find(|language| language.name() == name)
    }
}
