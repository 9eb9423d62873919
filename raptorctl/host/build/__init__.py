"""Images that are built: disks copied, edited, resized, run in, exported."""
