//! Which room may know which, and where a foreign library is met: docs/ARCHITECTURE.md as a test.
//!
//! Read from what cargo says of the manifests, so that a renamed, inherited or target-specific dependency counts as one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What each package of ours may list of the others, for whatever purpose.
const MAP: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("secrets", &[]),
    ("pattern", &[]),
    ("terminal", &["clock", "pattern", "secrets"]),
    ("transcripts", &["pattern", "secrets"]),
    ("machines", &[]),
    ("store", &[]),
    ("git", &[]),
    ("conflicts", &["clock", "git"]),
    ("changes", &["git"]),
    ("agents", &["clock"]),
    ("host", &["terminal"]),
    ("flow", &["clock", "secrets", "store"]),
    (
        "app",
        &[
            "clock",
            "terminal",
            "host",
            "secrets",
            "store",
            "flow",
            "git",
            "conflicts",
            "changes",
            "agents",
            "machines",
            "transcripts",
        ],
    ),
    // Faces: `app` for what they do, the others for plain values.
    (
        "mcp",
        &[
            "app",
            "clock",
            "terminal",
            "flow",
            "conflicts",
            "agents",
            "transcripts",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "mcp",
            "clock",
            "terminal",
            "flow",
            "conflicts",
            "changes",
            "agents",
            "transcripts",
        ],
    ),
    (
        "shell",
        &[
            "app",
            "cli",
            "terminal",
            "flow",
            "conflicts",
            "changes",
            "agents",
            "transcripts",
        ],
    ),
    // From outside: they know the built program.
    ("scenarios", &[]),
    ("benches", &["scenarios", "agents"]),
    ("fuzz", &["terminal"]),
];

/// Libraries that are met at one place, and the files that are the place (a folder ends in `/`).
const MET_AT: &[(&str, &[&str])] = &[
    ("portable_pty", &["crates/terminal/src/pty.rs"]),
    ("nix", &["crates/terminal/src/pty.rs"]),
    (
        "alacritty_terminal",
        &[
            "crates/terminal/src/screen.rs",
            "crates/terminal/src/screen/",
        ],
    ),
    (
        "gix",
        &["crates/conflicts/src/git.rs", "crates/conflicts/src/git/"],
    ),
    (
        "notify",
        &[
            "crates/conflicts/src/watch.rs",
            "crates/conflicts/src/watch/",
            "crates/app/src/config_file.rs",
        ],
    ),
    (
        "jsonc_parser",
        &[
            "crates/app/src/",
            "crates/cli/src/agent_files/jsonc.rs",
            "crates/cli/src/conflicts/install.rs",
            "crates/cli/src/conflicts/install/tests.rs",
            "crates/cli/src/mcp/install.rs",
        ],
    ),
    ("toml_edit", &["crates/cli/src/mcp/install.rs"]),
    (
        "imagesize",
        &[
            "crates/changes/src/picture.rs",
            "crates/terminal/src/image.rs",
        ],
    ),
    (
        "png",
        &[
            "crates/terminal/src/image.rs",
            "crates/terminal/src/image/tests.rs",
        ],
    ),
    (
        "flate2",
        &[
            "crates/terminal/src/image/kitty.rs",
            "crates/terminal/src/image/tests.rs",
        ],
    ),
    ("tree_sitter", &["crates/conflicts/src/outline.rs"]),
    (
        "rusqlite",
        &[
            "crates/store/src/",
            "crates/flow/src/",
            "crates/transcripts/src/",
        ],
    ),
    ("minijinja", &["crates/flow/src/"]),
    ("agent_client_protocol", &["crates/agents/src/"]),
    ("hyper", &["crates/agents/src/opencode/http.rs"]),
    ("rmcp", &["crates/mcp/"]),
    ("strsim", &["crates/app/src/fields.rs"]),
    ("plist", &["crates/app/src/themes/import.rs"]),
    ("fontdb", &["crates/app/src/fonts.rs"]),
    ("gio", &["src-tauri/taskbar.rs"]),
    ("tauri", &["src-tauri/"]),
];

#[test]
fn rooms_know_only_whom_the_map_says() {
    let mut wrong = Vec::new();
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(name).collect();
    for package in &packages {
        let Some((_, may)) = MAP.iter().find(|(room, _)| *room == name(package)) else {
            wrong.push(format!(
                "`{}` is not on the map: say in tests/walls.rs and docs/ARCHITECTURE.md what it may use",
                name(package)
            ));
            continue;
        };
        for dependency in dependencies(package) {
            if ours.contains(dependency) && !may.contains(&dependency) {
                wrong.push(format!("`{}` lists `{dependency}`", name(package)));
            }
        }
    }
    for (room, _) in MAP {
        if !ours.contains(room) {
            wrong.push(format!(
                "`{room}` is on the map, and there is no such package"
            ));
        }
    }
    assert!(wrong.is_empty(), "not on the map:\n{}", wrong.join("\n"));
}

