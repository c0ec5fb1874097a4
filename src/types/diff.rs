//! What has changed in a type from one build to the next.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::behind::{Behind, Led, There};
use super::{Enumerator, Error, Layout, Member, MemberKind, Members, Number, OwnedMember, Parts};
use crate::dwarf::DieRef;
use crate::job::Stopped;

/// A member, or an enumerator, that is not as it was, or where what is there was not compared in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `entry.le_next`, `points[].x`, `to->x`, `(*to)[].x`.
    pub path: String,
    /// What it was; none for one that has come.
    pub old: Option<Side>,
    /// What it is; none for one that has gone.
    pub new: Option<Side>,
    /// Why not all that is there was compared; then there are no sides.
    pub why: Option<String>,
}

/// One side of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// A member, with places from the start of the type.
    Member(OwnedMember),
    /// An enumerator's value.
    Value(Number),
}

/// How far members are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Into structs without a name; those that have one are types of their own.
    Own,
    /// Into all structs.
    Whole,
}

/// So many arrays and pointers to types without a name are followed, one in another; damage goes on.
const MAX_DEPTH: usize = 8;

/// When so many changes were found, members are looked behind no more.
const MAX_CHANGES: usize = 1 << 18;

/// What differs between two layouts of a type, in the order of the newer one; what has gone comes last
/// at its level. A member that only moved with the struct it is in is not told apart.
/// `behind` reads what arrays consist of, and what has no name behind pointers and in enums, of the older and
/// of the newer file; without it they are as their types are spelled.
pub fn diff(
    old: &Layout,
    new: &Layout,
    reach: Reach,
    behind: Option<[&Behind<'_, '_>; 2]>,
) -> Result<Vec<Change>, Stopped> {
    let mut diffing =
        Diffing { reach, behind, is_over: false, alike: HashSet::new(), changes: Vec::new() };
    behind.into_iter().flatten().try_for_each(Behind::begin)?;
    diffing.members((&old.members, Some(0)), (&new.members, Some(0)), "", 0)?;
    enumerators(&old.enumerators, &new.enumerators, "", &mut diffing.changes);
    // One that only run time can tell the size of says that, and has all of its members.
    let mut sized = [old, new].into_iter().filter(|layout| layout.size.known().is_some());
    if let Some(why) = sized.find_map(|layout| layout.why.as_ref()) {
        diffing.note("", why);
    }
    Ok(diffing.changes)
}

fn enumerators(old: &[Enumerator], new: &[Enumerator], within: &str, changes: &mut Vec<Change>) {
    fn by_name(all: &[Enumerator]) -> HashMap<&str, Number> {
        all.iter().map(|each| (each.name.as_str(), each.value)).collect()
    }
    let (old_values, new_values) = (by_name(old), by_name(new));
    for now in new {
        let before = old_values.get(now.name.as_str()).copied();
        if before != Some(now.value) {
            let (old, new) = (before.map(Side::Value), Some(Side::Value(now.value)));
            changes.push(Change { path: path_in(within, &now.name), old, new, why: None });
        }
    }
    for gone in old.iter().filter(|gone| !new_values.contains_key(gone.name.as_str())) {
        let old = Some(Side::Value(gone.value));
        changes.push(Change { path: path_in(within, &gone.name), old, new: None, why: None });
    }
}

/// The path of what has that name in what is at a path.
fn path_in(within: &str, name: &str) -> String {
    match within {
        "" => name.to_owned(),
        pointer if pointer.ends_with("->") => format!("{pointer}{name}"),
        within => format!("{within}.{name}"),
    }
}

/// The members of one struct, and the bit of the type at which it starts; none where only run time can tell.
type Inside<'l> = (&'l Members, Option<u64>);

struct Diffing<'d, 'v, 'b> {
    reach: Reach,
    behind: Option<[&'d Behind<'v, 'b>; 2]>,
    /// Members are looked behind no more.
    is_over: bool,
    /// What was looked into and is as it was: structs of the older and the newer file, and whether they are
    /// in known places.
    alike: HashSet<(DieRef, DieRef, bool)>,
    changes: Vec<Change>,
}

