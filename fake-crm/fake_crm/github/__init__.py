"""A strict GitHub: REST 2026-03-10, Git LFS and the storage that both redirect to."""
