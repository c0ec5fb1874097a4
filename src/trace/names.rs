//! Which public name does a printed function name stand for?
//!
//! Compilers and the C library give one function several symbols: clones (`.part.0`, `.cold`),
//! internal aliases (`__GI_raise`), processor variants chosen when the program starts
//! (`__strlen_sse2`). Knowledge is written with the public name, so names are compared after
//! reduction. Rule: only suffixes and prefixes with a known producer are removed.

use std::borrow::Cow;

/// Marks that gcc and clang append when they split, copy or specialise a function.
const CLONES: [&str; 9] =
    ["part", "cold", "constprop", "isra", "sra", "clone", "lto_priv", "localalias", "llvm"];

/// The beginnings of the C library functions that have processor variants.
const STRING_FUNCTIONS: [&str; 6] = ["str", "mem", "wcs", "wmem", "stp", "rawmem"];

/// The words variants are named with, in glibc's `sysdeps/*/multiarch`.
const VARIANTS: [&str; 38] = [
    "sse2",
    "sse3",
    "ssse3",
    "sse4",
    "sse41",
    "sse42",
    "avx",
    "avx2",
    "avx512",
    "evex",
    "evex512",
    "fma",
    "bmi2",
    "1",
    "2",
    "unaligned",
    "erms",
    "rtm",
    "back",
    "no",
    "bsf",
    "vzeroupper",
    "movbe",
    "generic",
    "ia32",
    "i586",
    "i686",
    "neon",
    "asimd",
    "simd",
    "nosimd",
    "mte",
    "sve",
    "zva64",
    "falkor",
    "thunderx",
    "thunderx2",
    "a64fx",
];

/// The name a function is known by: `*__GI_raise` is `raise`, `__strlen_sse2` is `strlen`,
/// `foo.part.0` is `foo`, `read@plt` is `read`. Other names come back as they are.
pub fn public_name(name: &str) -> Cow<'_, str> {
    let name = name.strip_prefix('*').unwrap_or(name);
    let name = name.strip_prefix("__GI_").unwrap_or(name);
    let name = without_version(name);
    let name = without_clone_marks(name);
    Cow::Borrowed(without_variant(name).unwrap_or(name))
}

/// `read@plt`, `memcpy@@GLIBC_2.14`. MSVC's decorated names start with `?` and keep their `@`.
fn without_version(name: &str) -> &str {
    match name.split_once('@') {
        Some((plain, _)) if !plain.is_empty() && !plain.starts_with('?') => plain,
        _ => name,
    }
}

/// Removes `.word` and `.word.N` from the end, as often as they stand there. A dot that is part
/// of the name (Go's `main.main`) stays.
fn without_clone_marks(mut name: &str) -> &str {
    while let Some((rest, last)) = name.rsplit_once('.') {
        let shorter = if CLONES.contains(&last) {
            rest
        } else if last.bytes().all(|byte| byte.is_ascii_digit()) {
            match rest.rsplit_once('.') {
                Some((before, word)) if CLONES.contains(&word) => before,
                _ => break,
            }
        } else {
            break;
        };
        if shorter.is_empty() {
            break;
        }
        name = shorter;
    }
    name
}

/// `__strlen_sse2` and `__strdup` → `strlen`, `strdup`; none where the name is no such variant:
/// `__memcpy_chk` is a function of its own.
fn without_variant(name: &str) -> Option<&str> {
    let inner = name.strip_prefix("__")?;
    let (base, variant) = match inner.split_once('_') {
        Some((base, variant)) => (base, Some(variant)),
        None => (inner, None),
    };
    let is_string_function = STRING_FUNCTIONS.iter().any(|start| base.starts_with(start))
        && base.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_variant =
        variant.is_none_or(|variant| variant.split('_').all(|word| VARIANTS.contains(&word)));
    (is_string_function && is_variant).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_clones_and_variants_reduce_to_the_public_name() {
        for (printed, public) in [
            ("*__GI_raise", "raise"),
            ("__GI_abort", "abort"),
            ("*__GI___assert_fail", "__assert_fail"),
            ("__GI___strdup", "strdup"),
            ("libxl__build_hvm.part.3", "libxl__build_hvm"),
            ("foo.constprop.0.isra.1.cold", "foo"),
            ("foo.cold.12", "foo"),
            ("read@plt", "read"),
            ("memcpy@@GLIBC_2.14", "memcpy"),
            ("__strlen_sse2", "strlen"),
            ("__memmove_avx_unaligned_erms", "memmove"),
            ("__strchr_sse2_no_bsf", "strchr"),
            ("__strcmp_sse4_2", "strcmp"),
        ] {
            assert_eq!(public_name(printed), public, "{printed}");
        }
    }

    #[test]
    fn names_of_their_own_stay() {
        for name in [
            "main.main",
            "runtime.goexit.0",
            "__memcpy_chk",
            "__assert_fail",
            "__strange_thing",
            "libxl__ctx_lock",
            "core::fmt::write",
            ".cold",
            "@plt",
            "?f@@YAXXZ",
            "",
        ] {
            assert_eq!(public_name(name), name);
        }
    }
}
