"""A strict Pipedrive: API v1 and v2 side by side, as its OpenAPI specification of August 2026 says."""
