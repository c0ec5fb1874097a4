//! Where a member is (DWARF 5 §5.7.6; DWARF 3 §5.5.6 for the older bit fields).

use gimli::{AttributeValue, Expression, Operation, RunTimeEndian};

use super::entry::{MemberEntry, Value};
use crate::dwarf::{Slice, UnitView};
use crate::types::{BitField, Location, Size};

/// A member's place; `storage` is the size of its type, which the older form of bit fields counts from.
#[inline]
pub(super) fn location(unit: &UnitView<'_>, member: &MemberEntry<'_>, storage: Size) -> Location {
    let nowhere = Location::Dynamic { bits: member.bit_size };
    let Some(start) = byte_offset(unit, member) else { return nowhere };
    let Some(size) = member.bit_size else {
        // A member without bit_size that lies on a bit: DWARF allows it, C has none.
        return match member.data_bit_offset {
            Some(bits) if bits.is_multiple_of(8) => Location::Bytes(bits / 8),
            Some(_) => nowhere,
            None => Location::Bytes(start),
        };
    };
    // Overrides the rest: counted from the start of the containing type, whatever the byte order.
    if let Some(offset) = member.data_bit_offset {
        return Location::Bits(BitField { offset, size });
    }
    let Some(from_top) = member.bit_offset else {
        return Location::Bits(BitField { offset: start.saturating_mul(8), size });
    };
    let storage = member.byte_size.or(storage.known());
    storage
        .and_then(|bytes| older_bit_offset(unit, start, bytes, from_top, size))
        .map_or(nowhere, |offset| Location::Bits(BitField { offset, size }))
}

/// DW_AT_bit_offset counts from the most significant bit of the storage unit, so the result
/// depends on the byte order; it is signed, since packed fields may reach outside of their unit.
fn older_bit_offset(
    unit: &UnitView<'_>,
    start: u64,
    storage: u64,
    from_top: i64,
    size: u64,
) -> Option<u64> {
    let (start, storage) = (i128::from(start), i128::from(storage));
    let bits = match unit.endian() {
        RunTimeEndian::Big => 8 * start + i128::from(from_top),
        RunTimeEndian::Little => 8 * start + 8 * storage - i128::from(from_top) - i128::from(size),
    };
    u64::try_from(bits).ok()
}

/// DW_AT_data_member_location in bytes; absent means 0, none means that it is no constant.
#[inline]
fn byte_offset(unit: &UnitView<'_>, member: &MemberEntry<'_>) -> Option<u64> {
    let expression = match member.place {
        Value::Absent => return Some(0),
        Value::Usual(bytes) => return Some(bytes),
        Value::Other(AttributeValue::Exprloc(expression)) => expression,
        // Before DWARF 4, expressions were blocks.
        Value::Other(AttributeValue::Block(bytes)) => Expression(bytes),
        Value::Other(_) => return None,
    };
    offset_by(unit, expression)
}

/// What an expression adds to the address of the containing object, which is on the stack.
fn offset_by(unit: &UnitView<'_>, expression: Expression<Slice<'_>>) -> Option<u64> {
    let mut stack = vec![0_u64];
    let mut operations = expression.operations(unit.encoding());
    loop {
        match operations.next() {
            Ok(Some(Operation::PlusConstant { value })) => match stack.last_mut() {
                Some(top) => *top = top.wrapping_add(value),
                None => return None,
            },
            Ok(Some(Operation::UnsignedConstant { value })) => stack.push(value),
            Ok(Some(Operation::SignedConstant { value })) => stack.push(value as u64),
            Ok(Some(Operation::Plus)) => match (stack.pop(), stack.last_mut()) {
                (Some(value), Some(top)) => *top = top.wrapping_add(value),
                _ => return None,
            },
            Ok(Some(_)) => return None,
            Ok(None) => break,
            // A damaged expression loses this member's place, not the others'.
            Err(_) => return None,
        }
        if stack.len() > 8 {
            return None;
        }
    }
    match stack.as_slice() {
        [offset] => Some(*offset),
        _ => None,
    }
}