#[test]
fn only_the_window_knows_tauri() {
    let wrong: Vec<String> = packages()
        .iter()
        .filter(|package| name(package) != "shell")
        .flat_map(|package| {
            dependencies(package)
                .filter(|dependency| dependency.starts_with("tauri"))
                .map(|dependency| format!("`{}` lists `{dependency}`", name(package)))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_is_decided_once_for_the_workspace() {
    // Fuzzing is a workspace of its own.
    let wrong: Vec<String> = manifests()
        .into_iter()
        .filter(|manifest| !manifest.ends_with("fuzz/Cargo.toml"))
        .flat_map(|manifest| {
            let text = fs::read_to_string(&manifest).expect("a manifest can be read");
            versions_said_in_dependencies(&text)
                .into_iter()
                .map(|line| format!("{}: {line}", manifest.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "a version is said in [workspace.dependencies] alone:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn foreign_libraries_are_met_at_one_place() {
    let top = top();
    let mut sources = Vec::new();
    for folder in ["crates", "src-tauri"] {
        rust_files(&top.join(folder), &mut sources);
    }
    assert!(sources.len() > 200, "the sources are found");
    let mut wrong = Vec::new();
    for source in sources {
        let path = source
            .strip_prefix(&top)
            .expect("it is below the top")
            .to_string_lossy()
            .into_owned();
        // What a test or a bench of the room itself names is its own affair.
        if !path.contains("/src/") && !path.starts_with("src-tauri/") {
            continue;
        }
        let text = fs::read_to_string(&source).expect("a source can be read");
        for (library, places) in MET_AT {
            let met = places.iter().any(|place| path.starts_with(place));
            if !met && names(&text, library) {
                wrong.push(format!(
                    "{path} names `{library}`, which is met in {places:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_library_is_seen_however_it_is_named() {
    assert!(names("use gix::ObjectId;", "gix"));
    assert!(names("    let x = ::gix::open(p);", "gix"));
    assert!(names("use nix as unix;", "nix"));
    assert!(names("pub use notify;", "notify"));
    assert!(!names("// gix::open is slow", "gix"));
    assert!(!names("tokio::sync::notify::Notify", "notify"));
    assert!(!names("use unix::x; the_gix::y()", "nix"));
    assert!(!names("prefix_tauri::x", "tauri"));
}

/// Whether the code names the library itself: as the start of a path, or in a `use`.
fn names(text: &str, library: &str) -> bool {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .any(|line| {
            let used = line
                .trim_start()
                .trim_start_matches("pub ")
                .strip_prefix("use ");
            let imported = used
                .and_then(|rest| rest.strip_prefix(library))
                .is_some_and(|rest| {
                    !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
                });
            imported
                || line.match_indices(&format!("{library}::")).any(|(at, _)| {
                    let before = line[..at].strip_suffix("::").unwrap_or(&line[..at]);
                    let rooted = before.len() < at;
                    !before.ends_with(|last: char| {
                        last.is_alphanumeric() || last == '_' || (!rooted && last == ':')
                    })
                })
        })
}

/// Lines of `[dependencies]` and its like that say a version themselves.
fn versions_said_in_dependencies(manifest: &str) -> Vec<String> {
    let mut within = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            within = line.contains("dependencies") && !line.starts_with("[workspace");
        } else if within
            && (line.contains("version") || line.contains("= \""))
            && !line.contains("path =")
        {
            found.push(line.to_owned());
        }
    }
    found
}

fn name(package: &Value) -> &str {
    package["name"].as_str().expect("a package has a name")
}

fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    package["dependencies"]
        .as_array()
        .expect("a package lists its dependencies")
        .iter()
        .map(|dependency| {
            dependency["name"]
                .as_str()
                .expect("a dependency has a name")
        })
}

/// Every package of ours, as cargo reads them.
fn packages() -> Vec<Value> {
    [top().join("Cargo.toml"), top().join("fuzz/Cargo.toml")]
        .iter()
        .flat_map(|manifest| {
            let told = Command::new(env!("CARGO"))
                .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
                .arg("--manifest-path")
                .arg(manifest)
                .current_dir(top())
                .output()
                .expect("cargo runs");
            assert!(
                told.status.success(),
                "{}",
                String::from_utf8_lossy(&told.stderr)
            );
            let told: Value = serde_json::from_slice(&told.stdout).expect("cargo answers in JSON");
            told["packages"]
                .as_array()
                .expect("there are packages")
                .clone()
        })
        .collect()
}

fn manifests() -> Vec<PathBuf> {
    packages()
        .iter()
        .map(|package| {
            PathBuf::from(
                package["manifest_path"]
                    .as_str()
                    .expect("it has a manifest"),
            )
        })
        .collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are in a folder of the workspace")
        .to_owned()
}
