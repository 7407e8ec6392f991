//! The committed JSON Schema is the one that the types make.

use std::fs;
use std::path::Path;

#[test]
fn the_committed_json_schema_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flow.schema.json");
    let schema =
        serde_json::to_string_pretty(&flow::Flow::json_schema()).expect("a schema is JSON") + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&path, &schema).expect("the schema can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema,
        "`docs/flow.schema.json` is stale: `make schemas` rewrites it"
    );
}
