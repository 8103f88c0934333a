//! What this machine is, and its ceilings: memory, latency, compute, storage.
