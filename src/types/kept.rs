//! Which definitions of a name are distinct, held by a process and kept for the next: two thousand of them
//! are compared once.
//!
//! What is kept are references and names. The layouts are read from the binary each time.

use super::Question;
use super::distinct::Target;
use crate::dwarf::{DebugFile, DieRef};

/// Fewer definitions are compared sooner than a file is opened.
const WORTH_KEEPING: usize = 64;

/// What an earlier question, or an earlier process, has found.
pub(super) fn recall(file: &DebugFile, question: &Question<'_>) -> Option<Vec<(Target, usize)>> {
    decode(&file.recall(&key(question))?)
}

/// Keeps it for a later one.
pub(super) fn remember(file: &DebugFile, question: &Question<'_>, distinct: &[(Target, usize)]) {
    let (key, answer) = (key(question), encode(distinct));
    file.hold(&key, &answer);
    if distinct.iter().map(|(_, units)| units).sum::<usize>() >= WORTH_KEEPING {
        file.remember(&key, &answer);
    }
}

/// The member that is asked for does not matter: all definitions are compared in full.
fn key(question: &Question<'_>) -> String {
    "distinct ".to_owned() + &Question { path: None, ..*question }.key()
}

fn encode(distinct: &[(Target, usize)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (target, units) in distinct {
        put(&mut bytes, target.die.packed());
        put(&mut bytes, *units as u64);
        // The typedef that names it first, if any.
        put(&mut bytes, u64::from(target.known_as.is_some()));
        put(&mut bytes, target.via.len() as u64);
        for text in target.known_as.iter().chain(&target.via) {
            put(&mut bytes, text.len() as u64);
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}

fn put(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

/// None for what was not encoded here.
fn decode(mut bytes: &[u8]) -> Option<Vec<(Target, usize)>> {
    let mut distinct = Vec::new();
    while !bytes.is_empty() {
        let die = DieRef::from_packed(take(&mut bytes)?);
        let units = usize::try_from(take(&mut bytes)?).ok()?;
        let is_known_as = take(&mut bytes)? == 1;
        let passed = take(&mut bytes)?;
        let known_as = if is_known_as { Some(text(&mut bytes)?) } else { None };
        let via = (0..passed).map(|_| text(&mut bytes)).collect::<Option<_>>()?;
        distinct.push((Target { die, via, known_as }, units));
    }
    Some(distinct)
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dwarf::{DieSection, FileId};

    #[test]
    fn what_is_kept_is_recalled() {
        let die = DieRef::new(FileId::Supplement, DieSection::Info, 77);
        let typedefs = vec!["a_t".to_owned(), "*".to_owned(), String::new()];
        let distinct = vec![
            (Target { die, via: typedefs, known_as: Some("ä".to_owned()) }, 2000),
            (Target { die: DieRef::default(), via: Vec::new(), known_as: None }, 1),
        ];
        let bytes = encode(&distinct);
        assert_eq!(decode(&bytes), Some(distinct));
        // Damage is none of it, and no panic.
        for length in 1..bytes.len() {
            let _ = decode(&bytes[..length]);
            let mut altered = bytes.clone();
            altered[length] = 0xff;
            let _ = decode(&altered);
        }
        assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
    }
}
