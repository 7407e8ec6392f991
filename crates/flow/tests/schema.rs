//! The committed JSON Schema is the one that the types make.

use std::fs;
use std::path::Path;

#[test]
fn the_committed_json_schema_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flow.schema.json");
    let schema = flow::Flow::json_schema();
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
        fs::write(&path, text).expect("the schema can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    // As values: the order of keys hangs on features that other crates of a build ask serde_json for.
    let committed: serde_json::Value = serde_json::from_str(&committed).unwrap_or_default();
    let schema = serde_json::to_value(&schema).expect("a schema is JSON");
    assert!(
        committed == schema,
        "`docs/flow.schema.json` is stale: `make schemas` rewrites it"
    );
}
