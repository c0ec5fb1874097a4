//! docs/api.md, written from the OpenRPC document, and the test that holds the two together: run
//! it with `ACCEPT=1` to rewrite the page.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Map, Value};

const INTRODUCTION: &str = r#"# The API

JSON-RPC 2.0 over the daemon's Unix socket, as WebSocket or as HTTP POST. Parameters go by name; a name that a method does not
have is an error. Addresses and 64-bit values are strings `"0x…"`; sizes and offsets are numbers, in bytes unless the name says bits.

```sh
dbgmate serve &
curl --unix-socket "$XDG_RUNTIME_DIR/dbgmate/daemon.sock" -H 'content-type: application/json' \
    -d '{"jsonrpc":"2.0","id":1,"method":"daemon.hello","params":{"client":"curl"}}' http://localhost/
```

Closing the connection, or giving up on an HTTP request by closing it, calls off what it asked for. `rpc.discover` returns all of
this page as an OpenRPC document.
"#;

const ERRORS: &str = r#"
## Errors

An error of a method has a code, a sentence, and in `data` its stable `kind` and, where there is one, the `next_step`. So has
−32602 (wrong parameters; the sentence names the one). JSON-RPC's other codes are for requests that never reach a method; of these
errors, read the code alone:

| code | when |
|---|---|
| −32700 | not JSON, neither an object nor a list, or an object that is no request and has no `id` |
| −32600 | an object with an `id` that is no request, an empty batch |
| −32601 | no such method |
| −32007, −32008 | the request, the response is larger than allowed |
| −32010, −32011 | the batch is longer, its response larger than allowed |

An `id` is a string, a whole number from 0 on, or null. A request with none, or with anything else for it, is taken for a
notification: nothing is done, and the answer over HTTP is `null`. Over HTTP, too, what does not begin with `{` or `[` has status
400, what is too large 413, another method than POST 405, another content type than `application/json` 415, and a connection too
many 503; all else has 200, errors included.

| code | kind | meaning |
|---|---|---|
"#;

/// The page.
fn page(document: &Value) -> String {
    let mut page = INTRODUCTION.to_owned();
    for method in items(&document["methods"]) {
        write_method(&mut page, method);
    }
    page.push_str(ERRORS);
    let mut errors: Vec<_> = members(&document["components"]["errors"]).collect();
    errors.sort_by_key(|(_, error)| error["code"].as_i64());
    for (kind, error) in errors {
        writeln!(page, "| {} | `{kind}` | {} |", error["code"], text(&error["message"])).unwrap();
    }
    page.push_str("\n## Types\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        write_type(&mut page, name, schema);
    }
    page
}

fn write_method(page: &mut String, method: &Value) {
    let result = link(&method["result"]["schema"]);
    let (name, summary) = (text(&method["name"]), text(&method["summary"]));
    write!(page, "\n## `{name}`\n\n{summary} Returns {result}.\n").unwrap();
    let mut params = items(&method["params"]).peekable();
    if params.peek().is_some() {
        page.push_str("\n| parameter | type | meaning |\n|---|---|---|\n");
    }
    for param in params {
        let required = param["required"] == true;
        let name = text(&param["name"]);
        write_row(page, &name, required, &param["schema"], &text(&param["description"]));
    }
}

fn write_type(page: &mut String, name: &str, schema: &Value) {
    write!(page, "\n### {name}\n\n{}\n", paragraph(&text(&schema["description"]))).unwrap();
    if let Some(Value::String(pattern)) = schema.get("pattern") {
        write!(page, "\nA string of the form `{pattern}`.\n").unwrap();
    }
    let variants: Vec<_> = variants(schema).collect();
    if !variants.is_empty() {
        page.push_str("\n| one of | meaning |\n|---|---|\n");
    }
    for variant in variants {
        let form = variant_form(variant);
        writeln!(page, "| {form} | {} |", cell(&text(&variant["description"]))).unwrap();
    }
    if members(&schema["properties"]).next().is_some() {
        page.push_str("\n| member | type | meaning |\n|---|---|---|\n");
    }
    for (name, member) in members(&schema["properties"]) {
        let required = items(&schema["required"]).any(|required| required == name);
        write_row(page, name, required, member, &text(&member["description"]));
    }
}

fn write_row(page: &mut String, name: &str, required: bool, schema: &Value, meaning: &str) {
    let optional = if required { "" } else { ", optional" };
    writeln!(page, "| `{name}` | {}{optional} | {} |", link(schema), cell(meaning)).unwrap();
}

fn variants(schema: &Value) -> impl Iterator<Item = &Value> {
    items(&schema["oneOf"]).chain(items(&schema["anyOf"]))
}

/// `"value"` for a constant, `{member: type, …}` for an object.
fn variant_form(variant: &Value) -> String {
    if let Some(constant) = variant.get("const") {
        return format!("`{constant}`");
    }
    if variant.get("properties").is_none() {
        return link(variant);
    }
    // `true` stands for a member that all variants share, which the table of members has.
    let members: Vec<_> = members(&variant["properties"])
        .filter(|(_, member)| **member != true)
        .map(|(name, member)| match member.get("const") {
            Some(constant) => format!("`{name}`: `{constant}`"),
            None => format!("`{name}`: {}", link(member)),
        })
        .collect();
    members.join(", ")
}

/// The type a schema stands for, with links to those that have a section of their own.
fn link(schema: &Value) -> String {
    if let Some(Value::String(to)) = schema.get("$ref") {
        let name = to.rsplit('/').next().unwrap_or(to);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    let parts = items(&schema["allOf"]).chain(variants(schema));
    let parts: Vec<_> = parts.filter(|part| part["type"] != "null").map(variant_form).collect();
    match &schema["type"] {
        _ if !parts.is_empty() => parts.join(" or "),
        Value::String(kind) if kind == "array" => format!("list of {}", link(&schema["items"])),
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter(|kind| *kind != "null").map(|kind| {
                if kind == "array" {
                    format!("list of {}", link(&schema["items"]))
                } else {
                    text(kind)
                }
            });
            kinds.collect::<Vec<_>>().join(" or ")
        }
        _ => "any value".to_owned(),
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Documentation comments link to Rust items; a page of Markdown has none of them.
fn paragraph(text: &str) -> String {
    let mut plain = text.replace("[`", "`");
    while let Some(start) = plain.find("`](") {
        match plain[start..].find(')') {
            Some(end) => plain.replace_range(start + 1..start + end + 1, ""),
            None => break,
        }
    }
    plain.replace("`]", "`")
}

fn cell(text: &str) -> String {
    paragraph(text).replace('\n', " ").replace('|', "\\|")
}

#[test]
fn the_page_is_what_the_daemon_offers() {
    let page = page(&super::openrpc::document());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    if std::env::var_os("ACCEPT").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/api.md is out of date: run this test with ACCEPT=1 to rewrite it");
}
