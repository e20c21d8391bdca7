"""The audit page's side of the server: a folder or a zip -> an audit in a process of its own."""