impl Diffing<'_, '_, '_> {
    fn members(
        &mut self,
        (old, old_start): Inside<'_>,
        (new, new_start): Inside<'_>,
        within: &str,
        depth: usize,
    ) -> Result<(), Stopped> {
        let path = |member: Member<'_>| {
            let name = match (member.kind(), member.name()) {
                (MemberKind::Base, _) => format!("<base {}>", member.type_name()),
                (_, "") => "<unnamed>".to_owned(),
                (_, name) => name.to_owned(),
            };
            path_in(within, &name)
        };
        // Where the struct is not in a known place, neither are its members: the type it is of shows them.
        let has_place = old_start.is_some() && new_start.is_some();
        let old = visible(old, Some(0));
        let mut namesakes: HashMap<Namesake<'_>, VecDeque<usize>> = HashMap::new();
        for (position, was) in old.iter().enumerate() {
            namesakes.entry(was.namesake()).or_default().push_back(position);
        }
        let mut is_gone = vec![true; old.len()];
        for now in visible(new, Some(0)) {
            let member = now.member;
            let position = namesakes.get_mut(&now.namesake()).and_then(VecDeque::pop_front);
            let Some((was, is_gone)) = position.and_then(|at| old.get(at).zip(is_gone.get_mut(at)))
            else {
                let new = Some(now.side(new_start));
                self.changes.push(Change { path: path(member), old: None, new, why: None });
                continue;
            };
            *is_gone = false;
            let before = was.member;
            let is_there = was.place() == now.place() && before.bit_size() == member.bit_size();
            let is_same = (is_there || !has_place)
                && before.size() == member.size()
                && before.type_name() == member.type_name()
                && before.variants() == member.variants();
            if !is_same {
                let (old, new) = (Some(was.side(old_start)), Some(now.side(new_start)));
                self.changes.push(Change { path: path(member), old, new, why: None });
            }
            let (old, new) = (was.inside(old_start), now.inside(new_start));
            if self.reach == Reach::Whole || super::layout::is_without_name(member.type_name()) {
                self.members(old, new, &path(member), depth)?;
                self.note_damage(&path(member), [before.parts(), member.parts()]);
            }
            self.behind((before, old.1), (member, new.1), &path(member), depth)?;
        }
        for (was, _) in old.iter().zip(is_gone).filter(|(_, is_gone)| *is_gone) {
            let old = Some(was.side(old_start));
            self.changes.push(Change { path: path(was.member), old, new: None, why: None });
        }
        Ok(())
    }

    /// The elements of an array, with the places of the first, what pointers lead to, with places from its
    /// own start, and the enumerators of what has no name.
    fn behind(
        &mut self,
        (was, old_start): (Member<'_>, Option<u64>),
        (now, new_start): (Member<'_>, Option<u64>),
        path: &str,
        depth: usize,
    ) -> Result<(), Stopped> {
        if self.is_over {
            return Ok(());
        }
        let (was, now) = match self.led(was, now) {
            Ok(None) => return Ok(()),
            Ok(Some(_)) if depth >= MAX_DEPTH => {
                self.note(path, "it is nested too deep");
                return Ok(());
            }
            Ok(Some(both)) => both,
            Err(Error::Stopped(stopped)) => return Err(stopped),
            Err(Error::TooMany) => {
                self.is_over = true;
                self.note(path, "it is too much; what follows was not looked into either");
                return Ok(());
            }
            Err(error) => {
                self.note(path, &unread(&error));
                return Ok(());
            }
        };
        let start = |start: Option<u64>| if now.is_part { start } else { Some(0) };
        let (old, new) = (start(old_start), start(new_start));
        let pair = (was.die, now.die, old.is_some() && new.is_some());
        if self.alike.contains(&pair) {
            return Ok(());
        }
        let (path, before) = (now.path(path), self.changes.len());
        match (was.to, now.to) {
            (There::Members(was), There::Members(now)) => {
                self.members((&was.members, old), (&now.members, new), &path, depth + 1)?;
                self.note_damage(&path, [Some(&was), Some(&now)]);
            }
            (There::Enumerators(was), There::Enumerators(now)) => {
                enumerators(&was, &now, &path, &mut self.changes);
            }
            // The types are spelled otherwise.
            _ => {}
        }
        if self.changes.len() == before {
            self.alike.insert(pair);
        }
        Ok(())
    }

    /// What a member leads to in both files, if that is the same way.
    fn led(&self, was: Member<'_>, now: Member<'_>) -> Result<Option<(Led, Led)>, Error> {
        let Some([old, new]) = self.behind else { return Ok(None) };
        let with_named = self.reach == Reach::Whole;
        let Some(now) = new.member(now, with_named)? else { return Ok(None) };
        if self.changes.len() > MAX_CHANGES {
            return Err(Error::TooMany);
        }
        let was = old.member(was, with_named)?.filter(|was| was.by == now.by);
        Ok(was.map(|was| (was, now)))
    }

    /// Says that what is there was not compared in full.
    fn note(&mut self, path: &str, why: &str) {
        let (path, why) = (path.to_owned(), Some(why.to_owned()));
        self.changes.push(Change { path, old: None, new: None, why });
    }

    /// The same where some of its members could not be read.
    fn note_damage(&mut self, path: &str, sides: [Option<&Arc<Parts>>; 2]) {
        if let Some(why) = sides.into_iter().flatten().find_map(|parts| parts.why.as_ref()) {
            self.note(path, why);
        }
    }
}

/// Why what a member leads to could not be read.
fn unread(error: &Error) -> String {
    match error {
        Error::Dwarf(error) => format!("its type cannot be read: {error}"),
        _ => "its type has no end".to_owned(),
    }
}

/// A member of a scope. Those of anonymous structs and unions stand in the scope around them.
#[derive(Clone, Copy, Debug)]
struct Visible<'l> {
    member: Member<'l>,
    /// The bit of the scope at which what it is a member of starts.
    start: Option<u64>,
}

