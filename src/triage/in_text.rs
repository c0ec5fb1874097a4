//! What stands next to what in the pasted text?
//!
//! Rule: places of two pieces (files) are never next to each other.

use crate::trace::Lines;

/// A place: the piece's name and a line.
type Place<'t> = (Option<&'t str>, usize);

/// Items of one sort, in the order of the text.
#[derive(Default)]
pub(super) struct InText<'t>(Vec<(Place<'t>, usize)>);

fn place(lines: &Lines) -> Place<'_> {
    (lines.piece.as_deref(), lines.first)
}

impl<'t> InText<'t> {
    /// Items by the lines they stand on.
    pub(super) fn of(items: impl Iterator<Item = (&'t Lines, usize)>) -> Self {
        let mut items: Vec<_> = items.map(|(lines, item)| (place(lines), item)).collect();
        items.sort_by_key(|(place, _)| *place);
        InText(items)
    }

    /// The first item after the lines.
    pub(super) fn next(&self, lines: &Lines) -> Option<usize> {
        let next = self.0.partition_point(|(at, _)| *at <= place(lines));
        self.at(next, lines)
    }

    /// The first item after the lines or, where there is none, the last before them.
    pub(super) fn nearest(&self, lines: &Lines) -> Option<usize> {
        let next = self.0.partition_point(|(at, _)| *at <= place(lines));
        self.at(next, lines).or_else(|| self.at(next.checked_sub(1)?, lines))
    }

    /// Whether no item follows the lines.
    pub(super) fn is_over(&self, lines: &Lines) -> bool {
        self.next(lines).is_none()
    }

    /// The item of that number, if it is in the piece of the lines.
    fn at(&self, number: usize, lines: &Lines) -> Option<usize> {
        let ((piece, _), item) = self.0.get(number)?;
        (*piece == lines.piece.as_deref()).then_some(*item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(piece: &str, first: usize) -> Lines {
        Lines { piece: Some(piece.to_owned()), first, last: first }
    }

    #[test]
    fn the_next_the_nearest_and_whether_any_follows() {
        let places = [lines("b", 9), lines("a", 5), lines("a", 20)];
        let items = InText::of(places.iter().zip(0..));
        for (at, next, nearest) in [
            (lines("a", 1), Some(1), Some(1)),
            (lines("a", 5), Some(2), Some(2)),
            (lines("a", 30), None, Some(2)),
            (lines("b", 1), Some(0), Some(0)),
            (lines("b", 10), None, Some(0)),
            (lines("c", 1), None, None),
        ] {
            assert_eq!(items.next(&at), next, "{at:?}");
            assert_eq!(items.nearest(&at), nearest, "{at:?}");
            assert_eq!(items.is_over(&at), next.is_none(), "{at:?}");
        }
    }
}
