"""The canonical model in the database: views over the tables of all sources."""
