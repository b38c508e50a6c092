//! The claims of the volumes. They have no owner: whoever deletes a DiskCluster deletes no file.

use api::bytes::Bytes;
use api::kubernetes::DiskCluster;
use api::kubernetes::disk_cluster::volume::{ClaimTemplate, DataSource, Volume};
use api::kubernetes::labels::Component;
use api::kubernetes::names::Names;
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, TypedObjectReference, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::kept;

/// One for each volume with a template. `there` says how large claims are that exist: an administrator may have
/// enlarged one, and a claim cannot shrink.
pub(super) fn claims(
    cluster: &DiskCluster,
    names: &Names,
    there: &[(String, Bytes)],
) -> Vec<PersistentVolumeClaim> {
    let made = |volume: &Volume| {
        let template = volume.template.as_ref()?;
        let name = names.claim(&volume.name);
        let size = there.iter().find(|(known, _)| *known == name).map(|(_, size)| *size);
        Some(claim(cluster, &name, template, size))
    };
    cluster.spec.volumes.iter().filter_map(made).collect()
}

fn claim(
    cluster: &DiskCluster,
    name: &str,
    template: &ClaimTemplate,
    there: Option<Bytes>,
) -> PersistentVolumeClaim {
    let ClaimTemplate {
        size,
        storage_class_name,
        volume_attributes_class_name,
        data_source_ref,
        labels,
        annotations,
    } = template;
    let mut metadata = kept(cluster, name, Component::Volume);
    let ours = metadata.labels.take().unwrap_or_default();
    metadata.labels = Some(labels.clone().into_iter().chain(ours).collect());
    metadata.annotations = (!annotations.is_empty()).then(|| annotations.clone());
    let larger = there.filter(|there| size.bytes().is_ok_and(|size| *there > size));
    let size = larger.map_or_else(|| size.0.clone(), Bytes::to_quantity);
    PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteMany".to_owned()]),
            storage_class_name: storage_class_name.clone(),
            volume_attributes_class_name: volume_attributes_class_name.clone(),
            data_source_ref: data_source_ref.as_ref().map(source),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), Quantity(size))].into()),
                limits: None,
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}

fn source(DataSource { api_group, kind, name }: &DataSource) -> TypedObjectReference {
    TypedObjectReference {
        api_group: api_group.clone(),
        kind: kind.clone(),
        name: name.clone(),
        namespace: None,
    }
}
