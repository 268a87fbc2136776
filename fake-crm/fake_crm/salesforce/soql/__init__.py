"""SOQL, as strict as Salesforce's: text → tree (parser) → checked plan (binding) → rows (running)."""
