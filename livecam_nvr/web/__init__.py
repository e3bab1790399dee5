"""HTTP: API, live endpoints, pages."""
