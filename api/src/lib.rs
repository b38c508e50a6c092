//! Spec, status and rules of the custom resources; tickets; load report; units.
