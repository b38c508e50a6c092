//! End-to-end tests: needs a kubeconfig and nothing else.
