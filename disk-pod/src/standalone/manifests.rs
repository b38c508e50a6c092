//! Members and Groups from files, as kubectl takes and gives them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use api::kubernetes::{Group, Member};
use kube::ResourceExt;
use serde::Deserialize;
use serde_json::Value;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub(super) members: Vec<Member>,
    pub(super) groups: Vec<Group>,
}

/// The files of a roster, in order of their names: one file, or all of a directory that end so.
pub(super) fn files(place: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", place.display());
    if !std::fs::metadata(place).with_context(cannot)?.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let is_manifest = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(place).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if is_manifest(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Manifests {
    /// Reads all files. What is neither Member nor Group is left out: a file may hold Secrets and a DiskCluster too.
    pub(super) fn read(files: &[PathBuf]) -> anyhow::Result<Self> {
        let mut read = Self::default();
        for file in files {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            read.take(&text).with_context(|| file.display().to_string())?;
        }
        read.check()?;
        Ok(read)
    }

    fn take(&mut self, text: &str) -> anyhow::Result<()> {
        for document in serde_yaml::Deserializer::from_str(text) {
            let object = Value::deserialize(document).context("this is not YAML")?;
            self.add(object)?;
        }
        Ok(())
    }

    fn add(&mut self, object: Value) -> anyhow::Result<()> {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let ours = object
            .get("apiVersion")
            .and_then(Value::as_str)
            .is_some_and(|version| version.starts_with("internetdisk.dev/"));
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            "Member" if ours => {
                self.members.push(serde_json::from_value(object).with_context(|| format!("Member {name}"))?);
            }
            "Group" if ours => {
                self.groups.push(serde_json::from_value(object).with_context(|| format!("Group {name}"))?);
            }
            // What kubectl get says of several.
            "List" | "MemberList" | "GroupList" => {
                for mut item in object.get("items").and_then(Value::as_array).cloned().unwrap_or_default() {
                    // Items of a typed list need not say again what they are.
                    if let (Some(item), Some(kind)) = (item.as_object_mut(), kind.strip_suffix("List"))
                        && !kind.is_empty()
                    {
                        item.entry("kind").or_insert_with(|| kind.into());
                        item.entry("apiVersion").or_insert_with(|| "internetdisk.dev/v1alpha1".into());
                    }
                    self.add(item)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What the API server would see to.
    fn check(&self) -> anyhow::Result<()> {
        let clusters = self.members.iter().map(|member| &member.spec.cluster_ref.name);
        let mut clusters: Vec<_> =
            clusters.chain(self.groups.iter().map(|group| &group.spec.cluster_ref.name)).collect();
        clusters.sort();
        clusters.dedup();
        if let [first, second, ..] = clusters.as_slice() {
            bail!(
                "there are Members and Groups of the DiskClusters {first} and {second}: put each into a directory of its own"
            );
        }
        let twice = |mut names: Vec<String>, kind: &str| {
            names.sort();
            match names.windows(2).find(|pair| pair.first() == pair.last()) {
                Some([name, ..]) => bail!("there are two {kind}s {name}: leave one out"),
                _ => Ok(()),
            }
        };
        twice(self.members.iter().map(ResourceExt::name_any).collect(), "Member")?;
        twice(self.groups.iter().map(ResourceExt::name_any).collect(), "Group")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: &str = "apiVersion: internetdisk.dev/v1alpha1\nkind: Member\nmetadata: {name: NAME}\n\
                          spec: {clusterRef: {name: demo}, quota: 1Gi}\n";

    fn read(text: &str) -> anyhow::Result<Manifests> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.yaml");
        std::fs::write(&file, text).unwrap();
        Manifests::read(&files(directory.path()).unwrap())
    }

    fn names(read: &Manifests) -> Vec<String> {
        read.members.iter().map(ResourceExt::name_any).collect()
    }

    #[test]
    fn every_way_in_which_kubectl_takes_and_gives_them() {
        let (alice, bob) = (MEMBER.replace("NAME", "alice"), MEMBER.replace("NAME", "bob"));
        let several =
            format!("---\n{alice}---\nkind: Secret\napiVersion: v1\nmetadata: {{name: x}}\n---\n{bob}---\n");
        assert_eq!(names(&read(&several).unwrap()), ["alice", "bob"]);
        let json: Value = serde_yaml::from_str(&alice).unwrap();
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [json]});
        assert_eq!(names(&read(&list.to_string()).unwrap()), ["alice"]);
        let stranger = alice.replace("internetdisk.dev", "example.org");
        assert!(names(&read(&stranger).unwrap()).is_empty());
        assert!(names(&read("").unwrap()).is_empty());
    }

    #[test]
    fn what_the_api_server_would_refuse_says_so() {
        let alice = MEMBER.replace("NAME", "alice");
        for (text, said) in [
            (alice.replace("quota: 1Gi", "quota: {}"), "Member alice"),
            (alice.replace("spec:", "spec: ["), "a.yaml"),
            (format!("{alice}---\n{alice}"), "two Members alice"),
            (
                format!("{alice}---\n{}", alice.replace("alice", "bob").replace("demo", "other")),
                "DiskClusters",
            ),
        ] {
            let error = format!("{:#}", read(&text).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
    }
}
