"""The evaluation page's side of the server: run folders -> figures, curves and the worst mistakes."""
