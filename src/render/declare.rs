//! Where does a name stand in the spelling of its type?

/// Puts a name into the spelling of its type: `void (*)(int)` and `func` make `void (*func)(int)`.
pub(super) fn declare(language: &str, type_name: &str, name: &str) -> String {
    if name.is_empty() {
        return type_name.to_owned();
    }
    let at = match language {
        // They declare from the outside in: `[u8; 4]`, `fn(*const T)`.
        "rust" | "go" => type_name.len(),
        _ => place_of_name(type_name),
    };
    let (before, behind) = type_name.split_at(at);
    let before = before.trim_end();
    let space = if before.ends_with(['*', '&', '(']) { "" } else { " " };
    format!("{before}{space}{name}{behind}")
}

/// C declares inside the innermost `(*`, else in front of the array's bounds (C17 §6.7.6). Template
/// arguments have parentheses and brackets of their own.
fn place_of_name(type_name: &str) -> usize {
    let (mut depth, mut bounds) = (0_usize, None);
    for (at, c) in type_name.char_indices() {
        let rest = type_name.get(at..).unwrap_or_default();
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '(' if opens_pointer(rest) => return at + behind_pointers(rest),
            '[' if at > 0 && bounds.is_none() => bounds = Some(at),
            _ => {}
        }
    }
    bounds.unwrap_or(type_name.len())
}

/// `(*`, `(&`, and `(outer::box<int>::*` of a pointer to a member.
fn opens_pointer(text: &str) -> bool {
    let inside = text.strip_prefix('(').unwrap_or_default();
    inside.starts_with(['*', '&']) || behind_class(inside).is_some()
}

/// What is behind `outer::box<int>::*`. In brackets of any kind may be anything: `(anonymous namespace)`,
/// `box<void (*)(int)>`, `{...}`.
fn behind_class(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '{' => depth += 1,
            '>' | ')' | '}' => depth = depth.checked_sub(1)?,
            _ if depth > 0 => {}
            '*' => return text.get(..at)?.ends_with("::").then(|| text.get(at + 1..))?,
            ':' | '_' | ' ' => {}
            c if c.is_alphanumeric() => {}
            _ => return None,
        }
    }
    None
}

/// How long the parentheses, stars and qualifiers are up to where the innermost of them end.
fn behind_pointers(text: &str) -> usize {
    let mut rest = text;
    loop {
        let opened = rest.strip_prefix('(').filter(|_| opens_pointer(rest));
        let starred = || rest.strip_prefix(['*', '&', ' ']);
        let words = || ["const", "volatile", "restrict", "_Atomic"];
        let qualified = || words().iter().find_map(|word| rest.strip_prefix(word));
        match opened.or_else(starred).or_else(|| behind_class(rest)).or_else(qualified) {
            Some(behind) => rest = behind,
            None => return text.len() - rest.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_where_c_declares_them() {
        for (type_name, declared) in [
            ("int", "int x"),
            ("char *", "char *x"),
            ("char *const", "char *const x"),
            ("int [3][4]", "int x[3][4]"),
            ("char *[4]", "char *x[4]"),
            ("void (*)(int)", "void (*x)(int)"),
            ("void (*const)(int)", "void (*const x)(int)"),
            ("char (*const volatile)[8]", "char (*const volatile x)[8]"),
            ("char (*const *)[8]", "char (*const *x)[8]"),
            ("char (*const [2])[8]", "char (*const x[2])[8]"),
            ("void (*[4])(void (*)(int))", "void (*x[4])(void (*)(int))"),
            ("void (**)(int)", "void (**x)(int)"),
            ("int (*(*)(int))(char)", "int (*(*x)(int))(char)"),
            ("int (*const (*)(int))(char)", "int (*const (*x)(int))(char)"),
            ("int (&)[3]", "int (&x)[3]"),
            ("int outer::c::*", "int outer::c::*x"),
            ("int (outer::c::*)(c *const, int)", "int (outer::c::*x)(c *const, int)"),
            ("int (box<int, 3>::*const)(int)", "int (box<int, 3>::*const x)(int)"),
            ("int ((anonymous namespace)::c::*)(int)", "int ((anonymous namespace)::c::*x)(int)"),
            (
                "int (n::(anonymous namespace)::c::*[2])[3]",
                "int (n::(anonymous namespace)::c::*x[2])[3]",
            ),
            ("int (box<void (*)(int)>::*)(int)", "int (box<void (*)(int)>::*x)(int)"),
            ("int (struct {...}::*)(int)", "int (struct {...}::*x)(int)"),
            (
                "(anonymous namespace)::c (*((anonymous namespace)::c::*)(int))[2]",
                "(anonymous namespace)::c (*((anonymous namespace)::c::*x)(int))[2]",
            ),
            ("decltype(nullptr) (n::c::*const)(int)", "decltype(nullptr) (n::c::*const x)(int)"),
            ("(anonymous namespace)::c [2]", "(anonymous namespace)::c x[2]"),
            ("box<void (*)(int)>", "box<void (*)(int)> x"),
            ("box<int [3]> [2]", "box<int [3]> x[2]"),
            ("(anonymous namespace)::c *", "(anonymous namespace)::c *x"),
        ] {
            assert_eq!(declare("c++", type_name, "x"), declared);
        }
    }

    #[test]
    fn others_declare_from_the_outside_in() {
        for type_name in ["[u8; 4]", "fn(*const u8)", "(*mut u8, [u8; 2])"] {
            assert_eq!(declare("rust", type_name, "x"), format!("{type_name} x"));
        }
        assert_eq!(declare("go", "func(*main.T) error", "x"), "func(*main.T) error x");
    }
}
