//! Under which name does a programmer know this function?
//!
//! Linkers and compilers rename: glibc's internal aliases (`*__GI_raise`), parts split off by the
//! optimiser (`f.part.0`, `f.cold`), calls through the PLT (`f@plt`), symbol versions
//! (`f@@GLIBC_2.2.5`), and the variant that an IFUNC chose for this processor (`__strlen_sse2`).
//! gdb takes a `__` inside a C symbol for Ada's and prints `libxl.ev_fd_init`.
//!
//! Rule: names are compared by their public form and shown as printed.

use std::borrow::Cow;

/// The public name of a function printed as `name`.
pub fn public_name(name: &str) -> Cow<'_, str> {
    let name = name.strip_prefix('*').unwrap_or(name);
    let name = name.strip_prefix("__GI_").unwrap_or(name);
    let name = without_version(name);
    let name = without_part(name);
    match ifunc_base(name) {
        // `__memcpy_chk` is itself the public name of the checked function.
        Some(base) if base.ends_with("_chk") => Cow::Owned(format!("__{base}")),
        Some(base) => Cow::Borrowed(base),
        None => before_ada(name).map_or(Cow::Borrowed(name), Cow::Owned),
    }
}

/// The C symbol that gdb may have printed as `name`, for want of debug info: its `ada_decode` makes
/// `libxl.ev_fd_init` of a symbol with `__` in it where all letters are small and each word starts
/// with one.
pub fn before_ada(name: &str) -> Option<String> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    let base = without_part(name);
    let is_decoded = base.contains('.') && base.split('.').all(is_word);
    is_decoded.then(|| base.replace('.', "__") + &name[base.len()..])
}

/// Without `@plt`, `@GLIBC_2.2.5`, `@@GLIBC_2.2.5`.
fn without_version(name: &str) -> &str {
    match name.split_once('@') {
        Some((base, version)) if !base.is_empty() && !version.contains([' ', '(']) => base,
        _ => name,
    }
}

/// Without what GCC and LLVM append to parts and clones of a function.
fn without_part(mut name: &str) -> &str {
    const PARTS: [&str; 9] =
        ["part", "cold", "constprop", "isra", "lto_priv", "llvm", "localalias", "clone", "sra"];
    loop {
        let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let bare =
            if bare.len() < name.len() { bare.strip_suffix('.').unwrap_or(name) } else { bare };
        match bare.rsplit_once('.') {
            Some((base, part)) if !base.is_empty() && PARTS.contains(&part) => name = base,
            _ => return name,
        }
    }
}

/// `strlen` for `__strlen_sse2`: glibc's names for the variants of its string functions
/// (sysdeps/*/multiarch).
fn ifunc_base(name: &str) -> Option<&str> {
    const FAMILIES: [&str; 8] = ["mem", "str", "stp", "wcs", "wmem", "rawmem", "bcmp", "bzero"];
    let inner = name.strip_prefix("__")?;
    if !FAMILIES.iter().any(|family| inner.starts_with(family)) {
        return None;
    }
    // `__strdup`: the name that the weak alias `strdup` has inside glibc.
    if inner.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Some(inner);
    }
    let variant = inner.match_indices('_').find(|(at, _)| {
        let word = inner[at + 1..].split('_').next().unwrap_or_default();
        names_a_processor(word)
    });
    variant.map(|(at, _)| &inner[..at])
}

/// The first word of a variant: an instruction set, a processor, or `generic`.
fn names_a_processor(word: &str) -> bool {
    const WHOLE: [&str; 12] = [
        "erms", "generic", "ia32", "i586", "i686", "asimd", "sve", "mte", "falkor", "kunpeng",
        "a64fx", "vx",
    ];
    const STARTS: [&str; 7] = ["sse", "ssse", "avx", "evex", "power", "thunderx", "neon"];
    WHOLE.contains(&word) || STARTS.iter().any(|start| word.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_reduce_to_the_public_name() {
        for (printed, public) in [
            ("*__GI_raise", "raise"),
            ("*__GI___assert_fail", "__assert_fail"),
            ("__GI_abort", "abort"),
            ("__GI___strdup", "strdup"),
            ("__strlen_sse2", "strlen"),
            ("__memcpy_avx_unaligned_erms", "memcpy"),
            ("__memmove_chk_avx_unaligned", "__memmove_chk"),
            ("__strcasecmp_l_avx2", "strcasecmp_l"),
            ("__strcmp_sse4_2", "strcmp"),
            ("free@plt", "free"),
            ("memcpy@@GLIBC_2.14", "memcpy"),
            ("afterpoll_internal.part.0", "afterpoll_internal"),
            ("f.constprop.12.isra.0.cold", "f"),
            ("f.cold.3", "f"),
            ("libxl.ev_fd_init", "libxl__ev_fd_init"),
            ("libxl.uint64_parse_json", "libxl__uint64_parse_json"),
            ("libxl.device_add.part.0", "libxl__device_add"),
        ] {
            assert_eq!(public_name(printed), public, "{printed}");
        }
    }

    #[test]
    fn what_gdb_took_for_ada_is_the_symbol_again() {
        assert_eq!(before_ada("libxl.ev_fd_init").as_deref(), Some("libxl__ev_fd_init"));
        assert_eq!(before_ada("libxl.add.part.0").as_deref(), Some("libxl__add.part.0"));
        for name in ["libxl_ctx_alloc", "add.part.0", "f.2", "Main.run", "a..b", ""] {
            assert_eq!(before_ada(name), None, "{name}");
        }
    }

    #[test]
    fn other_names_stay_as_they_are() {
        for name in [
            "strlen",
            "__assert_fail",
            "__libc_start_main",
            "operator*",
            "__generic_file_read",
            "main2",
            "f.2",
            "__memory_pool",
            "",
            "*",
            ".cold",
            "Main.run",
            "a..b",
            "Foo<int>::bar(char)",
            "__str_x86",
        ] {
            let expected = if name == "*" { "" } else { name };
            assert_eq!(public_name(name), expected, "{name}");
        }
    }

    #[test]
    fn reducing_twice_changes_nothing() {
        for name in ["*__GI___strlen_sse2", "f.part.0.cold@plt", "__memmove_chk_avx_unaligned"] {
            let once = public_name(name).into_owned();
            assert_eq!(public_name(&once), once);
        }
    }
}
