"""From the bytes of a file to its rows: unpack, decode, split, name."""
