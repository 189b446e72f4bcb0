//! Reading metadata, choosing packages, and a way for other tests to make a small workspace.

use super::{Dependency, Package, Target, Workspace};

/// A library package without dependencies.
pub(crate) fn library(name: &str) -> Package {
    let root = format!("crates/{name}/src/lib.rs");
    Package {
        name: name.to_owned(),
        dependencies: Vec::new(),
        targets: vec![Target {
            kind: "lib".to_owned(),
            root,
        }],
        is_library: true,
        has_default_features: false,
        has_optional_features: false,
    }
}

/// A normal dependency of the kind that passes: on one of ours, or on another without features.
pub(crate) fn dependency(name: &str) -> Dependency {
    Dependency {
        name: name.to_owned(),
        dev: false,
        condition: None,
        ours: name.starts_with("ringloop"),
        default_features: false,
    }
}

pub(crate) fn workspace(packages: Vec<Package>) -> Workspace {
    Workspace {
        root: "/somewhere".into(),
        target: "/somewhere/target".into(),
        packages,
    }
}

fn with(name: &str, dependencies: &[&str]) -> Package {
    Package {
        dependencies: dependencies.iter().map(|name| dependency(name)).collect(),
        ..library(name)
    }
}

const METADATA: &str = r#"{
    "workspace_root": "/somewhere", "target_directory": "/elsewhere",
    "packages": [{
        "name": "ringloop", "manifest_path": "/somewhere/crates/ringloop/Cargo.toml",
        "features": { "default": ["macros"], "macros": [], "extra": [] },
        "targets": [{ "kind": ["lib"], "src_path": "/somewhere/crates/ringloop/src/lib.rs" }],
        "dependencies": [
            { "name": "libc", "kind": null, "target": null, "uses_default_features": false },
            { "name": "loom", "kind": "dev", "target": "cfg(loom)", "uses_default_features": true },
            { "name": "ringloop-core", "kind": null, "target": null,
              "path": "/somewhere/crates/ringloop-core", "uses_default_features": true }
        ]
    }]
}"#;

#[test]
fn metadata_is_read() {
    let workspace = Workspace::parse(METADATA).expect("this is what cargo prints");
    let [package] = &workspace.packages[..] else {
        panic!("one package: {workspace:?}")
    };
    assert!(package.is_library && package.has_default_features && package.has_lib());
    assert!(package.has_optional_features);
    assert_eq!(package.targets[0].root, "crates/ringloop/src/lib.rs");
    let [libc, loom, core] = &package.dependencies[..] else {
        panic!("three: {package:?}")
    };
    assert!(!libc.dev && !libc.ours && !libc.default_features && libc.condition.is_none());
    assert!(loom.dev && loom.default_features && loom.condition.as_deref() == Some("cfg(loom)"));
    assert!(core.ours);
}

#[test]
fn other_texts_are_refused() {
    assert!(Workspace::parse("{}").is_err());
    assert!(Workspace::parse("error: no manifest").is_err());
}

#[test]
fn crates_are_chosen_by_long_and_short_names() {
    let workspace = workspace(vec![library("ringloop"), library("ringloop-core")]);
    let names = |chosen: Vec<&Package>| chosen.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        workspace.select(None).map(names),
        Ok(vec!["ringloop".into(), "ringloop-core".into()])
    );
    assert_eq!(
        workspace.select(Some("core")).map(names),
        Ok(vec!["ringloop-core".into()])
    );
    assert_eq!(
        workspace.select(Some("ringloop")).map(names),
        Ok(vec!["ringloop".into()])
    );
    let message = workspace.select(Some("cor")).expect_err("there is none");
    assert!(message.contains("`cor`") && message.contains("ringloop-core"));
}

#[test]
fn those_above_are_found_through_others() {
    let workspace = workspace(vec![
        with("ringloop", &["ringloop-task", "ringloop-offload"]),
        library("ringloop-core"),
        with("ringloop-offload", &["ringloop-core"]),
        with("ringloop-task", &["ringloop-core"]),
    ]);
    let above = |name| {
        let chosen = workspace.select(Some(name)).expect("it exists");
        let mut names: Vec<String> = workspace
            .with_those_above(&chosen)
            .iter()
            .map(|p| p.name.clone())
            .collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(above("ringloop"), "ringloop");
    assert_eq!(above("task"), "ringloop ringloop-task");
    assert_eq!(
        above("core"),
        "ringloop ringloop-core ringloop-offload ringloop-task"
    );
}
