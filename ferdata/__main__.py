"""`python -m ferdata`: the command line."""

from ferdata.cli import main

if __name__ == "__main__":
    main()
