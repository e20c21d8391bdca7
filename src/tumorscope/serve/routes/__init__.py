"""The routes of the API, a file for each kind of thing; every file has a `router`."""
