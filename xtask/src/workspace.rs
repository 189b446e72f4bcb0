//! The workspace as `cargo metadata` describes it: packages, what they depend on, where they are.

use std::path::PathBuf;

use serde_json::Value;
use xshell::{Shell, cmd};

/// All packages of the workspace, in the order of their names.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
    /// It lies in `crates/`: it is published.
    pub(crate) is_library: bool,
    /// It has features that are on by default.
    pub(crate) has_default_features: bool,
    /// It has features that are not on by default.
    pub(crate) has_optional_features: bool,
}

/// One line of a manifest's dependency tables.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// It stands in a table of `dev-dependencies`.
    pub(crate) dev: bool,
    /// The condition of its table, such as `cfg(loom)`.
    pub(crate) condition: Option<String>,
    /// It is a package of this workspace.
    pub(crate) ours: bool,
    /// It does not say `default-features = false`.
    pub(crate) default_features: bool,
}

/// One thing that cargo builds from a package.
#[derive(Debug)]
pub(crate) struct Target {
    /// `lib`, `proc-macro`, `bin`, `test`, `bench`, `example` or `custom-build`.
    pub(crate) kind: String,
    /// Its root file, relative to the workspace.
    pub(crate) root: String,
}

impl Workspace {
    /// Asks cargo about the workspace around the current directory.
    pub(crate) fn load(sh: &Shell) -> Result<Self, String> {
        let text = cmd!(sh, "cargo metadata --no-deps --format-version 1")
            .quiet()
            .read()
            .map_err(|error| error.to_string())?;
        Self::parse(&text)
    }

    /// Reads what `cargo metadata` printed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let root = string(&json, "workspace_root")?;
        let mut packages = items(&json, "packages")?
            .map(|package| Package::parse(package, &root))
            .collect::<Result<Vec<_>, _>>()?;
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        let target = PathBuf::from(string(&json, "target_directory")?);
        Ok(Self {
            root: PathBuf::from(root),
            target,
            packages,
        })
    }

    /// The packages that `--crate` chooses: all if it is not given.
    ///
    /// # Errors
    ///
    /// A message for the user if there is no such package.
    pub(crate) fn select(&self, name: Option<&str>) -> Result<Vec<&Package>, String> {
        let Some(name) = name else {
            return Ok(self.packages.iter().collect());
        };
        let long = format!("ringloop-{name}");
        let chosen = self
            .packages
            .iter()
            .find(|p| p.name == name || p.name == long);
        chosen.map(|package| vec![package]).ok_or_else(|| {
            let names: Vec<&str> = self.packages.iter().map(|p| p.name.as_str()).collect();
            format!(
                "no crate is called `{name}`; there are {}",
                names.join(", ")
            )
        })
    }

    /// `chosen`, and everything in the workspace that stands on it.
    pub(crate) fn with_those_above<'a>(&'a self, chosen: &[&'a Package]) -> Vec<&'a Package> {
        let mut found = chosen.to_vec();
        loop {
            let above = self.packages.iter().find(|package| {
                found.iter().all(|known| known.name != package.name)
                    && found.iter().any(|known| package.depends_on(&known.name))
            });
            match above {
                Some(package) => found.push(package),
                None => return found,
            }
        }
    }
}

impl Package {
    fn parse(json: &Value, root: &str) -> Result<Self, String> {
        let relative = |path: String| {
            path.strip_prefix(root)
                .map_or(path.as_str(), |p| p.trim_start_matches('/'))
                .to_owned()
        };
        let dependencies = items(json, "dependencies")?
            .map(Dependency::parse)
            .collect::<Result<_, _>>()?;
        let targets = items(json, "targets")?
            .map(|target| {
                let kind = items(target, "kind")?.next().and_then(Value::as_str);
                let kind = kind.ok_or("a target without a kind")?.to_owned();
                Ok(Target {
                    kind,
                    root: relative(string(target, "src_path")?),
                })
            })
            .collect::<Result<_, String>>()?;
        let default_features = json.pointer("/features/default").and_then(Value::as_array);
        let features = json.get("features").and_then(Value::as_object);
        let mut features = features.into_iter().flat_map(|features| features.keys());
        let is_on = |name: &String| {
            let default = default_features.into_iter().flatten();
            name == "default" || default.filter_map(Value::as_str).any(|on| on == name)
        };
        Ok(Self {
            name: string(json, "name")?,
            dependencies,
            targets,
            is_library: relative(string(json, "manifest_path")?).starts_with("crates/"),
            has_default_features: default_features.is_some_and(|features| !features.is_empty()),
            has_optional_features: !features.all(is_on),
        })
    }

    /// It has a target of the kind that doctests and `--lib` are about.
    pub(crate) fn has_lib(&self) -> bool {
        self.targets
            .iter()
            .any(|target| matches!(target.kind.as_str(), "lib" | "proc-macro"))
    }

    fn depends_on(&self, name: &str) -> bool {
        self.dependencies
            .iter()
            .any(|dependency| dependency.ours && dependency.name == name)
    }
}

impl Dependency {
    fn parse(json: &Value) -> Result<Self, String> {
        Ok(Self {
            name: string(json, "name")?,
            dev: json.get("kind").and_then(Value::as_str) == Some("dev"),
            condition: json
                .get("target")
                .and_then(Value::as_str)
                .map(str::to_owned),
            ours: json.get("path").is_some_and(Value::is_string),
            default_features: json.get("uses_default_features") != Some(&Value::Bool(false)),
        })
    }
}

fn string(json: &Value, key: &str) -> Result<String, String> {
    let found = json.get(key).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| format!("cargo metadata: no `{key}`"))
}

fn items<'a>(json: &'a Value, key: &str) -> Result<std::slice::Iter<'a, Value>, String> {
    let found = json
        .get(key)
        .and_then(Value::as_array)
        .map(|values| values.iter());
    found.ok_or_else(|| format!("cargo metadata: no list `{key}`"))
}

#[cfg(test)]
pub(crate) mod tests;