fn visible(members: &Members, start: Option<u64>) -> Vec<Visible<'_>> {
    let mut all = Vec::with_capacity(members.len());
    for member in members.iter() {
        match member.kind() {
            MemberKind::Anonymous => {
                all.extend(visible(member.members(), sum(start, member.start())));
            }
            MemberKind::Base | MemberKind::Field => all.push(Visible { member, start }),
        }
    }
    all
}

/// By what a member is known again in the other build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Namesake<'l> {
    Base(&'l str),
    Field(&'l str),
    Unnamed { place: Option<u64>, bit_size: Option<u64> },
}

fn sum(start: Option<u64>, further: Option<u64>) -> Option<u64> {
    start?.checked_add(further?)
}

impl<'l> Visible<'l> {
    /// Its first bit, from the start of the scope.
    fn place(&self) -> Option<u64> {
        sum(self.start, self.member.start())
    }

    fn namesake(&self) -> Namesake<'l> {
        match (self.member.kind(), self.member.name()) {
            (MemberKind::Base, _) => Namesake::Base(self.member.type_name()),
            (_, "") => Namesake::Unnamed { place: self.place(), bit_size: self.member.bit_size() },
            (_, name) => Namesake::Field(name),
        }
    }

    /// What the change shows, of a scope that starts there in the type.
    fn side(&self, scope: Option<u64>) -> Side {
        Side::Member(self.member.seen_from(sum(scope, self.start)).into())
    }

    /// Its own members, and where they start in the type.
    fn inside(&self, scope: Option<u64>) -> Inside<'l> {
        (self.member.members(), sum(sum(scope, self.start), self.member.start()))
    }
}
