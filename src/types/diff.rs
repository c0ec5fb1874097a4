//! What has changed in a type from one build to the next.

use super::{Layout, Member, MemberKind};

/// A member, or an enumerator, that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'l> {
    /// `entry.le_next`.
    pub path: String,
    /// What it was; none for one that has come.
    pub old: Option<Side<'l>>,
    /// What it is; none for one that has gone.
    pub new: Option<Side<'l>>,
}

/// One side of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side<'l> {
    /// A member.
    Member(&'l Member),
    /// An enumerator's value.
    Value(i128),
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
pub fn diff<'l>(old: &'l Layout, new: &'l Layout, reach: Reach) -> Vec<Change<'l>> {
    let mut changes = Vec::new();
    members((&old.members, 0), (&new.members, 0), "", reach, &mut changes);
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

/// The members of one struct in the outer one, and its first bit there.
type Inside<'l> = (&'l [Member], u64);

fn members<'l>(
    (old, old_start): Inside<'l>,
    (new, new_start): Inside<'l>,
    within: &str,
    reach: Reach,
    changes: &mut Vec<Change<'l>>,
) {
    let (old, new) = (visible(old), visible(new));
    let path = |member: &Member| {
        let name = match (member.kind, member.name.as_str()) {
            (MemberKind::Base, _) => format!("<base {}>", member.type_name),
            (_, "") => "<unnamed>".to_owned(),
            (_, name) => name.to_owned(),
        };
        if within.is_empty() { name } else { format!("{within}.{name}") }
    };
    let mut gone: Vec<&Member> = old.clone();
    for member in new {
        let Some(position) = gone.iter().position(|other| is_namesake(other, member)) else {
            let new = Some(Side::Member(member));
            changes.push(Change { path: path(member), old: None, new });
            continue;
        };
        let before = gone.remove(position);
        let place = |member: &Member, start: u64| {
            let first = member.bits.map(|bits| bits.offset).or(member.offset?.checked_mul(8))?;
            first.checked_sub(start)
        };
        let is_same = place(before, old_start) == place(member, new_start)
            && before.size == member.size
            && before.bits.map(|bits| bits.size) == member.bits.map(|bits| bits.size)
            && before.type_name == member.type_name;
        if !is_same {
            let (old, new) = (Some(Side::Member(before)), Some(Side::Member(member)));
            changes.push(Change { path: path(member), old, new });
        }
        if reach == Reach::Whole || super::layout::is_without_name(&member.type_name) {
            let start = |member: &Member| member.offset.unwrap_or(0).saturating_mul(8);
            let inside = |member: &'l Member| (member.members.as_slice(), start(member));
            members(inside(before), inside(member), &path(member), reach, changes);
        }
    }
    for member in gone {
        let old = Some(Side::Member(member));
        changes.push(Change { path: path(member), old, new: None });
    }
}

/// The members of a scope: those of anonymous ones stand in it too.
fn visible(members: &[Member]) -> Vec<&Member> {
    let mut all = Vec::new();
    for member in members {
        match member.kind {
            MemberKind::Anonymous => all.extend(visible(&member.members)),
            MemberKind::Base | MemberKind::Field => all.push(member),
        }
    }
    all
}

fn is_namesake(one: &Member, other: &Member) -> bool {
    let name = |member: &Member| match member.kind {
        MemberKind::Base => Some(member.type_name.clone()),
        _ => Some(member.name.clone()).filter(|name| !name.is_empty()),
    };
    match (name(one), name(other)) {
        (None, None) => one.bits == other.bits && one.offset == other.offset,
        (one_name, other_name) => one.kind == other.kind && one_name == other_name,
    }
}
