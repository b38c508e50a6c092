//! What every HTTP program here needs: listener, probes, metrics, logs, drain.
