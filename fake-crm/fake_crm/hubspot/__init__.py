"""A strict HubSpot: dated paths and v3/v4 side by side."""
