//! What does the daemon offer? The answer to `rpc.discover`: an OpenRPC 1.3 document made from
//! the table in [`crate::api`], with the schemas of its structs as JSON Schema draft 7.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::api::Method;
use crate::api::daemon::PROTOCOL;
use crate::error::Kind;

/// Where OpenRPC keeps the schemas that several methods use.
const SCHEMAS: &str = "/components/schemas";

/// The document.
pub(super) fn document() -> Value {
    let mut generator =
        SchemaSettings::draft07().with(|it| it.definitions_path = SCHEMAS.into()).into_generator();
    let mut methods = Vec::new();
    macro_rules! describe_all {
        ($($method:ty,)*) => { $(methods.push(describe::<$method>(&mut generator));)* };
    }
    crate::api::for_each_method!(describe_all);
    let errors = errors(&mut generator);
    json!({
        "openrpc": "1.3.2",
        "info": {
            "title": env!("CARGO_PKG_NAME"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": env!("CARGO_PKG_LICENSE") },
            "x-protocol": PROTOCOL,
        },
        "methods": methods,
        "components": { "errors": errors, "schemas": generator.take_definitions(true) },
    })
}

/// A method as OpenRPC describes it.
fn describe<M: Method>(generator: &mut SchemaGenerator) -> Value {
    let result = generator.subschema_for::<M::Response>();
    json!({
        "name": M::NAME,
        "summary": M::SUMMARY,
        "paramStructure": "by-name",
        "params": params::<M::Request>(generator),
        "result": { "name": M::Response::schema_name(), "schema": result },
    })
}

/// The members of a request, each a parameter; the required ones first, as OpenRPC wants them.
fn params<R: JsonSchema>(generator: &mut SchemaGenerator) -> Vec<Value> {
    let request = R::json_schema(generator).to_value();
    let required = |name: &str| {
        let required = request["required"].as_array();
        required.is_some_and(|names| names.iter().any(|required| required == name))
    };
    let properties = request["properties"].as_object().cloned().unwrap_or_default();
    let mut params: Vec<Value> = properties
        .into_iter()
        .map(|(name, mut schema)| {
            let description = schema.as_object_mut().and_then(|it| it.remove("description"));
            json!({
                "required": required(&name),
                "name": name,
                "description": description,
                "schema": schema,
            })
        })
        .collect();
    params.sort_by_key(|param| param["required"] != true);
    params
}

/// Our errors by kind, each with its code and what it means.
fn errors(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let kinds = Kind::json_schema(generator).to_value();
    let kinds = kinds["oneOf"].as_array().cloned().unwrap_or_default();
    let described = kinds.into_iter().filter_map(|described| {
        let kind: Kind = serde_json::from_value(described["const"].clone()).ok()?;
        let name = described["const"].as_str()?.to_owned();
        let error = json!({
            "code": kind.code(),
            "message": described["description"],
            "data": { "kind": name },
        });
        Some((name, error))
    });
    described.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_method_and_parameter_is_described() {
        let document = document();
        let names: Vec<_> = document["methods"].as_array().unwrap().iter().collect();
        let table: Vec<_> = crate::api::method_names().collect();
        assert_eq!(names.iter().map(|method| &method["name"]).collect::<Vec<_>>(), table);
        for method in names {
            assert!(method["result"]["schema"]["$ref"].is_string(), "{method:#}");
            for param in method["params"].as_array().unwrap() {
                assert!(param["description"].is_string(), "{}: {param:#}", method["name"]);
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(value: &Value, document: &Value) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(to)) = members.get("$ref") {
                        let pointer = to.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{to}");
                    }
                    members.values().for_each(|member| check(member, document));
                }
                Value::Array(items) => items.iter().for_each(|item| check(item, document)),
                _ => {}
            }
        }
        let document = document();
        check(&document, &document);
    }

    /// Every object in a schema, with those it refers to.
    fn check_closed(schema: &Value, document: &Value, seen: &mut BTreeSet<String>) {
        if let Some(to) = schema["$ref"].as_str() {
            if seen.insert(to.to_owned()) {
                check_closed(document.pointer(&to[1..]).unwrap(), document, seen);
            }
            return;
        }
        if schema["properties"].is_object() {
            let variants = schema["oneOf"].as_array();
            let closed = |schema: &Value| schema["additionalProperties"] == false;
            assert!(
                closed(schema) || variants.is_some_and(|variants| variants.iter().all(closed)),
                "{schema:#}"
            );
        }
        let below = schema.as_object().into_iter().flat_map(|members| members.values());
        let items = schema.as_array().into_iter().flatten();
        below.chain(items).for_each(|schema| check_closed(schema, document, seen));
    }

    #[test]
    fn no_request_takes_a_name_that_it_does_not_have_however_deep() {
        let document = document();
        let mut seen = BTreeSet::new();
        for method in document["methods"].as_array().unwrap() {
            for param in method["params"].as_array().unwrap() {
                check_closed(&param["schema"], &document, &mut seen);
            }
        }
        for within in ["Trace", "Frame", "Event", "Value", "BinaryRef", "TextPiece"] {
            assert!(seen.contains(&format!("#{SCHEMAS}/{within}")), "{within}: {seen:?}");
        }
    }

    #[test]
    fn the_schema_of_an_event_lets_each_kind_have_its_own_members() {
        let document = document();
        let event = &document["components"]["schemas"]["Event"];
        assert!(event["properties"]["lines"].is_object(), "{event:#}");
        assert_eq!(event["unevaluatedProperties"], Value::Null, "draft 7 has no such word");
        for kind in event["oneOf"].as_array().unwrap() {
            let members = kind["properties"].as_object().unwrap();
            assert!(members["kind"]["const"].is_string(), "{kind:#}");
            for name in event["properties"].as_object().unwrap().keys() {
                assert_eq!(members[name], true, "{name}: {kind:#}");
            }
        }
    }

    #[test]
    fn required_parameters_are_marked_and_come_first() {
        let document = document();
        let methods = document["methods"].as_array().unwrap();
        let offsets_of = methods.iter().find(|it| it["name"] == "layout.offsets_of").unwrap();
        let required: Vec<_> = offsets_of["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|param| (param["name"].as_str().unwrap(), param["required"] == true))
            .collect();
        assert_eq!(required[0], ("type", true));
        assert!(required[1..].iter().all(|(_, required)| !required), "{required:?}");
    }

    #[test]
    fn every_kind_of_error_has_a_code_of_its_own() {
        let document = document();
        let errors = document["components"]["errors"].as_object().unwrap();
        let codes: BTreeSet<_> =
            errors.values().map(|error| error["code"].as_i64().unwrap()).collect();
        assert_eq!(codes.len(), errors.len());
        assert_eq!(errors["internal"]["code"], Kind::Internal.code());
        assert!(codes.iter().all(|code| !(-32768..=-32000).contains(code)));
    }
}
