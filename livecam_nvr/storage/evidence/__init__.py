"""Evidence that recordings are what they were: hashes in a chain of manifests, and signed exports."""
