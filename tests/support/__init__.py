"""What several tests share: small builds and runs, trees on disk, damage done to them."""
