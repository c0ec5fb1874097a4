//! Which types are part of which, and which point to which.
//!
//! Types are known by their spelling, as members spell them: `struct point` in C, `ns::point` in C++. A
//! typedef stands between the two: what holds `point_t` holds `struct point`.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Kind, Layout, LayoutMatch, Members, pointee};
use crate::dwarf::Language;

/// The relations of the types that were added.
#[derive(Debug, Default)]
pub struct Relations {
    ids: FxHashMap<String, u32>,
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    /// It is a struct, union, class or enum, and no typedef.
    is_type: bool,
    holds: Vec<u32>,
    points_to: Vec<u32>,
}

/// The name under which a layout's type is known here: members do not repeat the keyword, save in C.
pub fn spelled(layout: &Layout) -> &str {
    match layout.language {
        Language::C => &layout.type_name,
        _ => split_keyword(&layout.type_name).1,
    }
}

impl Relations {
    /// Takes in what a name stands for.
    pub fn add(&mut self, name: &str, found: &LayoutMatch) {
        let layout = &found.layout;
        let is_typedef = layout.via.first().is_some_and(|via| via == name);
        if is_typedef && layout.type_name != name {
            let (node, target) = (self.id(name), self.id(element(spelled(layout))));
            let is_pointer = layout.via.iter().any(|via| via == "*");
            self.connect(node, target, if is_pointer { Edge::PointsTo } else { Edge::Holds });
            return;
        }
        if layout.kind == Kind::Other {
            return;
        }
        let node = self.id(spelled(layout));
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.is_type = true;
        }
        self.add_members(node, &layout.members);
    }

    fn add_members(&mut self, node: u32, members: &Members) {
        for member in members.iter() {
            let spelled = element(member.type_name());
            let pointee = spelled.trim_end_matches('*').trim_end();
            let target = self.id(unqualified(pointee));
            let is_pointer = pointee.len() < spelled.len();
            self.connect(node, target, if is_pointer { Edge::PointsTo } else { Edge::Holds });
            self.add_members(node, member.members());
        }
    }

    fn id(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = self.nodes.len() as u32;
        self.ids.insert(name.to_owned(), id);
        self.nodes.push(Node { name: name.to_owned(), ..Node::default() });
        id
    }

    fn connect(&mut self, from: u32, to: u32, edge: Edge) {
        let Some(node) = self.nodes.get_mut(from as usize) else { return };
        let targets = match edge {
            // Only damage has a type hold itself.
            Edge::Holds if from == to => return,
            Edge::Holds => &mut node.holds,
            Edge::PointsTo => &mut node.points_to,
        };
        if !targets.contains(&to) {
            targets.push(to);
        }
    }

    /// Takes in all of another.
    pub fn merge(&mut self, other: &Relations) {
        let ids: Vec<u32> = other.nodes.iter().map(|node| self.id(&node.name)).collect();
        let id = |position: &u32| ids.get(*position as usize).copied().unwrap_or_default();
        for (position, node) in (0..).zip(&other.nodes) {
            let own = id(&position);
            if let Some(place) = self.nodes.get_mut(own as usize) {
                place.is_type |= node.is_type;
            }
            node.holds.iter().for_each(|to| self.connect(own, id(to), Edge::Holds));
            node.points_to.iter().for_each(|to| self.connect(own, id(to), Edge::PointsTo));
        }
    }

    /// The same, seen from what is held.
    pub fn holders(&self) -> Holders<'_> {
        let mut holders: Vec<Vec<u32>> = vec![Vec::new(); self.nodes.len()];
        for (position, node) in (0..).zip(&self.nodes) {
            for held in &node.holds {
                if let Some(holders) = holders.get_mut(*held as usize) {
                    holders.push(position);
                }
            }
        }
        Holders { relations: self, holders }
    }

    /// The types that are part of a type's bytes, at any depth.
    pub fn parts_of(&self, type_name: &str) -> BTreeSet<&str> {
        let next = |id: u32| self.node(id).map(|node| node.holds.as_slice()).unwrap_or_default();
        self.types(&reached(&self.named(type_name), next))
    }

    /// The types with a member of their own that points to a type.
    pub fn pointing_to(&self, type_name: &str) -> BTreeSet<&str> {
        let mut wanted: FxHashSet<u32> = self.named(type_name).into_iter().collect();
        // Typedefs of it, and of those.
        loop {
            let before = wanted.len();
            for (id, node) in (0..).zip(&self.nodes).filter(|(_, node)| !node.is_type) {
                if node.holds.iter().any(|held| wanted.contains(held)) {
                    wanted.insert(id);
                }
            }
            if wanted.len() == before {
                break;
            }
        }
        let points = |node: &Node| node.points_to.iter().any(|to| wanted.contains(to));
        let holds_pointer = |node: &Node| {
            node.holds
                .iter()
                .filter_map(|id| self.node(*id))
                .any(|held| !held.is_type && points(held))
        };
        let pointing = self.nodes.iter().filter(|node| node.is_type);
        pointing
            .filter(|node| points(node) || holds_pointer(node))
            .map(|node| node.name.as_str())
            .collect()
    }

    /// What a person means by a name, with its keyword or without.
    fn named(&self, asked: &str) -> Vec<u32> {
        let (keyword, bare) = split_keyword(unqualified(pointee(asked.trim())));
        let is_it = |its: &&str| its.is_empty() || keyword.is_none_or(|keyword| keyword == *its);
        let keywords = ["", "struct", "union", "enum"].into_iter().filter(is_it);
        let spelled = keywords.map(|keyword| format!("{keyword} {bare}"));
        spelled.filter_map(|name| self.ids.get(name.trim_start()).copied()).collect()
    }

    fn node(&self, id: u32) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    fn types(&self, ids: &FxHashSet<u32>) -> BTreeSet<&str> {
        let nodes = ids.iter().filter_map(|id| self.node(*id));
        nodes.filter(|node| node.is_type).map(|node| node.name.as_str()).collect()
    }
}

