"""An example of a package that adds to ferdata: one module for each thing that it adds."""
