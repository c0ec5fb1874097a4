//! How the source numbers the elements of an array: from 0, from 1, or as each array says (Ada, Fortran,
//! Pascal, Modula-2), and by rows or by columns.

use std::fmt;

use gimli::{AttributeValue, constants as dw};

use super::Error;
use super::reader::Reader;
use super::sizes::Extent;
use crate::dwarf::{Die, Language};

/// One dimension of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dimension {
    pub(super) extent: Extent,
    /// The index of its first element; none where it is only known at run time.
    pub(super) lower: Option<i128>,
    /// The language starts there where nothing else is said.
    pub(super) is_usual: bool,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.extent, self.lower) {
            (Extent::Count(count @ 1..), Some(lower)) if !self.is_usual => {
                write!(f, "[{lower}..{}]", lower.saturating_add(i128::from(count) - 1))
            }
            (extent, _) => extent.fmt(f),
        }
    }
}

/// The dimensions of an array, as the source has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscripts {
    pub(super) dimensions: Vec<Dimension>,
    /// The first index is the one that changes from an element to the next in memory (Fortran).
    by_column: bool,
}

impl Subscripts {
    /// Which element in memory has these indices, or begins the row that has them; none where that is only
    /// known at run time. Fails with the position of an index that there is not.
    pub(super) fn number_of(&self, indices: &[i128]) -> Result<Option<u64>, usize> {
        // Of columns only some of the indices are no row.
        if self.by_column && indices.len() < self.dimensions.len() {
            return Err(0);
        }
        let mut slowest_first = Vec::new();
        for (position, (index, dimension)) in indices.iter().zip(&self.dimensions).enumerate() {
            let distance = match dimension.lower {
                Some(lower) => {
                    let distance = index.checked_sub(lower).map(u64::try_from);
                    Some(distance.and_then(Result::ok).ok_or(position)?)
                }
                None => None,
            };
            let count = dimension.extent.count();
            if count.zip(distance).is_some_and(|(count, distance)| distance >= count) {
                return Err(position);
            }
            slowest_first.push((count, distance));
        }
        if self.by_column {
            slowest_first.reverse();
        }
        let mut number = Some(0_u64);
        for (position, (count, distance)) in slowest_first.into_iter().enumerate() {
            // How many of the slowest there are does not matter.
            let before = if position == 0 { Some(0) } else { number.zip(count).and_then(multiply) };
            number = before.zip(distance).and_then(|(before, more)| before.checked_add(more));
        }
        Ok(number)
    }

    /// `[1][2]` of an element by its place in memory; none behind the end, and where only run time knows.
    pub(super) fn of(&self, number: u64) -> Option<String> {
        let mut fastest_first: Vec<&Dimension> = self.dimensions.iter().collect();
        if !self.by_column {
            fastest_first.reverse();
        }
        let (slowest, others) = fastest_first.split_last()?;
        let mut rest = number;
        let mut indices = Vec::new();
        for dimension in others {
            let count = dimension.extent.count().filter(|count| *count > 0)?;
            indices.push(dimension.lower?.checked_add((rest % count).into())?);
            rest /= count;
        }
        if slowest.extent.count().is_some_and(|count| rest >= count) {
            return None;
        }
        indices.push(slowest.lower?.checked_add(rest.into())?);
        if !self.by_column {
            indices.reverse();
        }
        Some(indices.iter().map(|index| format!("[{index}]")).collect())
    }
}

fn multiply((number, count): (u64, u64)) -> Option<u64> {
    number.checked_mul(count)
}

impl<'a> Reader<'_, 'a> {
    /// An array's dimensions, and how it is laid out by them.
    pub(super) fn subscripts(&self, array: &Die<'a>) -> Result<Subscripts, Error> {
        let dimensions = self.dimensions(array)?;
        let by_column = dimensions.len() > 1 && self.is_by_column(array)?;
        Ok(Subscripts { dimensions, by_column })
    }

    /// What DW_AT_ordering says, or the language (DWARF 5 §5.5).
    fn is_by_column(&self, array: &Die<'a>) -> Result<bool, Error> {
        if let Some(AttributeValue::Ordering(ordering)) = array.value(dw::DW_AT_ordering) {
            return Ok(ordering == dw::DW_ORD_col_major);
        }
        if array.language() != Language::Other {
            return Ok(false);
        }
        let root = self.view.die(array.unit().root())?;
        let fortran = [
            dw::DW_LANG_Fortran77,
            dw::DW_LANG_Fortran90,
            dw::DW_LANG_Fortran95,
            dw::DW_LANG_Fortran03,
            dw::DW_LANG_Fortran08,
        ];
        let language = root.value(dw::DW_AT_language);
        Ok(matches!(language, Some(AttributeValue::Language(code)) if fortran.contains(&code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscripts(bounds: &[(i128, Extent)], by_column: bool) -> Subscripts {
        let dimension =
            |&(lower, extent)| Dimension { extent, lower: Some(lower), is_usual: lower == 0 };
        Subscripts { dimensions: bounds.iter().map(dimension).collect(), by_column }
    }

    #[test]
    fn each_element_has_indices_of_its_own() {
        let rows = subscripts(&[(-1, Extent::Count(2)), (3, Extent::Count(3))], false);
        let columns = Subscripts { by_column: true, ..rows.clone() };
        let all = |all: &Subscripts| (0..7).map_while(|number| all.of(number)).collect::<String>();
        assert_eq!(all(&rows), "[-1][3][-1][4][-1][5][0][3][0][4][0][5]");
        assert_eq!(all(&columns), "[-1][3][0][3][-1][4][0][4][-1][5][0][5]");
        for (number, indices) in [(0, [-1, 3]), (3, [0, 3]), (5, [0, 5])] {
            assert_eq!(rows.number_of(&indices), Ok(Some(number)));
        }
        for (number, indices) in [(0, [-1, 3]), (1, [0, 3]), (4, [-1, 5])] {
            assert_eq!(columns.number_of(&indices), Ok(Some(number)));
        }
        assert_eq!((rows.number_of(&[0]), columns.number_of(&[0])), (Ok(Some(1)), Err(0)));
        assert_eq!(rows.number_of(&[1, 3]), Err(0));
        assert_eq!(rows.number_of(&[0, 2]), Err(1));
        assert_eq!(rows.number_of(&[i128::MIN, 3]), Err(0));
        let shown: String = rows.dimensions.iter().map(Dimension::to_string).collect();
        assert_eq!(shown, "[-1..0][3..5]");
    }

    #[test]
    fn what_run_time_decides_is_not_guessed() {
        let open = subscripts(&[(0, Extent::Flexible), (0, Extent::Count(3))], false);
        assert_eq!(
            (open.number_of(&[7, 2]), open.of(23).as_deref()),
            (Ok(Some(23)), Some("[7][2]"))
        );
        let inner = subscripts(&[(0, Extent::Count(3)), (0, Extent::Dynamic)], false);
        assert_eq!((inner.number_of(&[1, 1]), inner.of(1)), (Ok(None), None));
        let mut unknown = subscripts(&[(0, Extent::Count(3))], false);
        unknown.dimensions[0].lower = None;
        assert_eq!((unknown.number_of(&[1]), unknown.of(1)), (Ok(None), None));
    }
}
