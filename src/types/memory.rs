//! Memory as people paste it: hexadecimal digits, or what gdb's `x` prints.
//!
//! ```text
//! 0x7ffe4c3a10:    0x00000001    0x00000000    0x4c3a2000    0x00007ffe
//! 0x55d0e0 <ctx+16>:    0x01    0x00
//! 7f 45 4c 46 02 01
//! ```
//!
//! gdb pads each number to its size (print_formatted with 'x', printcmd.c), so that its digits tell how
//! many bytes it has. Its lines say where they are: one that is missing is noticed.

use gimli::RunTimeEndian;

use super::Error;

/// Larger than any type that is looked at.
const MAX_BYTES: usize = 16 << 20;

/// Where a paste of gdb says that a symbol is: `0x55d0e0 <ctx+16>:` has `ctx` at 0x55d0d0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label<'t> {
    /// The symbol.
    pub name: &'t str,
    /// Its address.
    pub address: u64,
}

/// The symbols that the lines of a paste name.
pub fn labels(text: &str) -> impl Iterator<Item = Label<'_>> {
    text.lines().filter_map(|line| {
        let (place, _) = line.rsplit_once(':')?;
        let (address, label) = place.trim().split_once(" <")?;
        let address = u64::from_str_radix(address.strip_prefix("0x")?, 16).ok()?;
        let label = label.strip_suffix('>')?;
        let (name, offset) = match label.rsplit_once('+') {
            Some((name, offset)) => (name, offset.parse().ok()?),
            None => (label, 0_u64),
        };
        Some(Label { name, address: address.checked_sub(offset)? })
    })
}

/// The bytes of a paste.
pub fn read_memory(text: &str, endian: RunTimeEndian) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    // Where the line before ends.
    let mut next = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (address, words) = match line.rsplit_once(':') {
            Some((place, words)) => (Some(address(place)?), words),
            None => (None, line),
        };
        if let (Some(expected), Some(found)) = (next, address)
            && expected != found
        {
            return bad(format!(
                "the line at {found:#x} does not follow: {expected:#x} is missing"
            ));
        }
        let before = bytes.len();
        for word in words.split_whitespace() {
            push(word, address.is_some(), endian, &mut bytes)?;
        }
        if bytes.len() > MAX_BYTES {
            return bad(format!("more than {MAX_BYTES} bytes are no value of a type"));
        }
        next = address.and_then(|address| address.checked_add((bytes.len() - before) as u64));
    }
    if bytes.is_empty() {
        return bad("there are no bytes in it".to_owned());
    }
    Ok(bytes)
}

/// `0x7ffe10`, `0x55d0e0 <ctx+16>`.
fn address(place: &str) -> Result<u64, Error> {
    let digits = place.split_whitespace().next().and_then(|word| word.strip_prefix("0x"));
    match digits.map(|digits| u64::from_str_radix(digits, 16)) {
        Some(Ok(address)) => Ok(address),
        _ => bad(format!("{place:?} is no address as gdb prints it")),
    }
}

/// A number of gdb is in the machine's byte order; digits without an address are bytes in theirs.
fn push(
    word: &str,
    is_number: bool,
    endian: RunTimeEndian,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let digits = word.strip_prefix("0x");
    let is_number = is_number || digits.is_some_and(|digits| digits.len() > 2);
    let digits = match (digits, is_number) {
        (None, true) => return bad(format!("{word:?} is not in hexadecimal: ask gdb with x/xb")),
        (digits, _) => digits.unwrap_or(word),
    };
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex || digits.is_empty() || digits.len() % 2 == 1 {
        return bad(format!("{word:?} is not bytes in hexadecimal"));
    }
    let start = bytes.len();
    for pair in digits.as_bytes().chunks_exact(2) {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        bytes.extend(u8::from_str_radix(pair, 16));
    }
    if is_number && !matches!(digits.len(), 2 | 4 | 8 | 16) {
        return bad(format!("{word:?} has none of the sizes b, h, w and g of gdb's x"));
    }
    if let (true, RunTimeEndian::Little) = (is_number, endian) {
        bytes.get_mut(start..).unwrap_or_default().reverse();
    }
    Ok(())
}

fn bad<T>(why: String) -> Result<T, Error> {
    Err(Error::BadBytes(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, Error> {
        read_memory(text, RunTimeEndian::Little)
    }

    #[test]
    fn hexadecimal_and_what_gdb_prints_are_read() {
        for (text, bytes) in [
            ("7f 45 4c46\n", vec![0x7f, 0x45, 0x4c, 0x46]),
            ("0x01 0x02", vec![1, 2]),
            ("0x7ffe10:\t0x01\t0x02\n", vec![1, 2]),
            ("0x10 <g>:\t0x0201\n0x12 <g+2>:\t0x0403\n", vec![1, 2, 3, 4]),
            ("0x10:\t0x04030201", vec![1, 2, 3, 4]),
            ("0x10 <ns::g>:\t0x0807060504030201", vec![1, 2, 3, 4, 5, 6, 7, 8]),
        ] {
            assert_eq!(read(text), Ok(bytes), "{text:?}");
        }
        let big = read_memory("0x10:\t0x01020304", RunTimeEndian::Big);
        assert_eq!(big, Ok(vec![1, 2, 3, 4]));
    }

    #[test]
    fn labels_say_where_symbols_are() {
        let text = "0x10 <g>:\t0x0201\n0x12 <g+2>:\t0x0403\n0x14:\t0x01\n0x1 <g+2>:\t0x01\n";
        let found: Vec<_> = labels(text).map(|label| (label.name, label.address)).collect();
        assert_eq!(found, [("g", 16), ("g", 16)]);
    }

    #[test]
    fn what_is_no_memory_is_refused() {
        for text in [
            "",
            " \n",
            "7f4",
            "xyz",
            "0x10:\t12",
            "0x10:\t0x123",
            "0x10:\t0x010203",
            "here:\t0x01",
            "0x10:\t0x01\n0x20:\t0x01\n",
            "0x10:\t-1",
        ] {
            assert!(matches!(read(text), Err(Error::BadBytes(_))), "{text:?}");
        }
    }
}