/// Which types hold which.
#[derive(Debug)]
pub struct Holders<'r> {
    relations: &'r Relations,
    holders: Vec<Vec<u32>>,
}

impl<'r> Holders<'r> {
    /// The types whose bytes a type is part of, at any depth.
    pub fn of(&self, type_name: &str) -> BTreeSet<&'r str> {
        let next = |id: u32| self.holders.get(id as usize).map(Vec::as_slice).unwrap_or_default();
        self.relations.types(&reached(&self.relations.named(type_name), next))
    }
}

/// All that is reached from some nodes, without these.
fn reached<'s>(from: &[u32], next: impl Fn(u32) -> &'s [u32]) -> FxHashSet<u32> {
    let mut reached = FxHashSet::default();
    let mut left = from.to_vec();
    while let Some(id) = left.pop() {
        left.extend(next(id).iter().filter(|id| reached.insert(**id)));
    }
    from.iter().for_each(|id| {
        reached.remove(id);
    });
    reached
}

#[derive(Clone, Copy, Debug)]
enum Edge {
    Holds,
    PointsTo,
}

/// The type of an array's elements.
fn element(spelled: &str) -> &str {
    unqualified(spelled.split('[').next().unwrap_or_default().trim_end())
}

fn unqualified(mut spelled: &str) -> &str {
    while let Some(rest) =
        spelled.strip_prefix("const ").or_else(|| spelled.strip_prefix("volatile "))
    {
        spelled = rest;
    }
    spelled
}

/// `struct point` is `point`, and the keyword.
fn split_keyword(name: &str) -> (Option<&str>, &str) {
    match name.split_once(' ') {
        Some((keyword @ ("struct" | "union" | "enum"), bare)) => (Some(keyword), bare),
        Some(("class", bare)) => (Some("struct"), bare),
        _ => (None, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{OwnedMember, Size};

    fn found(type_name: &str, kind: Kind, via: &[&str], members: &[&str]) -> LayoutMatch {
        let layout = Layout {
            die: Default::default(),
            type_name: type_name.to_owned(),
            kind,
            via: via.iter().map(|via| (*via).to_owned()).collect(),
            size: Size::Known(4),
            align: None,
            declared_at: None,
            language: Language::C,
            members: members.iter().map(|name| OwnedMember::sized(name, 0, 4)).collect(),
            enumerators: Vec::new(),
            holes: Vec::new(),
            padding: 0,
            packed: false,
            better_order: None,
            why: None,
        };
        LayoutMatch { layout, units: 1, selected: None }
    }

    #[test]
    fn typedefs_arrays_and_qualifiers_are_seen_through() {
        let mut relations = Relations::default();
        let s = Kind::Struct;
        relations.add("point", &found("struct point", s, &[], &["int"]));
        relations.add("point_t", &found("struct point", s, &["point_t"], &[]));
        relations.add("pointPtr", &found("struct point", s, &["pointPtr", "*"], &[]));
        relations.add("box", &found("struct box", s, &[], &["const point_t[2]"]));
        relations.add("room", &found("room", s, &["room"], &["struct box", "struct point *"]));
        relations.add("list", &found("struct list", s, &[], &["pointPtr", "struct list *"]));
        relations.add("far", &found("struct far", s, &[], &["const point_t **[3]"]));
        let all = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
        for (asked, holders) in
            [("struct point", "room, struct box"), ("point", "room, struct box"), ("box", "room")]
        {
            assert_eq!(all(relations.holders().of(asked)), holders, "{asked}");
        }
        assert_eq!(all(relations.parts_of("room")), "struct box, struct point");
        assert_eq!(all(relations.pointing_to("point")), "room, struct far, struct list");
        assert_eq!(all(relations.pointing_to("struct list")), "struct list");
        assert_eq!(all(relations.holders().of("union point")), "");
        let mut merged = Relations::default();
        merged.add("other", &found("struct other", s, &[], &["room"]));
        merged.merge(&relations);
        assert_eq!(all(merged.holders().of("point")), "room, struct box, struct other");
    }
}
