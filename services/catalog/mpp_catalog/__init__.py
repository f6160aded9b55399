"""The catalogue: sites, agencies, public services and their standards. Imports nothing by itself."""
