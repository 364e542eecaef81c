"""Reports: one HTML file about builds, runs and audits, to read and to share.

`views` say what a page is about as typed records (`BuildView`, `RunView`, `AuditView`), whose JSON
is a block of the page; `charts` turns their numbers into places on an SVG; `templates` lay them
out. Nothing on a page comes from anywhere else, so every number of a page is in its JSON.
"""
