"""Every HTML page that is a file: one frame, one style sheet, one module of charts."""
