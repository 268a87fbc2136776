"""Where files come from: GitHub repositories, the files of releases, folders."""
