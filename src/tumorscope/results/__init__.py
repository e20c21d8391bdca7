"""What becomes of findings: the sinks that draw or write them."""
