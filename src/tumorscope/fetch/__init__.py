"""A public data set from where it is published: its licence first, then download, check and layout.

``from tumorscope.fetch.run import fetch_set``; this file imports nothing, since the command line loads it at its start.
"""
