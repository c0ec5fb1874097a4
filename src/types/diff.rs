//! What has changed in a type from one build to the next.

use super::{Layout, Member, MemberKind, Number};

/// A member, or an enumerator, that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `entry.le_next`.
    pub path: String,
    /// What it was; none for one that has come.
    pub old: Option<Side>,
    /// What it is; none for one that has gone.
    pub new: Option<Side>,
}

/// One side of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// A member, with places from the start of the type.
    Member(Member),
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

/// What differs between two layouts of a type, in the order of the newer one; what has gone comes last
/// at its level. A member that only moved with the struct it is in is not told apart.
pub fn diff(old: &Layout, new: &Layout, reach: Reach) -> Vec<Change> {
    let mut changes = Vec::new();
    members((&old.members, Some(0)), (&new.members, Some(0)), "", reach, &mut changes);
    for value in &new.enumerators {
        let before = old.enumerators.iter().find(|other| other.name == value.name);
        if before.is_none_or(|before| before.value != value.value) {
            changes.push(Change {
                path: value.name.clone(),
                old: before.map(|before| Side::Value(before.value)),
                new: Some(Side::Value(value.value)),
            });
        }
    }
    for value in &old.enumerators {
        if new.enumerators.iter().all(|other| other.name != value.name) {
            let old = Some(Side::Value(value.value));
            changes.push(Change { path: value.name.clone(), old, new: None });
        }
    }
    changes
}

/// The members of one struct, and the bit of the type at which it starts; none where only run time can tell.
type Inside<'l> = (&'l [Member], Option<u64>);

fn members(
    (old, old_start): Inside<'_>,
    (new, new_start): Inside<'_>,
    within: &str,
    reach: Reach,
    changes: &mut Vec<Change>,
) {
    let path = |member: &Member| {
        let name = match (member.kind, member.name.as_str()) {
            (MemberKind::Base, _) => format!("<base {}>", member.type_name),
            (_, "") => "<unnamed>".to_owned(),
            (_, name) => name.to_owned(),
        };
        if within.is_empty() { name } else { format!("{within}.{name}") }
    };
    let mut gone = visible(old, Some(0));
    for now in visible(new, Some(0)) {
        let member = now.member;
        let Some(position) = gone.iter().position(|other| other.is_namesake_of(&now)) else {
            changes.push(Change { path: path(member), old: None, new: Some(now.side(new_start)) });
            continue;
        };
        let was = gone.remove(position);
        let before = was.member;
        let is_same = was.place() == now.place()
            && before.size == member.size
            && before.bits.map(|bits| bits.size) == member.bits.map(|bits| bits.size)
            && before.type_name == member.type_name
            && before.variants == member.variants;
        if !is_same {
            let (old, new) = (Some(was.side(old_start)), Some(now.side(new_start)));
            changes.push(Change { path: path(member), old, new });
        }
        if reach == Reach::Whole || super::layout::is_without_name(&member.type_name) {
            let (old, new) = (was.inside(old_start), now.inside(new_start));
            members(old, new, &path(member), reach, changes);
        }
    }
    for was in gone {
        let old = Some(was.side(old_start));
        changes.push(Change { path: path(was.member), old, new: None });
    }
}

/// A member of a scope. Those of anonymous structs and unions stand in the scope around them.
#[derive(Clone, Copy, Debug)]
struct Visible<'l> {
    member: &'l Member,
    /// The bit of the scope at which what it is a member of starts.
    start: Option<u64>,
}

fn visible(members: &[Member], start: Option<u64>) -> Vec<Visible<'_>> {
    let mut all = Vec::with_capacity(members.len());
    for member in members {
        match member.kind {
            MemberKind::Anonymous => {
                all.extend(visible(member.members(), sum(start, member.start())));
            }
            MemberKind::Base | MemberKind::Field => all.push(Visible { member, start }),
        }
    }
    all
}

fn sum(start: Option<u64>, further: Option<u64>) -> Option<u64> {
    start?.checked_add(further?)
}

impl<'l> Visible<'l> {
    /// Its first bit, from the start of the scope.
    fn place(&self) -> Option<u64> {
        sum(self.start, self.member.start())
    }

    fn is_namesake_of(&self, other: &Visible<'_>) -> bool {
        fn name(member: &Member) -> &str {
            if member.kind == MemberKind::Base { &member.type_name } else { &member.name }
        }
        let (one_name, other_name) = (name(self.member), name(other.member));
        match (one_name, other_name) {
            ("", "") => self.place() == other.place() && self.bit_size() == other.bit_size(),
            _ => self.member.kind == other.member.kind && one_name == other_name,
        }
    }

    fn bit_size(&self) -> Option<u64> {
        self.member.bits.map(|bits| bits.size)
    }

    /// What the change shows, of a scope that starts there in the type.
    fn side(&self, scope: Option<u64>) -> Side {
        Side::Member(self.member.clone().seen_from(sum(scope, self.start)))
    }

    /// Its own members, and where they start in the type.
    fn inside(&self, scope: Option<u64>) -> Inside<'l> {
        (self.member.members(), sum(sum(scope, self.start), self.member.start()))
    }
}
