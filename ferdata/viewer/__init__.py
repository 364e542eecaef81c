"""A local web page to look at a build, a run or an audit, and to mark wrong images."""
