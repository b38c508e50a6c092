//! Reconciles DiskClusters, Members and Groups.
