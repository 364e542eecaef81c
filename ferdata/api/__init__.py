"""The front door: what `import ferdata` offers, and what the command line calls.

Every function takes paths as `str` or `Path`, with `~` expanded, and checks names and options
before anything heavy is imported.
"""
