//! A source text, and members of its types whose places the compiler is asked for.
//!
//! Nothing is run, so that other machines' compilers can be asked too. Sizes and offsets go into a
//! constant array that is read back from the compiled file. Bit fields have no `offsetof`: each is
//! set to all ones in an object of its own that is otherwise zero, and the bits set are its place.

use std::fs;

use object::{Object, ObjectSection, ObjectSymbol};

use super::toolchain::{Compiled, EVERYWHERE, Toolchain};

/// A source text with what is asked of it.
#[derive(Default)]
pub(crate) struct Case {
    source: String,
    types: Vec<String>,
    members: Vec<Place>,
    unsized_members: Vec<Place>,
    bits: Vec<Place>,
}

/// A member path in a type.
struct Place {
    type_name: String,
    path: String,
}

fn places(type_name: &str, paths: &[&str]) -> impl Iterator<Item = Place> {
    let place = |path: &&str| Place { type_name: type_name.into(), path: (*path).into() };
    paths.iter().map(place).collect::<Vec<_>>().into_iter()
}

impl Case {
    pub(crate) fn new(source: &str) -> Case {
        Case { source: source.to_owned(), ..Case::default() }
    }

    /// Asks for a type's size and for members' offsets and sizes.
    pub(crate) fn members(mut self, type_name: &str, paths: &[&str]) -> Case {
        self.types.push(type_name.to_owned());
        self.members.extend(places(type_name, paths));
        self
    }

    /// Asks for the offsets of flexible arrays.
    pub(crate) fn unsized_members(mut self, type_name: &str, paths: &[&str]) -> Case {
        self.unsized_members.extend(places(type_name, paths));
        self
    }

    /// Asks for the bits of bit fields.
    pub(crate) fn bits(mut self, type_name: &str, paths: &[&str]) -> Case {
        self.bits.extend(places(type_name, paths));
        self
    }

    /// Compares in every way that C can be compiled.
    pub(crate) fn check_everywhere(&self) {
        for toolchain in EVERYWHERE {
            self.check(*toolchain);
        }
    }

    /// Compares; a compiler that is not installed is passed over.
    pub(crate) fn check(&self, toolchain: Toolchain) {
        let how = toolchain.to_string();
        let Some(compiled) = toolchain.compile(&self.text()) else { return };
        let said = Said::read(&compiled);
        let mut numbers = said.numbers("dbgmate_numbers").into_iter();
        let mut number = || numbers.next().unwrap();
        for name in &self.types {
            let size = compiled.layout(name).size.known();
            assert_eq!(size, Some(number()), "sizeof({name}) by {how}");
        }
        for place in &self.members {
            let member = compiled.member(&place.type_name, &place.path);
            let theirs = (Some(number()), Some(number()));
            assert_eq!((member.offset(), member.size().known()), theirs, "{place:?} by {how}");
        }
        for place in &self.unsized_members {
            let member = compiled.member(&place.type_name, &place.path);
            assert_eq!(member.offset(), Some(number()), "{place:?} by {how}");
            assert_eq!(member.size().known(), None, "{place:?} by {how}");
        }
        for (position, place) in self.bits.iter().enumerate() {
            let theirs = said.bits(&format!("dbgmate_bits_{position}"));
            let member = compiled.member(&place.type_name, &place.path);
            let bits = member.bits().map(|bits| (bits.offset, bits.size));
            // Clang writes a field of its type's full width as an ordinary member.
            let bytes = member.offset().zip(member.size().known());
            let ours = bits.or(bytes.map(|(offset, size)| (offset * 8, size * 8)));
            assert_eq!(ours, Some(theirs), "{place:?} by {how}");
            assert_eq!(member.offset(), Some(theirs.0 / 8), "{place:?} by {how}");
        }
    }

    /// The source, with the objects that hold what the compiler says.
    pub(crate) fn text(&self) -> String {
        let mut text = self.source.clone();
        let mut numbers = Vec::new();
        for (position, name) in self.types.iter().enumerate() {
            numbers.push(format!("sizeof({name})"));
            // A type that no object has is left out of the debug info.
            text.push_str(&format!("\n{name} dbgmate_object_{position};"));
        }
        for Place { type_name, path } in &self.members {
            numbers.push(format!("__builtin_offsetof({type_name}, {path})"));
            numbers.push(format!("sizeof((({type_name} *)0)->{path})"));
        }
        for Place { type_name, path } in &self.unsized_members {
            numbers.push(format!("__builtin_offsetof({type_name}, {path})"));
        }
        for (position, Place { type_name, path }) in self.bits.iter().enumerate() {
            text.push_str(&format!(
                "\nextern const {type_name} dbgmate_bits_{position};\
                 \nconst {type_name} dbgmate_bits_{position} = {{ .{path} = -1 }};"
            ));
        }
        text.push_str(&format!(
            "\n#ifdef __cplusplus\nextern \"C\"\n#else\nextern\n#endif\
             \nconst unsigned long long dbgmate_numbers[{count}];\
             \nconst unsigned long long dbgmate_numbers[{count}] = {{ {} }};\n",
            numbers.join(", "),
            count = numbers.len(),
        ));
        text
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.type_name, self.path)
    }
}

/// What the compiler wrote into the file.
pub(crate) struct Said {
    bytes: Vec<u8>,
}

impl Said {
    pub(crate) fn read(compiled: &Compiled) -> Said {
        Said { bytes: fs::read(compiled.path()).unwrap() }
    }

    /// The bytes of an object, and whether they are in little-endian order.
    pub(crate) fn object(&self, name: &str) -> (Vec<u8>, bool) {
        let file = object::File::parse(&*self.bytes).unwrap();
        let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name)).unwrap();
        let section = file.section_by_index(symbol.section_index().unwrap()).unwrap();
        let start = (symbol.address() - section.address()) as usize;
        let bytes = match section.uncompressed_data().unwrap() {
            // All zero: in .bss.
            data if data.is_empty() => vec![0; symbol.size() as usize],
            data => data[start..start + symbol.size() as usize].to_vec(),
        };
        (bytes, file.is_little_endian())
    }

    /// The elements of an array of 64-bit numbers.
    pub(crate) fn numbers(&self, name: &str) -> Vec<u64> {
        let (bytes, little) = self.object(name);
        let number = |bytes: &[u8]| {
            let bytes = bytes.try_into().unwrap();
            if little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) }
        };
        bytes.chunks(8).map(number).collect()
    }

    /// The first bit set and how many; big-endian machines count a byte's bits from the top.
    fn bits(&self, name: &str) -> (u64, u64) {
        let (bytes, little) = self.object(name);
        let mask = |bit: usize| if little { 1 << (bit % 8) } else { 0x80 >> (bit % 8) };
        let all = 0..bytes.len() * 8;
        let set: Vec<usize> = all.filter(|bit| bytes[bit / 8] & mask(*bit) != 0).collect();
        let (first, last) = (*set.first().unwrap(), *set.last().unwrap());
        assert_eq!(set.len(), last - first + 1, "{name} is in one piece");
        (first as u64, set.len() as u64)
    }
}
